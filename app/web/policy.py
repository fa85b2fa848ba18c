"""Who may call a route. Every route says so, or the application does not start.

    @policy(Policy.PUBLIC)                         on a view, next to the function
    def healthz() -> Response: ...

    admin = Guarded("admin", __name__, policy=Policy.STAFF)      for every view of a blueprint

What a policy means is enforced where it is declared: the blueprint's `before_request`, or the view itself.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, ParamSpec, TypeVar

from flask import Blueprint, Flask

P = ParamSpec("P")
R = TypeVar("R")


class Policy(StrEnum):
    PUBLIC = "public"  # anybody
    SIGNATURE = "signature"  # a platform's signature, or a one-time nonce
    STAFF = (
        "staff"  # a person of the program: signed in, or in a shop's own admin vouched for by the platform
    )
    SHOPPER = "shopper"  # a customer of a shop, proven by the platform or a token
    MEMBER = "member"  # a customer of a shop, signed in at our own page by a cookie; acts only from that page
    API_KEY = "api-key"  # a merchant's own system


class Guarded(Blueprint):
    """A blueprint whose views all have one policy, unless one declares its own."""

    def __init__(self, name: str, import_name: str, *, policy: Policy, **options: Any) -> None:
        super().__init__(name, import_name, **options)
        self.policy = policy


def policy(kind: Policy) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Declare a view's policy."""

    def declared(view: Callable[P, R]) -> Callable[P, R]:
        view.laurel_policy = kind  # type: ignore[attr-defined]
        return view

    return declared


def policy_of(app: Flask, endpoint: str) -> Policy | None:
    """The policy declared for an endpoint: the view's own, else its blueprint's."""
    own: Policy | None = getattr(app.view_functions[endpoint], "laurel_policy", None)
    if own is not None:
        return own
    found = app.blueprints.get(endpoint.rpartition(".")[0])
    return found.policy if isinstance(found, Guarded) else None


def require_policies(app: Flask) -> None:
    """Raises: RuntimeError, naming every route that declares no policy."""
    bare = sorted(
        f"{rule.rule} ({rule.endpoint})"
        for rule in app.url_map.iter_rules()
        if policy_of(app, rule.endpoint) is None
    )
    if bare:
        raise RuntimeError(f"routes without a policy: {', '.join(bare)}")

"""Shopify Flow: workflows that begin with something of ours."""

from collections.abc import Sequence
from typing import Any

from app.domain.errors import PutOff
from app.domain.redacting import cleared
from app.domain.triggers import Happening
from connectors.shopify import payloads
from connectors.shopify.client.admin_api import AdminApi, ApiError, Errors, as_shape, failure_of, gid


def tell_flow(count: int) -> str:
    """A mutation that begins so many triggers, each with a payload of its own."""
    given = ", ".join(f"$handle{n}: String!, $payload{n}: JSON!" for n in range(count))
    done = " ".join(
        f"a{n}: flowTriggerReceive(handle: $handle{n}, payload: $payload{n}) {{ userErrors {{ field message }} }}"
        for n in range(count)
    )
    return f"mutation TellFlow({given}) {{ {done} }}"


OPERATIONS = (tell_flow(2),)


def tell(api: AdminApi, happenings: Sequence[Happening]) -> Sequence[str | None]:
    """As `ShopClient` says. Flow knows no key that would make a trigger begin once, so nothing is repeated here."""
    variables: dict[str, Any] = {}
    for n, one in enumerate(happenings):
        variables |= {f"handle{n}": payloads.HANDLES[one.trigger], f"payload{n}": _flow_payload(one)}
    try:
        answer = api.ask_apart(tell_flow(len(happenings)), variables)
    except PutOff as later:
        # Throttled as a whole, before anything of it: it is one call.
        raise PutOff(later.detail, retry_after_s=later.wait_s) from later
    told = as_shape(answer.data, dict[str, Errors | None])
    failed = {str(error.path[0]) if error.path else "": error for error in answer.errors}
    if strange := failed.keys() - told.keys():
        raise failure_of(failed[strange.pop()], changes=True)
    return [_why_not_told(told[f"a{n}"], failed.get(f"a{n}")) for n in range(len(happenings))]


def _flow_payload(happening: Happening) -> dict[str, str | int]:
    """A reference to a customer is told as its bare number. Source: shopify.dev, "Create a Flow trigger"."""
    gid("Customer", happening.customer_ref)
    return {"customer_id": int(happening.customer_ref), **happening.facts}


def _why_not_told(told: "Errors | None", failed: ApiError | None) -> str | None:
    if failed is not None:
        return cleared(failed.message)
    if told is None:
        return "Flow did not say what became of it."
    return "; ".join(cleared(error.message) for error in told.user_errors) or None

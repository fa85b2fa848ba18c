"""The API's blueprint: whose key it is, known before any view runs."""

from apiflask import APIBlueprint
from flask import abort, g, request

from app.services.check_api_key import ApiKey, check_api_key
from app.web.asked import bearer
from app.web.clean import refuse_unclean
from app.web.here import runtime
from app.web.limits import limited
from app.web.policy import Guarded, Policy

PREFIX = "/api/v1"
LARGEST_ID = 2**63 - 1
CALLS = 1200  # of a key, in a minute


class GuardedApi(Guarded, APIBlueprint):
    """A blueprint with a policy whose views describe themselves."""


blueprint = GuardedApi("api", __name__, policy=Policy.API_KEY, url_prefix=PREFIX, tag="Laurel")


@blueprint.before_request
def prove() -> None:
    """Raises: Refused("signed_out")."""
    g.api_key = check_api_key(runtime(), bearer())


limited(blueprint, lambda: [(f"API key {key().key_id}", CALLS)])


@blueprint.before_request
def check() -> None:
    """Raises: Refused("bad_request")."""
    refuse_unclean()
    if any(isinstance(one, int) and one > LARGEST_ID for one in (request.view_args or {}).values()):
        abort(404)


def key() -> ApiKey:
    """The key of this request, proven."""
    found: ApiKey = g.api_key
    return found

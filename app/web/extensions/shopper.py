"""/extensions/<platform>/v1/…: the storefront's views, for whoever the platform's token says is signed in."""

from flask import g

from app.services.prove_extension import prove_extension
from app.web.asked import asked
from app.web.clean import refuse_unclean
from app.web.errors import speaking
from app.web.extensions.door import PREFIX, asks_about_cors, open_to_any_origin, platform
from app.web.here import runtime
from app.web.limits import limited
from app.web.policy import Guarded, Policy
from app.web.storefront.limits import counts
from app.web.storefront.views import put_views, refuse_other_shops
from app.web.storefront.who import words_for_errors

blueprint = Guarded("extensions", __name__, policy=Policy.SHOPPER, url_prefix=f"{PREFIX}/v1")
open_to_any_origin(blueprint)
speaking(blueprint, words_for_errors)


@blueprint.before_request
def prove() -> None:
    """Nothing is read before it is known who asks: what `shopper()` finds here is what the token says."""
    if asks_about_cors():
        return
    refuse_unclean()
    g.shopper = prove_extension(runtime(), platform(), asked())
    refuse_other_shops()


limited(blueprint, counts)
put_views(blueprint)

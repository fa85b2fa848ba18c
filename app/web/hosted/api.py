"""/my/<shop_key>/api/…: the storefront's views, for whoever the page's cookie says is signed in."""

from flask import g

from app.web.clean import refuse_unclean
from app.web.errors import speaking
from app.web.hosted.guard import PREFIX, require_own_page, shop, signed_in, take_shop
from app.web.limits import limited
from app.web.policy import Guarded, Policy
from app.web.storefront.limits import counts
from app.web.storefront.views import put_views, refuse_other_shops
from app.web.storefront.who import words_for_errors

blueprint = Guarded("hosted_api", __name__, policy=Policy.MEMBER, url_prefix=f"{PREFIX}/api")
blueprint.url_value_preprocessor(take_shop)
speaking(blueprint, words_for_errors)


@blueprint.before_request
def know() -> None:
    """Who asks is known before anything is read, counted or done."""
    refuse_unclean()
    shop()
    require_own_page()
    g.shopper = signed_in()
    refuse_other_shops()


limited(blueprint, counts)
put_views(blueprint)

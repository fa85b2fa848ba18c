"""The shop that a page is about, who is signed in there, and where an act must come from."""

from typing import Any
from urllib.parse import urlsplit

from flask import Response, g, request

from app.domain.errors import Refused
from app.domain.words import Words
from app.services.check_member_session import check_member_session
from app.services.describe_shopfront import describe_shopfront
from app.services.is_outage import is_outage
from app.services.prove_shopper import Shopper, shop_of_key
from app.services.request_member_link import page_address
from app.services.shop_memory import KnownShop
from app.services.shopfront import Shopfront
from app.services.wording import words_in
from app.web.clean import refuse_unclean_form
from app.web.errors import speaking
from app.web.here import runtime
from app.web.hosted.files import look_file_of
from app.web.languages import language
from app.web.policy import Guarded, Policy
from app.web.storefront.who import origin_of

COOKIE = "laurel_member"
MARK = "laurel_member_mark"  # tells the page whose last known values it may show; opens nothing
PREFIX = "/my/<shop_key>"

# Nothing of anybody else's, and nothing written into the page.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; "
    "frame-ancestors 'none'"
)

blueprint = Guarded("hosted", __name__, policy=Policy.PUBLIC, url_prefix=PREFIX)


def take_shop(endpoint: str | None, values: dict[str, Any] | None) -> None:
    """The shop is in the address; views ask `shop()`."""
    g.shop_key = (values or {}).pop("shop_key", "")


def shop() -> KnownShop:
    """The shop of this page. Raises: Refused("unknown_shop"), for one that has left too."""
    found: KnownShop | None = g.get("shop")
    if found is None:
        found = shop_of_key(runtime(), g.shop_key)
        if found is None or found.state == "uninstalled":
            raise Refused("unknown_shop", "There is no such shop here.")
        g.shop = found
    return found


def signed_in() -> Shopper:
    """Who the cookie says is here. Raises: Refused("unproven") for one that is good no more: not a stranger."""
    token, at = request.cookies.get(COOKIE), shop()
    if token is None:
        return Shopper(shop=at, customer_ref=None)
    customer_ref = check_member_session(runtime(), at, token)
    if customer_ref is None:
        raise Refused("unproven", "Your sign-in has run out: ask for a new link.")
    return Shopper(shop=at, customer_ref=customer_ref)


def front() -> Shopfront:
    """What the page tells everybody, in the reader's language."""
    if "front" not in g:
        g.front = describe_shopfront(runtime(), shop().program_id, shop().shop_id, language())
    found: Shopfront = g.front
    return found


def words_for_errors() -> Words:
    """In the reader's language, also where there is no such shop, or the database is out: then English is the rest."""
    asked_for = language()
    if asked_for is not None:
        return words_in(asked_for)
    try:
        return front().words
    except Exception as error:
        if not isinstance(error, Refused) and not is_outage(error):
            raise
        return words_in(None)


def about(shown: Shopfront) -> None:
    """This request is about that program at that shop, whatever its address says."""
    g.front = shown


def say(key: str, **values: str) -> str:
    return front().words.say(key, n=None, units=None, **values)


def look_file(name: str) -> str:
    """Where a file in the program's look is."""
    return look_file_of(front().program.look, name)


def home() -> str:
    return f"/my/{shop().key}/"


def require_own_page() -> None:
    """Nobody else's page acts for whoever is signed in. Raises: Refused("not_allowed").

    Browsers say with every POST which page it comes from, and no page can forge that; the cookie is SameSite besides.
    No token in the form: the page is the same for everybody, and is kept on devices.
    """
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    origin, own = request.headers.get("Origin"), origin_of(runtime().public_url)
    if origin != own and not (origin is None and request.headers.get("Sec-Fetch-Site") == "same-origin"):
        raise Refused(
            "not_allowed", f"This works only from the page itself, at {page_address(runtime(), g.shop_key)}"
        )


def keep_signed_in(response: Response, token: str, mark: str, max_age: int) -> None:
    for name, value, hidden in ((COOKIE, token, True), (MARK, mark, False)):
        response.set_cookie(
            name,
            value,
            max_age=max_age,
            path=home(),
            httponly=hidden,
            secure=urlsplit(runtime().public_url).scheme == "https",
            samesite="Strict",
        )


def forget_signed_in(response: Response) -> None:
    for name in (COOKIE, MARK):
        response.delete_cookie(name, path=home())


def secure(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", _POLICY)
    response.headers["X-Robots-Tag"] = "noindex"
    return response


DRESS = {"say": say, "front": front, "look_file": look_file}
"""What every page for shoppers is written with: words and colours. Asked for only where it is: there may be no such
shop."""


def tools() -> dict[str, Any]:
    return {**DRESS, "shop": shop, "home": home}


def prepare(on: Guarded) -> None:
    """What holds for every page here."""
    on.url_value_preprocessor(take_shop)
    speaking(on, words_for_errors)
    on.before_request(refuse_unclean_form)
    on.before_request(require_own_page)
    on.after_request(secure)
    on.context_processor(tools)


prepare(blueprint)

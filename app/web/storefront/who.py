"""Who asks: the shop and its customer, proven once a request; and what pages may read the answer."""

from urllib.parse import urlsplit

from flask import Response, g, request

from app.domain.errors import Refused
from app.domain.words import Words
from app.services.find_member import ByCustomer, find_member
from app.services.find_words import program_words
from app.services.is_outage import is_outage
from app.services.prove_shopper import Shopper, named_shop, prove_shopper
from app.services.wording import words_in
from app.web.asked import asked, bearer
from app.web.here import runtime
from app.web.languages import language

_PORTS = {"http": 80, "https": 443}


def shopper() -> Shopper:
    """Raises: Refused with unknown_shop, unproven, token_expired."""
    found: Shopper | None = g.get("shopper")
    if found is None:
        g.shopper = found = prove_shopper(runtime(), asked(), bearer())
    return found


def customer() -> tuple[Shopper, str]:
    """The shopper and their customer ref. Raises: Refused("unproven") if nobody is signed in."""
    who = shopper()
    if who.customer_ref is None:
        raise Refused("unproven", "Sign in to the shop to see your points.")
    return who, who.customer_ref


def member() -> tuple[Shopper, int]:
    """The shopper and the member they are. Raises: Refused with unproven, not_a_member."""
    who, customer_ref = customer()
    member_id = find_member(runtime(), who.shop.program_id, ByCustomer(who.shop.key, customer_ref))
    if member_id is None:
        raise Refused("not_a_member", "Join first: it is one click, and free.")
    return who, member_id


def words_for_errors() -> Words:
    """In the shopper's language, also while the database is out: then English stands for the program's own."""
    asked_for = language()
    if asked_for is not None or "shopper" not in g:
        return words_in(asked_for)
    try:
        return program_words(runtime(), g.shopper.shop.program_id, None)
    except Exception as error:
        if not is_outage(error):
            raise
        return words_in(None)


def allow_own_pages(response: Response) -> Response:
    """CORS: the named shop's own pages may read the answer, errors too; nobody else's, and never with cookies."""
    response.headers["Vary"] = "Origin, Authorization"
    origin = request.headers.get("Origin")
    shop = named_shop(runtime(), asked()) if origin else None
    if shop is None or origin != origin_of(shop.url):
        return response
    headers = response.headers
    headers["Access-Control-Allow-Origin"] = origin
    headers["Access-Control-Expose-Headers"] = "Retry-After"
    if request.method == "OPTIONS":
        headers["Access-Control-Allow-Methods"] = "GET, POST"
        headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type, Idempotency-Key"
        headers["Access-Control-Max-Age"] = "600"
    return response


def origin_of(url: str) -> str:
    """As a browser writes it: no path, and no port that goes without saying."""
    parts = urlsplit(url)
    host = (
        (parts.hostname or "").encode("idna").decode()
        if not (parts.hostname or "").isascii()
        else parts.hostname
    )
    port = "" if parts.port in (None, _PORTS.get(parts.scheme)) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"

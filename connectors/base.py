"""What every connector is to the rest of the house: facts in, codes out. No platform is named here.

A connector is one `Connector` value, made in its package's `__init__`. It knows no rule about points, no
database and no Flask. Every function here raises `Refused` (never works as it stands), `AccessLost` (a person
must reconnect) or `Retryable` (may work later), and nothing else on purpose.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import httpx

from app.domain.changes import Change, CustomerFacts, ProductFacts
from app.domain.errors import PutOff, Refused
from app.domain.money import Money
from app.domain.orders import OrderSnapshot
from app.domain.pacing import Allowance, Urgency, wait_s
from app.domain.profiles import FoundProfile, ProfileChange, ProfileEnding, ProfilePart
from app.domain.rewards import Combines, Gift
from app.domain.triggers import Happening, Trigger

# --- Receiving ---------------------------------------------------------------------------------------------


class BadSignature(Exception):
    """No known secret signs this message: answer 401 and keep nothing."""


class NotADelivery(Exception):
    """A harmless message that carries nothing and is not signed (a platform's ping): answer 200, keep nothing."""


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """An HTTP request as received, before anyone parsed it. Header names are lower case."""

    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A verified webhook. Only `verify` makes one.

    `delivery_ref` is the platform's id of the delivery; beside the body's hash it saves work, it proves nothing.
    `shop_ref` is the shop the message names (unsigned where all shops share one secret); None where it names none.
    """

    topic: str
    delivery_ref: str
    shop_ref: str | None
    body: bytes


# --- The shop's own API ------------------------------------------------------------------------------------


class Pace:
    """What one shop may still be asked, as far as this process was told; shared by its threads.

    The shop counts for all our processes together and tells the count with each answer, so nothing is shared between
    them: whoever asks learns. Two background jobs never ask one shop at once (their lock is in the database), and what
    others take between two answers comes out of the part that is kept for them.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._allowance: Allowance | None = None
        self._costs: dict[str, int] = {}

    def require(self, work: str, urgency: Urgency) -> None:
        """Before something is begun that may take several calls. Raises: PutOff where it would, costing what it did last,
        reach into what others keep."""
        with self._lock:
            cost = self._costs.get(work, 0)
            if self._allowance and (wait := wait_s(self._allowance, cost, urgency, now=self._now())):
                raise PutOff(f"its allowance is left to what is more urgent for {wait} s", retry_after_s=wait)

    def hear(self, *, available: int, maximum: int, restored_per_s: int) -> None:
        """What the shop told with an answer."""
        with self._lock:
            self._allowance = Allowance(
                available=available, maximum=maximum, restored_per_s=max(restored_per_s, 1), at=self._now()
            )

    def learn(self, work: str, cost: int) -> None:
        """What it cost, all its calls together, as far as it came."""
        with self._lock:
            self._costs[work] = cost

    def wait_s(self, cost: int, urgency: Urgency) -> int:
        """How long something of that cost has to wait now."""
        with self._lock:
            return wait_s(self._allowance, cost, urgency, now=self._now()) if self._allowance else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopAccess:
    """How to reach one shop. `credentials` are the connector's own (names as its `install` made them), in clear."""

    shop_key: str
    shop_ref: str  # what the platform calls it: "acme.myshopify.com", "https://shop.example"
    credentials: Mapping[str, str] = field(repr=False)
    allow_private: bool = False  # a self-hoster's shop on a private or loopback address
    pace: Pace | None = field(default=None, repr=False, compare=False)  # None: nobody else is known to ask
    urgency: Urgency = Urgency.BACKGROUND


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopFacts:
    shop_ref: str
    name: str
    url: str  # where shoppers go; its origin is the widget's
    currency: str
    timezone: str  # IANA name, or "UTC" where the shop has only an offset
    reads_orders_days: int | None  # how far back its scopes can read orders; None: all
    # Kinds of codes (`CodeKind`) that its owner has not let us make: why, and what to do, for the merchant.
    withheld: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raises: Refused where `url` is not the web's: shoppers are given it to click on, on our own pages."""
        if not is_web_address(self.url):
            raise Refused("not_understood", "The shop's own address is none of the web's (https://…).")


def is_web_address(url: str) -> bool:
    return url.lower().startswith(("https://", "http://"))


class Absent(StrEnum):
    """Why a look-up brought no order. Only GONE is an authorised "there is no such order"."""

    GONE = "gone"
    UNREADABLE = "unreadable"  # outside what our scopes can read, or an error for this one order


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderDigest:
    """The least that shows whether what we hold of an order is still true. `refunds`: ref -> amount as told.

    `customer_ref`: whose it is at the shop now; a merge of two customers there moves no order's date. None: a guest's.
    """

    order_ref: str
    updated_at: datetime
    gone: bool  # trashed
    refunds: Mapping[str, str]
    customer_ref: str | None


class CodeKind(StrEnum):
    AMOUNT = "amount"
    PERCENT = "percent"
    FREE_SHIPPING = "free_shipping"
    PRODUCT = "product"  # one piece of `gift` for nothing
    STORE_CREDIT = (
        "store_credit"  # into the customer's account at the shop; without one a code (`Connector.balances`)
    )
    GIFT_CARD = "gift_card"  # money under a code, for whoever has it


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeSpec:
    """A discount code to be made: single use, for one customer. `code` was made and stored by us before."""

    code: str
    kind: CodeKind
    amount: Money | None  # AMOUNT, STORE_CREDIT and GIFT_CARD only, in the shop's currency
    percent: int | None  # PERCENT only, whole percent 1..100
    minimum_spend: Money | None
    customer_ref: str  # bound to this customer alone
    starts_at: datetime
    expires_at: datetime
    tag: str  # ours: names this installation, so that we never touch anybody else's codes
    title: str
    maximum: Money | None = None  # PERCENT only: no more off than this
    gift: Gift | None = None  # PRODUCT only, in the shop's ids
    combines: frozenset[Combines] = frozenset()  # the discounts beside which it may be used; empty: none
    number: int = (
        0  # how many codes this customer was to have before it: no two of a customer's have the same
    )
    code_ref: str | None = None  # the shop's id, once it told it


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedCode:
    """A code as the shop has it. `code` is the shop's spelling; `code_ref` its id there."""

    code: str
    code_ref: str
    handed_over: bool = False  # the money is the customer's: nothing is at the shop that could be withdrawn


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundCode:
    """What the shop says of a code. `tag` is ours or None; `matches` compares it with a CodeSpec field by field."""

    code: str
    code_ref: str
    live: bool  # can be used now, as far as the shop knows: enabled, not expired, a use left
    uses: int  # counted by the shop; may lag behind
    uses_left: int | None  # None: not limited
    tag: str | None
    customer_ref: str | None
    expires_at: datetime | None
    kind: CodeKind | None
    value: str | None  # "5.00", "10"; None for free shipping
    left: Money | None = (
        None  # of money that the shop keeps, used bit by bit; None: it is used at once, or kept by us
    )


class WebhookFound(StrEnum):
    """How a subscription was found, before anything was mended."""

    RIGHT = "right"
    MISSING = "missing"
    SWITCHED_OFF = "switched_off"  # by the shop, or by somebody there
    ELSEWHERE = "elsewhere"  # it pointed at another address
    OTHER_SECRET = "other_secret"  # noqa: S105 - signed with a secret that is not ours
    DOUBLED = "doubled"  # there, and once more


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookState:
    """One subscription at the shop. `healthy`: exists, active, points at us."""

    topic: str
    healthy: bool
    repaired: bool
    detail: str
    found: WebhookFound = WebhookFound.RIGHT


@dataclass(frozen=True, slots=True, kw_only=True)
class Introduction:
    """What our companion, a piece of ours that runs inside the shop (a plugin), must know of us."""

    server: str  # our public address, no slash at the end
    shop_key: str
    webhook_address: str  # where the shop's own messages go
    webhook_secret: str = field(repr=False)  # signs them
    widget_secret: str = field(repr=False)  # signs shoppers' tokens


@dataclass(frozen=True, slots=True)
class OrderPage:
    orders: tuple[OrderSnapshot, ...]
    held: tuple[tuple[str, str], ...]  # (order_ref, reason): orders whose facts could not be understood
    cursor: str | None  # to go on with; None: that was the last page
    wait_s: int = (
        0  # the shop is gathering them: ask with the cursor in so many seconds, and remember it until then
    )
    total: int | None = None  # how many there are, as far as the shop said


class ShopClient(Protocol):
    """One shop's API. Safe to use from one thread; every call may raise Refused, AccessLost, Retryable."""

    def shop_facts(self) -> ShopFacts: ...

    def read_orders(self, order_refs: Sequence[str]) -> Mapping[str, OrderSnapshot | Absent]:
        """Each order as the shop has it now, refund lines included; every ref asked for is answered.

        An order in the trash is a snapshot in state GONE. Raises Refused("held", …) never: an order whose facts
        cannot be understood is answered UNREADABLE and logged with its reason.
        """

    def orders_changed(
        self, since: datetime, until: datetime, cursor: str | None = None, *, may_wait: bool = False
    ) -> OrderPage:
        """One page of orders changed in [since, until], refund lines not necessarily read. One may come twice.

        `may_wait`: of very many the shop may first gather them by itself; the page is empty then and says when to
        come back. Oldest change first, but for what was gathered so.
        """

    def order_digests(self, order_refs: Sequence[str]) -> Mapping[str, OrderDigest | Absent]:
        """The same question as `read_orders`, as cheaply as the platform allows; trash included."""

    def read_customer(self, customer_ref: str) -> CustomerFacts | None: ...

    def read_tags(self, customer_refs: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
        """How the shop sorts each customer: tags, or the role. One that the shop has no more is left out."""

    def read_products(self, product_refs: Sequence[str]) -> Mapping[str, ProductFacts]:
        """What the shop sorts each product into. One that the shop has no more is left out.

        Raises: AccessLost, or Refused, where the shop may not be asked about its products.
        """

    def issue_code(self, spec: CodeSpec) -> IssuedCode:
        """Make the code, or find that it is made already: asked twice, there is one code.

        Looks the code up first. Compares the answer with what was asked, field by field.

        Raises: Refused("code_taken") if a code of that name is not ours; Refused("customer_unreachable") if the
        platform cannot bind the code to the customer; Refused("differs") if the shop made something else than was
        asked (it has been withdrawn again then); Refused("unsupported") for what the platform cannot say exactly;
        Refused("not_granted") if the shop lets us make codes, but none of this kind.
        """

    def find_code(self, code: str, spec: CodeSpec | None = None) -> FoundCode | None:
        """The code as the shop has it. `spec`: what it was to be; without it, a discount code."""

    def withdraw_code(self, code: str, tag: str, spec: CodeSpec | None = None) -> FoundCode | None:
        """Switch the code off for good and read it again: the dead code as seen, or None if there is none.

        What was handed over is told as it is: with nothing `left`.

        Raises: Refused("not_ours") if the code lacks `tag`; Retryable if it is still live afterwards.
        """

    def set_balance(self, spec: CodeSpec, left: Money, uses: int) -> bool:
        """Let the code be worth `left` to one order beyond the `uses` that the shop counted; nothing left: to none.

        A state and no step: asked twice, it is the same. All else of the code is as `spec` has it; whom it is bound to
        stays as it was made. False: there is no code of ours that could be used (gone, switched off).

        Raises: Refused("unsupported") for a kind that is not in the connector's `balances`; Refused("differs") if the
        shop made something else of it.
        """

    def our_codes(self, tag_prefix: str, cursor: str | None = None) -> tuple[Sequence[FoundCode], str | None]:
        """One page of the shop's codes whose tag begins with `tag_prefix`, and the cursor of the next."""

    def orders_with_code(self, code: str) -> Sequence[OrderSnapshot]:
        """Orders that used the code, as far as the platform can be asked; newest first."""

    def prepare_profiles(self) -> None:
        """Make ready what profiles stand in: fields that the shop's pages and staff can read. Twice is the same.

        Raises: Refused("not_granted") if the shop does not let us write at its customers, and goes on otherwise.
        """

    def write_profiles(self, changes: Sequence[ProfileChange]) -> Mapping[str, ProfileEnding]:
        """Bring each of these customers to its state; customer ref -> what became of it, every one answered.

        Where it raises, any of them may have been written. Raises: Refused("not_granted"), as above.
        """

    def read_profiles(self, customer_refs: Sequence[str]) -> Mapping[str, FoundProfile]:
        """What stands there of ours. One that the shop has no more is left out."""

    def remove_profiles(self) -> None:
        """Take away the fields everywhere, and what they were prepared with; tags stay. Twice is the same.

        Raises: Refused("not_granted").
        """

    def tell(self, happenings: Sequence[Happening]) -> Sequence[str | None]:
        """Begin what the merchant built on each, by one call; why the shop did not take it, or None, in their order.

        Never to be called again with what may have arrived: nothing at the shop notices that it was told already.
        Raises: Refused("unsupported") for a platform without automations, or what it refuses altogether; Retryable,
        whose `maybe_applied` is as exact as can be.
        """

    def ensure_webhooks(self, address: str, secret: str | None) -> Sequence[WebhookState]:
        """Make, revive or repoint our subscriptions so that every topic we need reaches `address` exactly once."""

    def remove_webhooks(self, address: str) -> None: ...

    def introduce(self, introduction: Introduction) -> str | None:
        """Tell our companion inside the shop who we are: its version. Asked twice, it is the same.

        None: there is no companion, because nobody installed one or the platform needs none.

        Raises: Refused("companion_elsewhere") if it belongs to another installation, or nobody named us there yet;
        Refused("companion_shut") if we may not call it; Retryable.
        """

    def close(self) -> None: ...


class HttpSeam(Protocol):
    """Makes the HTTP clients of all connectors; demo and tests hand in one whose hosts are the stand-in shops."""

    def client(self, *, allow_private: bool) -> httpx.Client: ...


# --- Installing and signing in -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallRequest:
    """An HTTP request on /install/<name>[/callback] as data. `query` keeps every value of every name, in order."""

    method: str
    url: str  # as the browser asked for it, with its query
    query: Mapping[str, Sequence[str]]
    headers: Mapping[str, str]  # lower-case names
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class AppCredentials:
    """The installation's own app on a platform, where it has one (from the environment); empty strings: none."""

    client_id: str = ""
    secrets: tuple[str, ...] = field(default=(), repr=False)  # newest first


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """Send the merchant there to agree. `shop_ref` is the shop we expect to hear from."""

    url: str
    shop_ref: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """The merchant agreed: what we may now use. `state` is the one-time nonce that came back, if the way has one."""

    shop_ref: str | None
    credentials: Mapping[str, str] = field(repr=False)
    state: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Something to show as it is: status, headers, HTML made by the platform's own library."""

    status: int
    headers: Mapping[str, str]
    html: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Denied:
    state: str | None


InstallStep = Consent | Granted | Denied | Page


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopperProof:
    """A shopper request whose signature the platform made. `customer_ref` None: nobody is logged in."""

    shop_ref: str
    customer_ref: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffProof:
    """Somebody whom the platform lets into this shop's own admin, and who has us open there now."""

    shop_ref: str
    user_ref: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """What one of our pages needs in order to live in a shop's own admin. It stands in the page as it is."""

    ancestors: tuple[str, ...]  # the origins that may frame the page, and no others
    meta: Mapping[str, str]  # name -> content
    script: str  # the platform's own, loaded before any other
    token: str  # a function of that script, by its path from `window`: promises a fresh token
    menu: str  # the element whose links the platform shows as our menu
    link: str  # one of those links


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Our pages inside the platform's own admin, where no cookie of ours is."""

    shop_named: Callable[[InstallRequest], str]
    """The shop that an installation's request names, which proves nothing yet. Raises Refused("bad_request")."""
    prove_staff: Callable[[InstallRequest, str, AppCredentials, datetime], StaffProof | Page]
    """(request, shop_ref, app, now): whom the platform vouches for. A page instead: answer that, and nothing else (it
    fetches a fresh token and comes back, or says that one is needed). Raises Refused for a token that is none."""
    shell: Callable[[str, AppCredentials], Shell]
    """(shop_ref, app): for any shop of the platform's, proven or not. Raises Refused("bad_request") for another ref."""
    parameters: frozenset[str]
    """What the platform adds to the addresses that it opens; it reaches no view."""
    secrets: frozenset[str]
    """Those of them that prove something: they do not stay in the address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopLinks:
    """Pages of the platform's own, for a merchant who is signed in there."""

    show: str  # switches on what shoppers see on the shop's pages, already chosen there
    grant: str  # allows what is optional


@dataclass(frozen=True, slots=True, kw_only=True)
class AutomatedGift:
    """Points that a merchant's own automation at the platform gives. `run_ref`: the platform's for this one run of it.

    `by` is who is written down beside them.
    """

    shop_ref: str
    run_ref: str
    customer_ref: str
    points: int
    reason: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerUse:
    """Whether a merchant's automations at the platform begin with one of our triggers now. `said_at`: its clock."""

    shop_ref: str
    trigger: Trigger
    in_use: bool
    said_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Extensions:
    """Pieces of ours that run inside the platform: in its pages and its till, from an origin that says nothing, and in
    its automations.

    Each request of the former brings a token of the platform's in `Authorization`, and by it alone names its shop. Both
    raise BadSignature, and Refused("token_expired") for a token that was good.
    """

    prove_shopper: Callable[[InstallRequest, AppCredentials, datetime], ShopperProof]
    """In a customer's account and in the checkout."""
    prove_staff: Callable[[InstallRequest, AppCredentials, datetime], StaffProof]
    """At the till."""
    read_gift: Callable[[WebhookRequest, AppCredentials], AutomatedGift]
    """In an automation, which signs the body. Raises BadSignature, Refused("not_understood")."""
    read_trigger_use: Callable[[WebhookRequest, AppCredentials], TriggerUse]
    """When automations are switched on and off; signed and refused likewise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connector:
    """A platform's table of contents. `name` is the word in our URLs and tables."""

    name: str
    title: str  # as the platform writes itself
    topics: tuple[str, ...]  # every topic that we subscribe to or may receive
    shop_secret: str | None
    """The credential that signs a shop's own webhooks (`POST /webhooks/<name>/<shop_key>`)."""
    app_signed: bool
    """True: the installation's own app signs for all shops (`POST /webhooks/<name>`), shop named by a header."""
    compliance_topics: frozenset[str]
    """Kept and answered 200 even for a shop that we do not know."""
    verify: Callable[[WebhookRequest, tuple[str, ...]], Delivery]
    """Raises: BadSignature, NotADelivery."""
    normalise: Callable[[Delivery], Change]
    """Raises: Refused, with the field's path, for what cannot be understood (then it is kept and shown)."""
    open_client: Callable[["ShopAccess", HttpSeam], ShopClient]
    why_not: Callable[[CodeSpec], str | None]
    """Why the platform cannot make this code exactly, in a sentence for the merchant; None: it can. Asks nobody:
    customer, dates and the code's text do not matter."""
    balances: frozenset[CodeKind]
    """Kinds of money that the platform has no account for: a code instead, of which we keep what is left and bring the
    shop to it (`set_balance`). What an order takes of it is told by the order's snapshot (`code_uses`)."""
    profiles: frozenset[ProfilePart]
    """What can stand of a member at the platform's own customers; empty: nothing, and nothing is ever asked for it."""
    refresh: Callable[["ShopAccess", AppCredentials, HttpSeam, datetime], Mapping[str, str] | None]
    """Credentials that must be stored before the next call (a rotated token), or None while the present ones hold.

    The caller holds the shop's lease, calls outside any transaction, and stores all of them in one.
    """
    begin_install: Callable[[InstallRequest, str, str, AppCredentials, HttpSeam, datetime], InstallStep]
    """(request, state, public_url, app, http, now): the first page of an installation."""
    finish_install: Callable[[InstallRequest, AppCredentials, HttpSeam, datetime], InstallStep]
    """(request, app, http, now): the platform's call back, by browser or server."""
    prove_shopper: Callable[[InstallRequest, AppCredentials, datetime], ShopperProof] | None
    """The platform's own signature on a shopper's request (an app proxy); None where it has none. Raises BadSignature."""
    triggers: frozenset[Trigger] = frozenset()
    """What a merchant's automations at the platform can begin with; empty: it has none of ours."""
    links: Callable[[str, AppCredentials], ShopLinks] | None = None
    """(shop_ref, the installation's app): where a merchant goes on at the platform; None where it has no such pages."""
    frame: Frame | None = None
    """Our pages inside the platform's own admin; None where a platform frames nobody."""
    extensions: Extensions | None = None
    """Our pieces inside its other pages; None where a platform takes none in."""

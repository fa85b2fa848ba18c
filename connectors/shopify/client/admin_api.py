"""Asking one Shopify shop's Admin API: GraphQL over the house's HTTP seam. Its ids go in and out here as bare numbers."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

import httpx
import msgspec
from msgspec import Struct

from app.domain.errors import AccessLost, PutOff, Refused, Retryable
from app.domain.pacing import Urgency
from app.domain.redacting import cleared
from connectors.base import Absent, HttpSeam, ShopAccess
from connectors.decoding import decode
from connectors.http import send
from connectors.shopify import codes, payloads, webhooks

API_VERSION = "2026-10"

# Fields that Shopify answers with null and an error: those of people, unless the app is approved for protected
# customer data, level 2; and what a line is of, unless the merchant granted `read_products`.
# Everything else that comes with an error is not believed: an order whose `customer` failed is no guest's order.
_MAY_BE_WITHHELD = frozenset(
    {"email", "firstName", "lastName", "defaultEmailAddress", "emailAddress", "product", "variant"}
)
_SHOP_STATES = {
    "http_402": "the shop is frozen until its owner pays Shopify",
    "http_423": "Shopify has locked the shop",
}

_Shape = TypeVar("_Shape")


class ErrorExtensions(Struct, frozen=True):
    code: str = ""


class ApiError(Struct, frozen=True, kw_only=True):
    message: str = ""
    path: tuple[str | int, ...] = ()
    extensions: ErrorExtensions = ErrorExtensions()


class ThrottleStatus(Struct, frozen=True, rename="camel"):
    maximum_available: float
    currently_available: float
    restore_rate: float


class Cost(Struct, frozen=True, kw_only=True, rename="camel"):
    requested_query_cost: float | None = None
    throttle_status: ThrottleStatus | None = None


class Extensions(Struct, frozen=True):
    cost: Cost = Cost()


class Answer(Struct, frozen=True, kw_only=True):
    data: Any = None
    errors: tuple[ApiError, ...] | str = ()
    extensions: Extensions = Extensions()


class Denied(AccessLost):
    """A scope or an approval is missing for what was asked."""


class TooCostly(Exception):
    """The query may never cost more than one bucket: ask for less at once."""


class Told(Struct, frozen=True):
    data: Any
    errors: tuple[ApiError, ...]


class AdminApi:
    """One shop, and what a piece of work spends there."""

    def __init__(self, access: ShopAccess, http: HttpSeam) -> None:
        if not webhooks.SHOP.fullmatch(
            access.shop_ref
        ):  # it takes the token: nothing but a shop's name may stand there
            raise Refused("address_refused", "a shop of Shopify's is called something.myshopify.com")
        self._url = f"https://{access.shop_ref}/admin/api/{API_VERSION}/graphql.json"
        self.access = access
        self.http = http.client(allow_private=access.allow_private)
        self._spent: int | None = None  # points of the piece of work that is being done; None: none is

    @contextmanager
    def paced(self, work: str) -> Iterator[None]:
        """One piece of work, put off before it begins or not at all: begun again and again, it would never end.

        Raises: PutOff.
        """
        pace = self.access.pace
        if pace is None or self._spent is not None:  # part of a piece that was begun
            yield
            return
        pace.require(work, self.access.urgency)
        self._spent = 0
        try:
            yield
        finally:
            pace.learn(work, self._spent)
            self._spent = None

    def data(self, operation: str, variables: Mapping[str, Any], *, granted_apart: bool = False) -> Any:
        """The answer's data, where nothing but withheld personal fields may be missing.

        `granted_apart`: its scopes are not needed for anything else, so without them the shop is not lost.
        """
        answer = self.ask_apart(operation, variables) if granted_apart else self.ask(operation, variables)
        for error in answer.errors:
            if not _is_withheld(error):
                raise failure_of(error, changes=_changes(operation))
        return answer.data

    def made(self, mutation: str, variables: Mapping[str, Any], *, granted_apart: bool = False) -> codes.Made:
        made = as_shape(self.data(mutation, variables, granted_apart=granted_apart), codes.MadeAnswer).made
        if made is None:
            raise Retryable("the shop did not say what became of it")
        return made

    def nodes(
        self,
        operation: str,
        kind: str,
        refs: Sequence[str],
        at_once: int,
        more: Mapping[str, Any] | None = None,
    ) -> Iterator[tuple[str, "Any | Absent"]]:
        """Each ref with its node as told; in smaller batches where Shopify finds them too costly."""
        for start in range(0, len(refs), at_once):
            batch = refs[start : start + at_once]
            try:
                ids = [gid(kind, one) for one in batch]
                answer = self.ask(operation, {"ids": ids, **(more or {})})
            except TooCostly:
                if len(batch) == 1:
                    raise Refused(
                        "too_costly", f"{kind} {batch[0]} costs more than Shopify answers at once"
                    ) from None
                yield from self.nodes(operation, kind, batch, math.ceil(len(batch) / 2), more)
                continue
            spoiled = spoiled_places(answer, depth=("nodes",))
            for index, (each, node) in enumerate(
                zip(batch, as_shape(answer.data, _Nodes).nodes, strict=True)
            ):
                if index in spoiled:
                    yield each, Absent.UNREADABLE
                else:
                    yield each, node or Absent.GONE

    def ask_apart(self, operation: str, variables: Mapping[str, Any]) -> "Told":
        """As `ask`. Raises: Refused("not_granted") where the merchant did not grant what this needs."""
        try:
            answer = self.ask(operation, variables)
        except AccessLost as lost:
            if "ACCESS_DENIED" in lost.detail:
                raise Refused("not_granted", lost.detail) from lost
            raise
        for error in answer.errors:
            if error.extensions.code == "ACCESS_DENIED":
                raise Refused("not_granted", cleared(error.message))
        return answer

    def ask(self, operation: str, variables: Mapping[str, Any]) -> "Told":
        """The answer as told, with the errors of single fields. An answer without data raises.

        Shopify answers 200 to a throttled query, and to a failed one.
        """
        token = self.access.credentials.get("access_token", "")
        if not token:
            raise AccessLost("there is no access token for this shop: connect it again")
        request = self.http.build_request(
            "POST",
            self._url,
            json={"query": operation, "variables": dict(variables)},
            headers={"x-shopify-access-token": token},
        )
        with self.paced(_name(operation)):
            return self._told(self._sent(request, changes=_changes(operation)), changes=_changes(operation))

    def _sent(self, request: httpx.Request, *, changes: bool) -> httpx.Response:
        try:
            return send(self.http, request, error_code=lambda _: None)
        except Retryable as error:
            maybe_applied = changes and error.maybe_applied
            raise Retryable(
                error.detail, retry_after_s=error.retry_after_s, maybe_applied=maybe_applied
            ) from error
        except AccessLost:
            raise
        except Refused as error:
            raise _shop_state(error) from error

    def _told(self, response: httpx.Response, *, changes: bool) -> "Told":
        host = response.request.url.host
        try:
            answer = decode(response.content, Answer)
        except Refused as error:
            # A maintenance page, a cut answer: nobody knows what happened at the shop.
            raise Retryable(
                f"{host}: the answer is no GraphQL ({error.code})", maybe_applied=changes
            ) from error
        self._hear(answer.extensions.cost)
        if isinstance(answer.errors, str):
            raise Retryable(f"{host}: an answer without data", maybe_applied=changes)
        by_code = {error.extensions.code: error for error in answer.errors}
        if "THROTTLED" in by_code:
            raise self._throttled(f"{host}: throttled", answer.extensions.cost)
        if "MAX_COST_EXCEEDED" in by_code:
            raise TooCostly
        if answer.data is None:
            if answer.errors:
                raise failure_of(answer.errors[0], changes=changes)
            raise Retryable(f"{host}: an answer without data", maybe_applied=changes)
        return Told(answer.data, answer.errors)

    def _hear(self, cost: Cost) -> None:
        status = cost.throttle_status
        if self.access.pace is None or status is None:
            return
        self._spent = (self._spent or 0) + math.ceil(cost.requested_query_cost or 0)
        self.access.pace.hear(
            available=math.floor(status.currently_available),
            maximum=math.floor(status.maximum_available),
            restored_per_s=math.floor(status.restore_rate),
        )

    def _throttled(self, shown: str, cost: Cost) -> Retryable:
        """Others were faster. Work that nobody waits for is put off until there is room beside what is kept."""
        wait, access = _wait_s(cost), self.access
        if access.pace is None or access.urgency is Urgency.SHOPPER:
            return Retryable(shown, retry_after_s=wait, maybe_applied=False)
        wanted = math.ceil(cost.requested_query_cost or 0)
        wait = max(wait, access.pace.wait_s(wanted, access.urgency))
        return PutOff(shown, retry_after_s=wait, begun=True)


def _wait_s(cost: Cost) -> int:
    """Until the bucket holds what the query costs. Source: shopify.dev, API rate limits, "throttleStatus"."""
    status, wanted = cost.throttle_status, cost.requested_query_cost
    if status is None or wanted is None or status.restore_rate <= 0:
        return 1
    missing = wanted - status.currently_available
    return max(1, min(math.ceil(missing / status.restore_rate), 60))


def failure_of(error: ApiError, *, changes: bool) -> Exception:
    code = error.extensions.code
    where = ".".join(map(str, error.path)) or "the query"
    shown = f"{cleared(code or 'error', 60)} at {cleared(where)}: {cleared(error.message)}"
    if code == "ACCESS_DENIED":
        return Denied(shown)
    if code in ("SHOP_INACTIVE", "INVALID_ACCESS_TOKEN"):
        return AccessLost(shown)
    if code in ("INTERNAL_SERVER_ERROR", "TIMEOUT", "SERVICE_UNAVAILABLE") or not code:
        return Retryable(shown, maybe_applied=changes)
    return Refused("query_refused", shown)


def _shop_state(error: Refused) -> Exception:
    if why := _SHOP_STATES.get(error.code):
        return Retryable(f"{error.detail}: {why}", retry_after_s=3600, maybe_applied=False)
    if error.code == "http_404":
        return Refused(
            "shop_gone", f"{error.detail}: no such shop, or closed for good; or the API version has ended"
        )
    return error


def spoiled_places(answer: Told, *, depth: tuple[str, ...]) -> Mapping[int, str]:
    """The places under `depth` at which something but a withheld field failed; an error elsewhere raises."""
    spoiled: dict[int, str] = {}
    for error in answer.errors:
        if _is_withheld(error):
            continue
        place = error.path[len(depth)] if len(error.path) > len(depth) else None
        if error.path[: len(depth)] != depth or not isinstance(place, int):
            raise failure_of(error, changes=False)
        if error.extensions.code == "ACCESS_DENIED":
            raise failure_of(
                error, changes=False
            )  # a scope or an approval is missing: it fails for each order alike
        spoiled[place] = f"{error.extensions.code or 'error'}: {'.'.join(map(str, error.path))}"
    return spoiled


def _is_withheld(error: ApiError) -> bool:
    return (
        error.extensions.code == "ACCESS_DENIED" and bool(error.path) and error.path[-1] in _MAY_BE_WITHHELD
    )


def refusal_of(errors: Iterable[codes.UserError]) -> Exception:
    errors = tuple(errors)
    if any(error.code == "INTERNAL_ERROR" for error in errors):
        return Retryable(errors_text(errors))
    if any(error.code == "OWNER_NOT_FOUND" or codes.unreachable_customer(error) for error in errors):
        return Refused("customer_unreachable", errors_text(errors))
    return Refused("rejected", errors_text(errors))


def errors_text(errors: Iterable[codes.UserError]) -> str:
    return "; ".join(
        f"{cleared('.'.join(error.field or ()))} {cleared(error.code or '', 60)} {cleared(error.message)}"
        for error in errors
    )


def _changes(operation: str) -> bool:
    return operation.lstrip().startswith("mutation")


def _name(operation: str) -> str:
    """As the operation calls itself: "ReadOrders"."""
    return operation.split("(", 1)[0].split("{", 1)[0].split()[-1]


def as_shape(value: Any, shape: type[_Shape]) -> _Shape:
    """Raises: Refused("not_understood"), naming the field."""
    try:
        return msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        raise Refused("not_understood", str(error)) from None


def sound(node: "Any | Absent") -> Any:
    """Raises: Retryable for a node that Shopify answers with an error instead."""
    if node is Absent.UNREADABLE:
        raise Retryable("Shopify answers for one of these with an error")
    return node


def gid(kind: str, bare: str) -> str:
    if not (bare.isascii() and bare.isdecimal()):
        raise Refused("not_understood", f"{bare[:32]!r} is no id of Shopify's")
    return f"gid://shopify/{kind}/{bare}"


def next_page(page: payloads.ApiPage) -> str | None:
    return page.end_cursor if page.has_next_page else None


def moment_text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class _Nodes(Struct, frozen=True):
    nodes: tuple[Any, ...]


class UserError(Struct, frozen=True, kw_only=True):
    message: str = ""
    code: str | None = None
    at: int | None = msgspec.field(default=None, name="elementIndex")


class Errors(Struct, frozen=True, rename="camel"):
    user_errors: tuple[UserError, ...]

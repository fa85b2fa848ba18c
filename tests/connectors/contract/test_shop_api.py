"""What every platform's client has in common."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import httpx
import pytest

from app.domain.errors import AccessLost, Refused, Retryable
from app.domain.money import Money
from connectors.base import Absent, CodeKind, CodeSpec, Connector, Introduction, ShopClient
from tests.connectors.platforms import Fault, Platform, client_of
from tests.connectors.stories import OUR_CODE

SPEC = CodeSpec(
    code=OUR_CODE,
    kind=CodeKind.AMOUNT,
    amount=Money(500, "USD"),
    percent=None,
    minimum_spend=Money(2000, "USD"),
    customer_ref="77",
    starts_at=datetime(2026, 11, 21, 18, 30, tzinfo=UTC),
    expires_at=datetime(2027, 2, 19, 18, 30, tzinfo=UTC),
    tag="laurel:5f1c",
    title="5.00 off",
)
KINDS = [
    SPEC,
    replace(SPEC, kind=CodeKind.PERCENT, amount=None, percent=10),
    replace(SPEC, kind=CodeKind.FREE_SHIPPING, amount=None, minimum_spend=None),
]
CALLS: dict[str, Callable[[ShopClient], object]] = {
    "shop_facts": lambda client: client.shop_facts(),
    "read_orders": lambda client: client.read_orders(["4501"]),
    "order_digests": lambda client: client.order_digests(["4501"]),
    "orders_changed": lambda client: client.orders_changed(SPEC.starts_at, SPEC.expires_at),
    "read_customer": lambda client: client.read_customer("77"),
    "issue_code": lambda client: client.issue_code(SPEC),
    "find_code": lambda client: client.find_code(SPEC.code),
    "withdraw_code": lambda client: client.withdraw_code(SPEC.code, SPEC.tag),
    "our_codes": lambda client: client.our_codes("laurel:"),
    "orders_with_code": lambda client: client.orders_with_code(SPEC.code),
    "ensure_webhooks": lambda client: client.ensure_webhooks("https://laurel.example/webhooks/x", "secret"),
    "remove_webhooks": lambda client: client.remove_webhooks("https://laurel.example/webhooks/x"),
}


@pytest.mark.parametrize("spec", KINDS, ids=lambda spec: spec.kind)
def test_asked_twice_there_is_one_code(connector: Connector, platform: Platform, spec: CodeSpec) -> None:
    shop = platform.shop()
    first = client_of(connector, shop).issue_code(spec)
    again = client_of(connector, shop).issue_code(spec)
    assert first == again
    assert shop.codes_named(spec.code) == 1


def test_a_shop_without_a_companion_has_nobody_to_tell(connector: Connector, platform: Platform) -> None:
    introduction = Introduction(
        server="https://laurel.example",
        shop_key="fern",
        webhook_address="https://laurel.example/webhooks/x/fern",
        webhook_secret="w",
        widget_secret="s",
    )
    assert client_of(connector, platform.shop()).introduce(introduction) is None


@pytest.mark.parametrize("spec", KINDS, ids=lambda spec: spec.kind)
def test_a_code_is_found_as_it_was_made(connector: Connector, platform: Platform, spec: CodeSpec) -> None:
    client = client_of(connector, platform.shop())
    issued = client.issue_code(spec)
    found = client.find_code(spec.code)
    assert found
    assert (found.code, found.code_ref, found.live, found.uses) == (issued.code, issued.code_ref, True, 0)
    assert (found.tag, found.kind, found.expires_at) == (spec.tag, spec.kind, spec.expires_at)
    assert found.value in ("5.00", "10", None)
    codes, _ = client.our_codes("laurel:")
    assert [code.code_ref for code in codes] == [issued.code_ref]
    assert client.our_codes("other:")[0] in ([], ())


def test_a_code_that_somebody_else_made_is_taken(connector: Connector, platform: Platform) -> None:
    shop = platform.shop()
    shop.add_foreign_code(SPEC.code)
    client = client_of(connector, shop)
    with pytest.raises(Refused, match=r"^code_taken"):
        client.issue_code(SPEC)
    with pytest.raises(Refused, match=r"^not_ours"):
        client.withdraw_code(SPEC.code, SPEC.tag)
    assert shop.codes_named(SPEC.code) == 1


def test_a_withdrawn_code_is_seen_dead(connector: Connector, platform: Platform) -> None:
    shop = platform.shop()
    client = client_of(connector, shop)
    client.issue_code(SPEC)
    dead = client.withdraw_code(SPEC.code, SPEC.tag)
    assert dead is None or not dead.live
    again = client.withdraw_code(SPEC.code, SPEC.tag)
    assert again is None or not again.live
    assert shop.codes_named(SPEC.code) == 0


def test_withdrawing_a_code_that_never_was_is_no_error(connector: Connector, platform: Platform) -> None:
    assert client_of(connector, platform.shop()).withdraw_code(SPEC.code, SPEC.tag) is None


def test_an_unknown_customer_gets_no_code(connector: Connector, platform: Platform) -> None:
    shop = platform.shop()
    with pytest.raises(Refused, match=r"^customer_unreachable"):
        client_of(connector, shop).issue_code(replace(SPEC, customer_ref="78"))
    assert shop.codes_named(SPEC.code) == 0


def test_an_order_that_the_shop_does_not_have_is_gone(connector: Connector, platform: Platform) -> None:
    client = client_of(connector, platform.shop())
    assert client.read_orders(["4599"]) == {"4599": Absent.GONE}
    assert client.order_digests(["4599"]) == {"4599": Absent.GONE}
    assert client.read_customer("78") is None
    assert client.find_code(SPEC.code) is None


@pytest.mark.parametrize("call", CALLS)
def test_no_answer_is_retryable(connector: Connector, platform: Platform, call: str) -> None:
    with pytest.raises(Retryable):
        CALLS[call](_client_with(connector, platform, _raises(httpx.ReadTimeout("slow"))))


@pytest.mark.parametrize("call", CALLS)
def test_no_connection_surely_did_nothing(connector: Connector, platform: Platform, call: str) -> None:
    with pytest.raises(Retryable) as caught:
        CALLS[call](_client_with(connector, platform, _raises(httpx.ConnectError("refused"))))
    assert not caught.value.maybe_applied


@pytest.mark.parametrize("call", CALLS)
def test_being_asked_to_wait_says_how_long(connector: Connector, platform: Platform, call: str) -> None:
    fault = _answers(429, {"retry-after": "17"})
    with pytest.raises(Retryable) as caught:
        CALLS[call](_client_with(connector, platform, fault))
    assert caught.value.retry_after_s == 17


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("status", [500, 502, 503, 520])
def test_a_shop_in_trouble_is_retryable(
    connector: Connector, platform: Platform, call: str, status: int
) -> None:
    with pytest.raises(Retryable):
        CALLS[call](_client_with(connector, platform, _answers(status)))


@pytest.mark.parametrize("call", CALLS)
def test_a_404_for_everything_is_refused_and_nobodys_order_is_gone(
    connector: Connector, platform: Platform, call: str
) -> None:
    """The platform's API is not there (switched off, moved): that says nothing of any order."""
    with pytest.raises(Refused):
        CALLS[call](_client_with(connector, platform, _answers(404)))


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("status", [401, 403])
def test_a_shop_that_lets_us_in_no_more_needs_a_person(
    connector: Connector, platform: Platform, call: str, status: int
) -> None:
    with pytest.raises(AccessLost) as caught:
        CALLS[call](_client_with(connector, platform, _answers(status)))
    assert not any(secret in str(caught.value) for secret in platform.secrets_of_access)


@pytest.mark.parametrize("call", CALLS)
def test_a_page_in_place_of_an_answer_is_retryable(
    connector: Connector, platform: Platform, call: str
) -> None:
    with pytest.raises(Retryable):
        CALLS[call](_client_with(connector, platform, _answers(200, body=b"<br />Notice: PHP")))


def test_a_lost_answer_to_a_new_code_may_have_made_it(connector: Connector, platform: Platform) -> None:
    """The code is made, the answer is lost, and the next try finds it."""
    shop = platform.shop()

    def lose(request: httpx.Request) -> httpx.Response | None:
        shop.handle(request)
        if shop.codes_named(SPEC.code):
            raise httpx.ReadTimeout("slow", request=request)
        return None

    shop.fault = lose
    with pytest.raises(Retryable) as caught:
        client_of(connector, shop).issue_code(SPEC)
    assert caught.value.maybe_applied
    shop.fault = None
    client_of(connector, shop).issue_code(SPEC)
    assert shop.codes_named(SPEC.code) == 1


def _client_with(connector: Connector, platform: Platform, fault: Fault) -> ShopClient:
    shop = platform.shop("paid")
    shop.fault = fault
    return client_of(connector, shop)


def _answers(status: int, headers: dict[str, str] | None = None, body: bytes = b"{}") -> Fault:
    return lambda request: httpx.Response(status, headers=headers, content=body)


def _raises(error: httpx.TransportError) -> Fault:
    def fault(request: httpx.Request) -> httpx.Response:
        raise error

    return fault

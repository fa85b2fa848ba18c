"""What every platform's webhooks have in common."""

import json
from dataclasses import replace

import pytest

from app.domain.changes import Ignored, OrderChanged, OrderToReread
from app.domain.errors import Refused
from app.domain.orders import OrderSnapshot
from connectors.base import BadSignature, Connector, Delivery, WebhookRequest
from tests.connectors.platforms import Platform, client_of
from tests.connectors.signing import SECRET, sign
from tests.connectors.stories import FINER, STORIES, finer, plain


def _told(connector: Connector, platform: Platform, story: str) -> OrderSnapshot:
    """The story's order: as its webhook tells it, or as the shop does where the webhook asks for that look."""
    topic, body = platform.tell(story)
    change = connector.normalise(connector.verify(sign(connector.name, topic, body), (SECRET,)))
    match change:
        case OrderChanged(order, reread=False):
            return order
        case OrderChanged(reread=True) | OrderToReread():
            ref = STORIES[story].order_ref
            read = client_of(connector, platform.shop(story)).read_orders([ref])[ref]
            assert isinstance(read, OrderSnapshot)
            return read
        case _:
            pytest.fail(f"{story} became {change}")


@pytest.mark.parametrize("story", STORIES)
def test_tells_the_story(connector: Connector, platform: Platform, story: str) -> None:
    order = _told(connector, platform, story)
    assert plain(order) == STORIES[story]
    assert sum(line.goods_minor for line in order.lines) == order.goods.minor
    assert len({line.line_ref for line in order.lines}) == len(order.lines)
    for refund in order.refunds:
        assert sum(line.goods_minor for line in refund.lines) <= refund.goods.minor


@pytest.mark.parametrize("story", FINER)
def test_tells_lines_and_shipping(connector: Connector, platform: Platform, story: str) -> None:
    assert finer(_told(connector, platform, story)) == FINER[story]


@pytest.mark.parametrize("story", STORIES)
def test_the_shop_and_the_webhook_tell_the_same_lines(
    connector: Connector, platform: Platform, story: str
) -> None:
    topic, body = platform.tell(story)
    change = connector.normalise(connector.verify(sign(connector.name, topic, body), (SECRET,)))
    assert isinstance(change, OrderChanged)
    (read,) = client_of(connector, platform.shop(story)).read_orders([change.order.order_ref]).values()
    assert isinstance(read, OrderSnapshot)
    assert replace(read, refunds=change.order.refunds) == change.order


@pytest.mark.parametrize("story", ["part_refunded", "all_refunded"])
def test_a_refund_counts_at_once_even_before_its_lines_are_read(
    connector: Connector, platform: Platform, story: str
) -> None:
    topic, body = platform.tell(story)
    change = connector.normalise(connector.verify(sign(connector.name, topic, body), (SECRET,)))
    if isinstance(change, OrderChanged):
        assert change.order.goods_refunded == STORIES[story].goods_refunded
        assert [refund.refund_ref for refund in change.order.refunds] == [
            refund.refund_ref for refund in STORIES[story].refunds
        ]


def test_a_changed_body_is_refused(connector: Connector, platform: Platform) -> None:
    topic, body = platform.tell("paid")
    request = sign(connector.name, topic, body)
    with pytest.raises(BadSignature):
        connector.verify(WebhookRequest(body + b" ", request.headers), (SECRET,))


def test_another_secret_is_refused(connector: Connector, platform: Platform) -> None:
    topic, body = platform.tell("paid")
    with pytest.raises(BadSignature):
        connector.verify(sign(connector.name, topic, body, "guessed"), (SECRET,))


def test_the_old_secret_holds_while_it_is_rotated(connector: Connector, platform: Platform) -> None:
    topic, body = platform.tell("paid")
    delivery = connector.verify(sign(connector.name, topic, body, "old"), ("new", "old"))
    assert (delivery.topic, delivery.body) == (topic, body)


@pytest.mark.parametrize("secrets", [(), ("",)])
def test_no_secret_refuses_everything(
    connector: Connector, platform: Platform, secrets: tuple[str, ...]
) -> None:
    topic, body = platform.tell("paid")
    with pytest.raises(BadSignature):
        connector.verify(sign(connector.name, topic, body, ""), secrets)


@pytest.mark.parametrize("signature", ["", "é", "\udce9", "=" * 44, "A" * 10_000])
def test_a_strange_signature_is_refused_like_any_other(
    connector: Connector, platform: Platform, signature: str
) -> None:
    topic, body = platform.tell("paid")
    signed = sign(connector.name, topic, body)
    headers = {name: signature if _is_signature(name) else value for name, value in signed.headers.items()}
    with pytest.raises(BadSignature):
        connector.verify(WebhookRequest(body, headers), (SECRET,))


def test_an_unknown_topic_gives_its_reason(connector: Connector) -> None:
    delivery = connector.verify(sign(connector.name, "moons.waxed", b"{}"), (SECRET,))
    change = connector.normalise(delivery)
    assert isinstance(change, Ignored)
    assert "moons.waxed" in change.reason


def test_every_topic_refuses_what_it_cannot_understand(connector: Connector) -> None:
    bodies = [
        *(
            b"",
            b"null",
            b"[]",
            b"{}",
            b'"text"',
            b"NaN",
            b'{"id":NaN}',
            b"{",
            b"\xff\xfe",
            b"\x00",
            b"<br />",
        ),
        *(b"[" * 100_000, b'{"id":' + b"9" * 5_000 + b"}", b'{"id":1e400}', b'{"id":true}', b'{"id":"x"}'),
        *(
            b'{"id":-1}',
            b'{"id":0}',
            b'{"id":1.5}',
            b'{"id":null}',
            b'{"id":{"id":1}}',
            b'\xef\xbb\xbf{"id":[]}',
        ),
    ]
    for topic in connector.topics:
        for body in bodies:
            delivery = connector.verify(sign(connector.name, topic, body), (SECRET,))
            assert _refused_or_ignored(connector, delivery), (topic, body[:40])


@pytest.mark.parametrize("junk", ["\\ud800", "\\u0000", "\\udfff\\u0000"])
def test_half_a_character_or_a_nul_spoils_no_order(
    connector: Connector, platform: Platform, junk: str
) -> None:
    topic, body = platform.tell("paid")
    body = body.replace(b"alice@example.test", f"alice{junk}@example.test".encode())
    json.loads(body)
    change = connector.normalise(connector.verify(sign(connector.name, topic, body), (SECRET,)))
    assert isinstance(change, OrderChanged)
    assert change.order.goods == STORIES["paid"].goods
    assert change.order.email
    change.order.email.encode()
    assert "\x00" not in change.order.email


def _refused_or_ignored(connector: Connector, delivery: Delivery) -> bool:
    try:
        return isinstance(connector.normalise(delivery), Ignored)
    except Refused:
        return True


def _is_signature(name: str) -> bool:
    return name.endswith(("-signature", "-hmac-sha256"))

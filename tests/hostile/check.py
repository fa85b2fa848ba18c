"""What must hold for any body: it is understood or refused, in words that a person may read; never anything else."""

from datetime import UTC, datetime

from app.domain.changes import Change, OrderChanged
from app.domain.earning import Terms, target_for_order
from app.domain.errors import Refused
from app.domain.program import Program, decode, default_document
from connectors.base import Delivery
from connectors.registry import CONNECTORS
from tests.hostile.bodies import Hostile

_MOST = 10**12  # points of one entry, as the table has it
_LONGEST = 500


class Broken(AssertionError):
    """What a body broke, with the body's name."""


def understand(one: Hostile) -> Change | Refused:
    """What it means. Raises: Broken for any answer but a change or a refusal that says why."""
    delivery = Delivery(topic=one.topic, delivery_ref="d", shop_ref=None, body=one.body)
    try:
        change = CONNECTORS[one.platform].normalise(delivery)
    except Refused as refused:
        detail = f"{refused.code}: {refused.detail}"
        if not refused.detail or len(detail) > _LONGEST or "Traceback" in detail or "\x00" in detail:
            raise Broken(f"{one.name}: no reason for people: {detail[:_LONGEST]!r}") from refused
        return refused
    except Exception as error:
        raise Broken(f"{one.name}: {type(error).__name__}: {error}") from error
    if isinstance(change, OrderChanged):
        _count(one, change)
    return change


def _count(one: Hostile, change: OrderChanged) -> None:
    """An order that was understood is worth something between nothing and what an entry can hold."""
    order = change.order
    program = _program(order.goods.currency)
    try:
        target = target_for_order(order, Terms(program=program, tier=program.tiers[-1]))
    except Exception as error:
        raise Broken(f"{one.name}: counting: {type(error).__name__}: {error}") from error
    if not 0 <= target.points <= _MOST:
        raise Broken(f"{one.name}: {target.points} points")
    early, late = datetime(1900, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
    for moment in (order.placed_at, order.paid_at, order.updated_at, order.fulfilled_at, order.cancelled_at):
        if moment is not None and not early < moment < late:
            raise Broken(f"{one.name}: a moment that no calendar arithmetic survives: {moment}")


def _program(currency: str) -> Program:
    return decode(default_document("Hostile", currency, "Europe/Berlin"), 1)

"""Every story of activities.toml, which a merchant can read, told to the program as it runs."""

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.domain.money import Money
from app.domain.orders import OrderSnapshot, OrderState, Refund
from app.services.block_member import block_member, unblock_member
from app.services.erase_member import erase_member
from app.services.find_merges import find_merges, join_members, part_members
from app.services.pay_birthdays import pay_birthdays
from app.services.runtime import Runtime
from app.services.set_birthday import set_birthday
from app.services.undo_activity import undo_activity
from tests.conftest import Clock
from tests.services.books import meet
from tests.services.crowd import Crowd, bought, make_crowd

EXAMPLES = tomllib.loads(Path(__file__).with_name("activities.toml").read_text())["example"]
ZONE = ZoneInfo("Europe/Berlin")
_NOT_PEOPLE = {"on", "has", "why", "what", "key", "goods", "order", "other", "day", "address"}


class Story:
    def __init__(self, crowd: Crowd, clock: Clock) -> None:
        self.crowd, self.clock = crowd, clock
        self.orders: dict[str, OrderSnapshot] = {}
        self.done: dict[str, int] = {}
        self.parted: dict[str, int] = {}

    def member(self, name: str) -> int:
        return self.crowd.member(name, asked=True)

    def tell(self, step: Mapping[str, Any]) -> None:
        moment = step["on"]
        at = datetime.combine(moment, time(15)) if type(moment) is date else moment
        at = at.replace(tzinfo=ZONE).astimezone(UTC)
        # Nothing happens before the program is there: what is older is told of it late.
        self.clock.at = max(self.clock.at + timedelta(seconds=1), at)
        pay_birthdays(self.crowd.rt, self.crowd.program_id)
        ((name, act),) = ((one, said) for one, said in step.items() if one not in _NOT_PEOPLE)
        self.act(name, act, step, at)
        pay_birthdays(self.crowd.rt, self.crowd.program_id)
        if "has" in step:
            assert self.crowd.has(self.member(name)) == step["has"], step
        if "why" in step:
            assert self.why(name) == step["why"], step

    def act(self, name: str, act: str, step: Mapping[str, Any], at: datetime) -> None:
        crowd = self.crowd
        rt, program_id = crowd.rt, crowd.program_id
        match act:
            case "waits":
                pass
            case "joins":
                if "address" in step:
                    meet(rt, program_id, crowd.shop.shop_id, name, step["address"], verified=False)
                self.member(name)
            case "does":
                key = step.get("key") or f"{name} {len(self.done)}"
                self.done[key] = crowd.did(self.member(name), step["what"], key).activity_id
            case "takes back":
                undo_activity(rt, program_id, self.done[step["key"]], reason="It is gone", actor="Ada")
            case "buys":
                self.see(bought(name, step["goods"], ref=step["order"], at=at))
            case "refunds":
                before = self.orders[step["order"]]
                back = Money.parse(step["goods"], "EUR")
                refund = Refund(refund_ref=str(at), goods=back, exact=True, refunded_at=at)
                # Each step says what went back in all.
                self.see(replace(before, refunds=(refund,), updated_at=at))
            case "cancels":
                before = self.orders[step["order"]]
                self.see(replace(before, state=OrderState.CANCELLED, cancelled_at=at, updated_at=at))
            case "is born":
                set_birthday(rt, program_id, self.member(name), step["day"], consent=True, actor="Ada")
            case "brings":
                crowd.bring(self.member(name), self.member(step["other"]))
            case "is":
                join_members(rt, program_id, self.member(name), self.member(step["other"]), actor="Ada")
            case "is not":
                (merge,) = find_merges(rt, program_id, self.member(name))
                part_members(rt, program_id, merge.merge_id)
            case "is erased":
                erase_member(rt, program_id, self.member(name))
            case "is blocked":
                block_member(rt, program_id, self.member(name), reason="Fraud", actor="Ada")
            case "is unblocked":
                unblock_member(rt, program_id, self.member(name), reason="None", actor="Ada")
            case _:
                raise AssertionError(f"nobody knows what it means that somebody “{act}”")

    def see(self, order: OrderSnapshot) -> None:
        self.orders[order.order_ref] = order
        self.crowd.see(order)

    def why(self, name: str) -> str | None:
        """Of the last that is theirs, of a merged account too."""
        found = self.crowd.scalar(
            "SELECT a.facts->>'zero' FROM activities a JOIN accounts c ON {fence:c} AND c.program_id = a.program_id "
            "AND c.id = a.member_id WHERE {fence:a} AND (c.id = :id OR c.merged_into = :id) ORDER BY a.id DESC LIMIT 1",
            id=self.member(name),
        )
        return None if found is None else str(found)


@pytest.mark.parametrize("example", EXAMPLES, ids=[f"{one['group']}: {one['says']}" for one in EXAMPLES])
def test_the_story_holds(rt: Runtime, clock: Clock, example: Mapping[str, Any]) -> None:
    rules = {"activities": [], **example["program"]}
    story = Story(make_crowd(rt, timezone="Europe/Berlin", **rules), clock)
    for step in example["story"]:
        story.tell(step)
    story.crowd.require_proof()


def test_every_story_is_told_apart() -> None:
    assert len({one["says"] for one in EXAMPLES}) == len(EXAMPLES) >= 20

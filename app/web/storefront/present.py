"""The shapes of docs/storefront-api.md. Text goes out as text: whoever shows it must not read it as markup."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from app.domain.look import Look, Pair
from app.domain.money import Money
from app.domain.program import Program
from app.domain.tier_rules import Measure, Tier, Window
from app.domain.words import Words
from app.services.describe_member import Due, MemberView, NextTier
from app.services.estimate_order import Estimate
from app.services.find_redemptions import RedemptionView, became_words
from app.services.list_rewards import RewardView, StepsView
from app.services.member_card import Card
from app.services.open_panel import Panel
from app.services.prove_shopper import Shopper
from app.services.shopfront import Shopfront
from app.services.shopper_history import HistoryItem
from app.services.wording import bought_title

Json = dict[str, Any]


def me(who: Shopper | None, panel: Panel, now: datetime) -> Json:
    """`who`: None of somebody made up, who is signed in and has no name."""
    return {
        "signed_in": who is None or who.customer_ref is not None,
        "server_time": instant(now),
        "member": None if panel.member is None else member(who, panel, panel.member),
        **_front(panel.front),
    }


@lru_cache(maxsize=256)
def _front(front: Shopfront) -> Json:
    """What is the same for everybody. By the object: a front that changed is another one."""
    return {"program": _program(front), "look": look(front.program.look)}


def look(shown: Look) -> Json:
    accents = shown.accents
    return {
        "accent": _both(accents.fill),
        "on_accent": _both(accents.on_fill),
        "accent_text": _both(accents.text),
        "radius": shown.radius,
        "position": shown.position.value,
        "font": shown.font.value,
    }


def _both(pair: Pair) -> Json:
    return {"light": pair.light, "dark": pair.dark}


def member(who: Shopper | None, panel: Panel, member: MemberView) -> Json:
    front, balance = panel.front, member.balance
    available = max(balance.available, 0)
    zone = front.program.zone
    return {
        "id": f"m_{member.member_id}",
        "joined_on": member.joined_at.astimezone(zone).date().isoformat(),
        "name": who and _name_of(who, member),
        "balance": {
            "available": available,
            "available_text": front.words.points(available),
            "pending": balance.pending,
            "pending_text": front.words.points(balance.pending),
            "pending_next": due(balance.pending_next, front.words),
            "deficit": balance.deficit,
            "deficit_text": front.words.points(balance.deficit),
            "worth": money(front.worth(available, member.tier.key)),
            "expiring": due(balance.expiring, front.words, last_moment=True),
        },
        "tier": {
            "key": member.tier.key,
            "name": member.tier.name,
            "earn_percent": member.tier.earn_percent,
            "since": instant(member.tier_since),
        },
        "next_tier": _next_tier(member.next_tier, front.words),
        "email_proof": panel.email_proof,
        "stopped": _stopped(panel.stopped, front.words),
    }


def _name_of(who: Shopper, member: MemberView) -> str | None:
    mine = (one for one in member.identities if one.customer_ref == who.customer_ref and one.name)
    return next((one.name for one in mine if one.shop_key == who.shop.key), None)


def _stopped(code: str | None, words: Words) -> Json | None:
    """Why nothing can be spent now, told before anybody tries."""
    if code is None:
        return None
    return {
        "reason": code,
        "title": words.say(f"refused.{code}.title"),
        "sentence": words.say(f"refused.{code}"),
    }


def estimate(found: Estimate, words: Words) -> Json:
    known = found.points is not None
    text = words.points(found.points) if found.points is not None else None
    return {"points": found.points, "text": text, "about": known and not found.exact}


def _next_tier(above: NextTier | None, words: Words) -> Json | None:
    if above is None:
        return None
    sentence = above.sentence_in(words)
    return {
        "key": above.tier.key,
        "name": above.tier.name,
        "threshold": money(above.threshold),
        "spent": money(above.spent),
        "missing": money(above.missing),
        "sentence": sentence,
        "progress_percent": None if sentence is None else above.progress_percent,
    }


def _program(front: Shopfront) -> Json:
    program = front.program
    return {
        "name": program.name,
        "currency": program.currency,
        "unit": program.unit,
        "timezone": program.timezone,
        "points_name": None,
        "earn_sentence": front.earn_sentence,
        "tier_period": _period(program),
        "tiers": [
            {
                "key": tier.key,
                "name": tier.name,
                "from": money(_from(tier, program)),
                "earn_percent": tier.earn_percent,
            }
            for tier in program.tiers
        ],
        "ways": None,
        "referral": program.referral is not None,
    }


def _from(tier: Tier, program: Program) -> Money | None:
    minor = tier.thresholds.get(Measure.SPEND)
    return None if minor is None else Money(minor, program.currency)


def _period(program: Program) -> str | None:
    if program.window is Window.ROLLING:
        return "rolling_12_months" if program.tier_months == 12 else None
    return program.window.value


def reward(view: RewardView) -> Json:
    return {
        "key": view.key,
        "title": view.title,
        "cost": view.cost,
        "cost_text": view.cost_text,
        "state": view.state.value,
        "missing": view.missing,
        "reason": view.reason,
        "barrier": view.barrier,
        "kind": view.kind.value,
        "has_code": view.has_code,
        "minimum_spend": money(view.minimum_spend),
        "left": view.left,
        "steps": _steps(view.steps),
        "valid_days": view.valid_days,
        "returns_unused": view.returns_unused,
    }


def _steps(steps: StepsView | None) -> Json | None:
    if steps is None:
        return None
    return {
        "points": steps.points,
        "amount": money(steps.amount),
        "minimum": steps.minimum,
        "maximum": steps.maximum,
    }


def redemption(view: RedemptionView, words: Words) -> Json:
    bought = view.bought
    return {
        "id": f"r_{view.redemption_id}",
        "state": view.state.value,
        "code": view.code,
        "cost": bought.cost,
        "cost_text": words.points(bought.cost),
        "expires_at": instant(view.expires_at - timedelta(seconds=1)),
        "reward": {
            "key": bought.key,
            "title": bought_title(bought, words),
            "kind": bought.kind.value,
            "minimum_spend": money(bought.minimum_spend),
            "returns_unused": view.returns_unused,
        },
        "left": money(view.left),
        "left_text": left_text(view, words),
        "back": view.points_back,
        "detail": became_words(view, words),
    }


def left_text(view: RedemptionView, words: Words) -> str | None:
    """ "€3.50 of €5.00 left", of money that was used in part."""
    if not view.is_partly_used or view.left is None or view.bought.amount is None:
        return None
    return words.say("balance.left", left=words.money(view.left), amount=words.money(view.bought.amount))


def card(shown: Card) -> Json:
    return {"code": shown.code, "qr": {"size": shown.size, "path": shown.path}}


def history(items: Iterable[HistoryItem], next_cursor: str | None) -> Json:
    return {"items": [_item(one) for one in items], "next": next_cursor}


def _item(one: HistoryItem) -> Json:
    return {
        "id": one.item_id,
        "kind": one.kind,
        "points": one.points,
        "points_text": one.points_text,
        "title": one.title,
        "at": instant(one.at),
        "available_at": instant(one.pending_until),
        "state": "done" if one.pending_until is None else "pending",
        "sentence": one.sentence,
        "facts": [{"label": fact.label, "value": fact.value} for fact in one.counted],
    }


def money(amount: Money | None) -> Mapping[str, Any] | None:
    return None if amount is None else {"minor": amount.minor, "currency": amount.currency}


def due(one: Due | None, words: Words, *, last_moment: bool = False) -> Json | None:
    """`last_moment`: what ends with a day is shown by its last second, which still lies on that day."""
    if one is None:
        return None
    return {
        "points": one.points,
        "text": words.points(one.points),
        "at": instant(one.at - timedelta(seconds=1) if last_moment else one.at),
    }


def instant(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")

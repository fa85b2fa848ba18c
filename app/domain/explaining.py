"""Every number of points explained, from the facts stored with it and nothing else, in the reader's language. Pure.

`sentence` is for entries, `order_sentence` for what an order is worth, zero included; `counted` lists the same facts
one by one, for "How it was counted". Figures are bare, in the currency of the order.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from app.domain.awarding import Withheld, is_activity
from app.domain.awarding import activity_words as activity_words
from app.domain.counting import Facts
from app.domain.earning import Zero
from app.domain.ledger import EntryKind
from app.domain.money import Money
from app.domain.offering import title_of
from app.domain.words import Words

TIMES = "\u00d7"
_WHY_BACK = frozenset({"cancelled", "expired", "failed", "refund", "order_void", "balance_changed"})


class Waits(StrEnum):
    """Why nobody has an order's points yet."""

    GUEST = "guest"
    NOT_JOINED = "not_joined"


@dataclass(frozen=True, slots=True)
class Counted:
    """One line of "How it was counted"."""

    label: str
    value: str


def sentence(kind: EntryKind, points: int, facts: Facts, *, reason: str | None = None, words: Words) -> str:
    """Why this entry is what it is. `reason`: what the staff wrote, for those who may read it."""
    say = words.say
    match kind:
        case EntryKind.EARN | EntryKind.EARN_REVERSAL:
            if is_activity(facts):
                return activity_sentence(facts, words=words)
            if is_of_level(facts):
                how = "level.reached" if points > 0 else "level.back"
                return say(how, points=words.points(abs(points)), tier=str(facts["tier_name"]))
            return order_sentence(facts, words=words)
        case EntryKind.REDEEM:
            return say("redeem", points=words.points(-points), title=title_of(facts, words))
        case EntryKind.REDEEM_REVERSAL if points < 0:
            how = "redeem.late" if facts.get("why") == "balance_changed" else "redeem.again"
            return say(how, title=title_of(facts, words))
        case EntryKind.REDEEM_REVERSAL:
            return say("redeem.back", title=title_of(facts, words), why=_why_back(facts, words))
        case EntryKind.EXPIRY:
            return say("expiry", units=points, points=words.points(-points))
        case EntryKind.EXPIRY_REVERSAL:
            return say("expiry.back")
        case EntryKind.ADJUSTMENT:
            done = "adjust.given" if points > 0 else "adjust.taken"
            return say(f"{done}.because", reason=_closed(reason)) if reason else say(done)
        case EntryKind.TRANSFER_IN:
            return say("transfer.in")
        case EntryKind.TRANSFER_OUT:
            return say("transfer.out")
        case EntryKind.WRITE_OFF:
            return _of_what("write_off", facts, words)
        case EntryKind.WRITE_OFF_REVERSAL:
            return _of_what("write_off.over", facts, words)


def is_of_level(facts: Facts) -> bool:
    """Whether it is what reaching a level brought, not an order."""
    return facts.get("rule") == "tier"


def _of_what(key: str, facts: Facts, words: Words) -> str:
    if "tier_name" in facts:
        return words.say(f"{key}.tier", tier=str(facts["tier_name"]))
    if "activity" in facts:
        return words.say(f"{key}.activity", what=activity_words(facts, words))
    return words.say(f"{key}.order", order=_order(facts))


def order_sentence(facts: Facts, *, waits: Waits | None = None, words: Words) -> str:
    """What an order is worth, as a sum; where nothing, why. `waits`: nobody owns it yet.

    A sum that replaces another names both sides: “= 148, and 173 were given”.
    """
    say = words.say
    if facts.get("rule") == "held" and facts.get("why") == "shop_facts":
        return say("held.shop_facts")
    if facts.get("rule") == "held":
        return say("held.no_rate", currency=str(facts.get("currency", "?")))
    if "points_per" not in facts:
        return say("order.uncounted")
    target, given = _number(facts, "target"), _number(facts, "given")
    if (zero := _zero(facts)) is not None:
        return _zero_sentence(say(f"zero.{zero.value}"), given, words)
    total, worth = _capital(_sum(facts, words)), words.amount(target)
    if given:
        text = say("order.changed", units=given, sum=total, target=worth)
    elif target == 0:
        text = say("order.total", sum=total, target=worth)
    else:
        text = say("order.sum", sum=total)
    if _is_more_than_nothing(facts, "refunded"):
        text = say("order.went_back", amount=_figure(facts, "refunded", words), sentence=text)
    return say("order.waits", sentence=text, waits=say(f"waits.{waits.value}")) if waits and target else text


def _zero_sentence(why: str, given: int, words: Words) -> str:
    return words.say("zero.changed", units=given, why=why) if given else words.say("zero.only", why=why)


def activity_sentence(facts: Facts, *, words: Words) -> str:
    """What an activity is worth; where nothing, why."""
    say, what, given = words.say, activity_words(facts, words), _number(facts, "given")
    if (why := _withheld(facts, words)) is not None:
        if given:
            return say("activity.nothing.changed", units=given, what=what, why=why)
        return say("activity.nothing", what=what, why=why)
    points = words.points(_number(facts, "target"))
    if given:
        return say("activity.changed", units=given, what=what, points=points)
    return say("activity.earned", what=what, points=points)


def counted(facts: Facts, *, words: Words) -> tuple[Counted, ...]:
    """The facts one by one: rule, program version, inputs, rounding, and what came of it."""
    return tuple(Counted(_label(label, words), value) for label, value in _lines(facts, words))


def _label(label: str, words: Words) -> str:
    key, _, place = label.partition(" ")
    return words.say(f"label.{key}", place=place) if place else words.say(f"label.{key}")


def _sum(facts: Facts, words: Words) -> str:
    total = " + ".join(_part_words(facts, place, words) for place in _places(facts, "part.{}.counts") or [1])
    for place in _places(facts, "bonus.{}"):
        points = words.amount(_number(facts, f"bonus.{place}.points"))
        total += f" + {words.say('sum.bonus', points=points, name=str(facts[f'bonus.{place}']))}"
    if "cap" not in facts:
        return total
    room = words.amount(_number(facts, "cap.room"))
    return words.say("sum.limit", sum=total, room=room, name=str(facts["cap"]))


def _part_words(facts: Facts, place: int, words: Words) -> str:
    """One part of an order, whose lines earn alike: what counts, its rate, the percents on it."""
    name = f"part.{place}"
    counts = words.figure(facts.get(f"{name}.counts", facts.get("counts", facts["net"])))
    rate = facts.get(f"{name}.rate")
    if rate is None:
        own = _rate_words(facts, "points_per", "spend", words)
        text = words.say("sum.part", counts=counts, rate=own)
    elif f"{name}.pieces" in facts:
        pieces, each = str(facts[f"{name}.pieces"]), words.points(_number(facts, f"{name}.points"))
        text = words.say_figure("sum.pieces", pieces, name=str(rate), rate=each)
    else:
        own = _rate_words(facts, f"{name}.points", f"{name}.spend", words)
        text = words.say("sum.part.named", counts=counts, name=str(rate), rate=own)
    percents = list(_percents(facts, name, words))
    match facts.get("stacking"):
        case "highest" if len(percents) > 1:
            percents = [words.say("sum.highest", percents=", ".join(percents))]
        case "add" if len(percents) > 1:
            percents = [words.say("sum.added", percents=" + ".join(percents), whole=words.percent(100))]
        case _:
            pass
    return f" {TIMES} ".join([text, *percents])


def _rate_words(facts: Facts, points: str, spend: str, words: Words) -> str:
    """ "1 point per 1.00"; "5 %" where it counts in the order's own money."""
    each, of = _number(facts, points), str(facts[spend])
    share = words.share(each, Money.parse(of, str(facts["currency"]))) if words.counts_money else None
    return share or words.say("sum.per", points=words.points(each), spend=words.figure(of))


def _percents(facts: Facts, part: str, words: Words) -> Iterator[str]:
    if _number(facts, "earn_percent") != 100:
        percent = words.percent(facts["earn_percent"])
        yield words.say("sum.percent", percent=percent, name=str(facts["tier_name"]))
    for number in _places(facts, f"{part}.campaign.{{}}"):
        name = f"{part}.campaign.{number}"
        percent = words.percent(facts[f"{name}.percent"])
        yield words.say("sum.percent", percent=percent, name=str(facts[name]))


def _places(facts: Facts, pattern: str) -> list[int]:
    """1, 2, … as far as the facts go."""
    found: list[int] = []
    while pattern.format(len(found) + 1) in facts:
        found.append(len(found) + 1)
    return found


def _why_back(facts: Facts, words: Words) -> str:
    why = str(facts.get("why", ""))
    return words.say(f"why.{why if why in _WHY_BACK else 'unused'}")


Line = tuple[str, str]


def _lines(facts: Facts, words: Words) -> Iterator[Line]:
    """Pairs of a label's key and what stands beside it."""
    match facts.get("rule"):
        case "order":
            yield from _order_lines(facts, words)
        case "held":
            yield "order", _order(facts)
            yield "waits_for", words.say("value.a_rate", currency=str(facts.get("currency", "?")))
        case "redeem" | "redeem_reversal":
            yield "reward", title_of(facts, words)
            if "cost" in facts:
                yield "costs", words.points(_number(facts, "cost"))
            if "why" in facts:
                yield "back_because", _why_back(facts, words)
        case "activity" | "referral":
            yield from _activity_lines(facts, words)
        case "write_off" if "activity" in facts:
            yield "activity", activity_words(facts, words)
        case "tier":
            yield "level", str(facts["tier_name"])
            yield "version", str(facts["version"])
            yield "for_level", words.points(_number(facts, "points"))
            yield "points", words.amount(_number(facts, "target"))
        case "write_off" if "tier_name" in facts:
            yield "level", str(facts["tier_name"])
        case "write_off":
            yield "order", _order(facts)
        case "adjustment":
            yield "adjustment", words.say("value.number", number=str(facts.get("adjustment", "")))
        case _:
            return


def _activity_lines(facts: Facts, words: Words) -> Iterator[Line]:
    yield "activity", activity_words(facts, words)
    yield "rule", words.points(_number(facts, "points"))
    yield "version", str(facts["version"])
    if "order" in facts:
        yield "order", _order(facts)
    if "minimum" in facts:
        yield "from", words.say("value.of_goods", amount=_figure(facts, "minimum", words))
    if "limit" in facts:
        yield "limit", _times(facts, words)
    if (why := _withheld(facts, words)) is not None:
        yield "not_counted", _capital(why)
    yield "points", words.amount(_number(facts, "target"))
    if _number(facts, "given"):
        yield "given", words.amount(_number(facts, "given"))


def _withheld(facts: Facts, words: Words) -> str | None:
    """Why an activity is worth nothing, as it stands within a sentence."""
    zero = facts.get("zero")
    if not isinstance(zero, str) or zero not in set(Withheld):
        return None
    if "limit" in facts:
        return words.say(f"withheld.{Withheld.LIMIT.value}.of", limit=_times(facts, words))
    return words.say(f"withheld.{zero}")


def _times(facts: Facts, words: Words) -> str:
    return words.say(f"limit.{facts.get('limit_per', 'member')}", n=_number(facts, "limit"))


def _order_lines(facts: Facts, words: Words) -> Iterator[Line]:
    currency = str(facts["currency"])

    def money(name: str) -> str:
        return words.say("amount.in", amount=_figure(facts, name, words), currency=currency)

    yield "order", _order(facts)
    each = _number(facts, "points_per")
    share = words.share(each, Money.parse(str(facts["spend"]), currency)) if words.counts_money else None
    yield "rule", share or words.say("sum.per", points=words.points(each), spend=money("spend"))
    yield "version", str(facts["version"])
    yield "goods", money("goods")
    if _is_more_than_nothing(facts, "refunded"):
        yield "went_back", money("refunded")
        yield "net", money("net")
    percent = words.percent(facts["earn_percent"])
    yield "tier", words.say("value.named", name=str(facts["tier_name"]), value=percent)
    if (zero := _zero(facts)) is not None:
        yield "not_counted", words.say(f"zero.{zero.value}")
    else:
        if "counts" in facts and facts["counts"] != facts["net"]:
            yield "counts", money("counts")
        yield from _finer_lines(facts, words)
        yield "rounding", words.say("value.down")
    yield "points", words.amount(_number(facts, "target"))
    if _number(facts, "given"):
        yield "given", words.amount(_number(facts, "given"))


def _finer_lines(facts: Facts, words: Words) -> Iterator[Line]:
    def named(name: str, value: str) -> str:
        return words.say("value.named", name=str(facts[name]), value=value)

    for place in _places(facts, "part.{}.counts"):
        yield f"part {place}", _part_words(facts, place, words)
    for number in _places(facts, "part.1.campaign.{}") if "part.1.counts" not in facts else ():
        name = f"part.1.campaign.{number}"
        yield "campaign", named(name, words.percent(facts[f"{name}.percent"]))
    for place in _places(facts, "bonus.{}"):
        yield "bonus", named(f"bonus.{place}", words.points(_number(facts, f"bonus.{place}.points")))
    if "cap" in facts:
        yield "before_limit", words.points(_number(facts, "before_cap"))
        room = _number(facts, "cap.room")
        yield "limit", words.say("value.left", units=room, name=str(facts["cap"]), points=words.points(room))


def _zero(facts: Facts) -> Zero | None:
    word = facts.get("zero")
    return Zero(word) if isinstance(word, str) and word in set(Zero) else None


def _number(facts: Facts, name: str) -> int:
    return int(facts.get(name, 0))


def _figure(facts: Facts, name: str, words: Words) -> str:
    return words.figure(facts.get(name, "0"))


def _is_more_than_nothing(facts: Facts, name: str) -> bool:
    return bool(str(facts.get(name, "0")).strip("0."))


def _order(facts: Facts) -> str:
    return str(facts.get("order") or "?")


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


def _closed(text: str) -> str:
    """`text` with a full stop unless it ends with a mark of its own."""
    return text if text.endswith((".", "!", "?")) else f"{text}."

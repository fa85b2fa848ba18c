"""What earns without an order, in plain sentences, for those who run a program. English, as the admin is."""

from app.domain.activities import ONCE, ActivityKind, ActivityRule, Limit, LimitPer, ReferralRule
from app.domain.money import Money
from app.domain.program import Program
from app.services.describe_rules import RuleWords
from app.services.wording import during_words, money_words, words_for

_PER = {
    LimitPer.DAY: "a day",
    LimitPer.MONTH: "a month",
    LimitPer.YEAR: "a year",
    LimitPer.MEMBER: "in all",
}


def describe_earning(program: Program) -> list[RuleWords]:
    """Kinds: activity, referral. Empty where only orders earn."""
    found = [RuleWords("activity", one.name, _activity(one, program)) for one in program.activities]
    if program.referral is not None:
        found.append(RuleWords("referral", "Bringing a friend", _referral(program.referral, program)))
    return found


def _activity(rule: ActivityRule, program: Program) -> str:
    text = words_for(program).points(rule.points)
    match rule.kind:
        case ActivityKind.SIGN_UP:
            text += " for signing up, once"
        case ActivityKind.BIRTHDAY:
            text += " on the birthday, once a year"
        case _ if rule.kind in ONCE:
            text += ", once"
        case _:
            text += " each time"
    if rule.limit is not None:
        text += f", at most {_times(rule.limit)}"
    if rule.hold_days:
        text += f", after {rule.hold_days} {'day' if rule.hold_days == 1 else 'days'}"
    return text + during_words(rule.during)


def _referral(rule: ReferralRule, program: Program) -> str:
    words = words_for(program)
    text = (
        f"{words.points(rule.referrer_points)}, and {words.points(rule.friend_points)} for the friend, "
        "for the friend’s first order"
    )
    if rule.minimum_minor is not None:
        text += f" from {money_words(Money(rule.minimum_minor, program.currency))} on"
    return f"{text}, at most {_times(rule.limit)}" if rule.limit is not None else text


def _times(limit: Limit) -> str:
    return f"{'once' if limit.times == 1 else f'{limit.times} times'} {_PER[limit.per]}"

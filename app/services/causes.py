"""Why the ledger had to be put right: the words, and which of them mean that something was amiss."""

from enum import StrEnum

from connectors.base import WebhookFound


class Cause(StrEnum):
    # Orders
    WEBHOOK_MISSED = "webhook_missed"  # no delivery of that state ever came
    WEBHOOK_LATE = "webhook_late"  # none came yet; the shop's queue may just be slower than we are
    DELIVERY_WAITS = "delivery_waits"  # it came and is not settled yet
    DELIVERY_FAILED = "delivery_failed"  # it came and was set aside
    DELIVERY_NOT_APPLIED = "delivery_not_applied"  # it came, was done with, and changed nothing
    REFUND_DELETED = "refund_deleted"  # silently, at the shop
    REFUND_CHANGED = "refund_changed"  # silently, at the shop
    REFUND_LINES = "refund_lines"  # a refund's lines were read, which the list of orders does not have
    CHANGED_SILENTLY = "changed_silently"  # other facts at the same date of change
    ORDER_DELETED = "order_deleted"  # for good, silently
    NOT_UNDERSTOOD = "not_understood"  # the order's facts cannot be read
    # Subscriptions
    WEBHOOK_MISSING = "webhook_missing"
    WEBHOOK_SWITCHED_OFF = "webhook_switched_off"
    WEBHOOK_ELSEWHERE = "webhook_elsewhere"
    WEBHOOK_OTHER_SECRET = "webhook_other_secret"  # noqa: S105 - a cause, no secret
    WEBHOOK_DOUBLED = "webhook_doubled"
    WEBHOOK_UNHEALTHY = "webhook_unhealthy"  # and could not be mended
    # Codes
    CODE_ORPHAN = "code_orphan"  # ours, nobody paid for it: withdrawn
    CODE_ORPHAN_KEPT = "code_orphan_kept"  # the same in a shop's first days: only told
    CODE_OF_OTHER = "code_of_other_installation"  # only told
    CODE_ABSENT = "code_absent"  # paid for, and not to be found at the shop: looked into
    CODE_REVIVED = "code_revived"  # used before, and can be used again: looked into
    CODE_BALANCE = "code_balance"  # it is worth something else there than what is left: put right
    CODE_OVERDRAWN = "code_overdrawn"  # orders took more of it than there was: only told

    # Profiles
    PROFILE_ADRIFT = "profile_adrift"  # a field or a tag of ours was changed there: put right


# Told, but nothing was wrong with what we held.
HARMLESS = frozenset(
    {Cause.WEBHOOK_LATE, Cause.DELIVERY_WAITS, Cause.REFUND_LINES, Cause.CODE_OF_OTHER, Cause.WEBHOOK_DOUBLED}
)

OF_SUBSCRIPTION = {
    WebhookFound.MISSING: Cause.WEBHOOK_MISSING,
    WebhookFound.SWITCHED_OFF: Cause.WEBHOOK_SWITCHED_OFF,
    WebhookFound.ELSEWHERE: Cause.WEBHOOK_ELSEWHERE,
    WebhookFound.OTHER_SECRET: Cause.WEBHOOK_OTHER_SECRET,
    WebhookFound.DOUBLED: Cause.WEBHOOK_DOUBLED,
}

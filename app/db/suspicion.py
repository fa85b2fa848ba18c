"""Signals of abuse, counted in the database from stored facts: one statement a signal, whoever it is about.

What a person decided on is counted no more: after each decision the counts of that member begin anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.db.session import Session
from app.domain.suspicion import Signal, SignalKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """`count` of `total` within the signal's window, up to `at`; `others`: members it is about too, at most 20."""

    member_id: int  # as stored: an account that was merged away counts as its winner
    signal: Signal
    count: int
    total: int
    others: tuple[int, ...]
    at: datetime


# Each gives (member_id, at, counts, other) a fact. `{{mine:x}}` narrows it to the members that are asked about.
_FACTS = {
    # By shop first: that is how orders are found by when they were placed.
    SignalKind.ORDERS: (
        "SELECT o.member_id, o.placed_at AS at, true AS counts, CAST(NULL AS bigint) AS other FROM orders o "
        "WHERE {fence:o} AND o.shop_id IN (SELECT s.id FROM shops s WHERE {fence:s}) AND o.placed_at > :since "
        "AND o.placed_at <= :now AND o.target_points > 0 AND o.member_id IS NOT NULL AND {mine:o.member_id}"
    ),
    SignalKind.REDEMPTIONS: (
        "SELECT r.account_id AS member_id, r.requested_at AS at, true AS counts, CAST(NULL AS bigint) AS other "
        "FROM redemptions r WHERE {fence:r} AND r.requested_at > :since AND r.requested_at <= :now "
        # Who tries again because the shop could not make the code does nothing odd.
        "AND r.state <> 'failed' AND {mine:r.account_id}"
    ),
    SignalKind.ACTIVITIES: (
        "SELECT a.member_id, a.occurred_at AS at, true AS counts, CAST(NULL AS bigint) AS other FROM activities a "
        "WHERE {fence:a} AND a.occurred_at > :since AND a.occurred_at <= :now AND a.target_points > 0 "
        "AND {mine:a.member_id}"
    ),
    SignalKind.SELF_REFERRAL: (
        "SELECT DISTINCT u.member_id, r.at, true AS counts, u.other FROM referrals r "
        "JOIN identities f ON {fence:f} AND f.program_id = r.program_id AND f.member_id = r.friend_id "
        "JOIN identities o ON {fence:o} AND o.program_id = r.program_id AND o.member_id = r.referrer_id "
        "AND o.mailbox_hash = f.mailbox_hash "
        "CROSS JOIN LATERAL (VALUES (r.referrer_id, r.friend_id), (r.friend_id, r.referrer_id)) AS u(member_id, other) "
        "WHERE {fence:r} AND r.at > :since AND r.at <= :now AND {mine:u.member_id}"
    ),
    SignalKind.REFUNDS: (
        "SELECT o.member_id, o.placed_at AS at, (o.spend->>'void_at') IS NOT NULL OR "
        "(SELECT coalesce(sum(CAST(b->>1 AS bigint)), 0) FROM jsonb_array_elements(o.spend->'refunds') b) "
        ">= CAST(o.spend->>'goods_minor' AS bigint) AS counts, CAST(NULL AS bigint) AS other FROM orders o "
        "WHERE {fence:o} AND o.shop_id IN (SELECT s.id FROM shops s WHERE {fence:s}) AND o.placed_at > :since "
        "AND o.placed_at <= :now AND o.spend IS NOT NULL AND CAST(o.spend->>'goods_minor' AS bigint) > 0 "
        "AND o.member_id IS NOT NULL AND {mine:o.member_id}"
    ),
    # A take-back that found fewer points than it took: they were spent.
    SignalKind.SPENT_THEN_REFUNDED: (
        "SELECT e.account_id AS member_id, max(e.recorded_at) AS at, true AS counts, CAST(NULL AS bigint) AS other "
        "FROM orders o JOIN entries e ON {fence:e} AND e.program_id = o.program_id AND e.source = 'order:' || o.id "
        "WHERE {fence:o} AND o.shop_id IN (SELECT s.id FROM shops s WHERE {fence:s}) AND o.placed_at > :since "
        "AND o.placed_at <= :now AND {mine:o.member_id} AND e.kind = 'earn_reversal' AND -e.points > "
        "(SELECT coalesce(sum(CAST(t->>1 AS bigint)), 0) FROM jsonb_array_elements(e.ate) t) "
        "GROUP BY e.account_id, o.id"
    ),
}

# When a person last decided on each member, told for whoever they were merged into since, too.
_DECIDED = (
    "up(start, id) AS (SELECT DISTINCT r.member_id, r.member_id FROM reviews r "
    "WHERE {fence:r} AND r.decision IS NOT NULL "
    "UNION SELECT u.start, a.merged_into FROM up u JOIN accounts a ON a.id = u.id "
    "WHERE {fence:a} AND a.merged_into IS NOT NULL), "
    "decided AS (SELECT u.id AS member_id, max(r.decided_at) AS at FROM up u "
    "JOIN reviews r ON r.member_id = u.start WHERE {fence:r} AND r.decision IS NOT NULL GROUP BY u.id)"
)

_COUNT = (
    "SELECT f.member_id, count(*) FILTER (WHERE f.counts) AS n, count(*) AS total, "
    "(array_agg(DISTINCT f.other) FILTER (WHERE f.other IS NOT NULL))[1:20] AS others "
    "FROM facts f LEFT JOIN decided d ON d.member_id = f.member_id WHERE d.at IS NULL OR f.at > d.at "
    "GROUP BY f.member_id HAVING count(*) FILTER (WHERE f.counts) > :more_than "
    "AND count(*) FILTER (WHERE f.counts) * 100 >= :percent * count(*) ORDER BY f.member_id"
)

# Counted by mailbox, and told of everybody in it: a join of each with each would grow with the square.
_SIGN_UPS = (
    "WITH RECURSIVE "
    + _DECIDED
    + ", joined AS (SELECT i.mailbox_hash, i.email_hash, i.member_id FROM identities i "
    "JOIN members m ON {fence:m} AND m.program_id = i.program_id AND m.id = i.member_id "
    "LEFT JOIN decided d ON d.member_id = i.member_id WHERE {fence:i} AND i.mailbox_hash IS NOT NULL "
    "AND m.joined_at > :since AND m.joined_at <= :now AND (d.at IS NULL OR m.joined_at > d.at) AND {mine}), "
    "many AS (SELECT j.mailbox_hash, count(DISTINCT j.email_hash) AS n FROM joined j GROUP BY j.mailbox_hash "
    "HAVING count(DISTINCT j.email_hash) > :more_than) "
    "SELECT j.member_id, max(y.n) AS n, max(y.n) AS total, CAST(NULL AS bigint[]) AS others FROM joined j "
    "JOIN many y ON y.mailbox_hash = j.mailbox_hash GROUP BY j.member_id ORDER BY j.member_id"
)
_SAME_MAILBOX = (
    "i.mailbox_hash IN (SELECT k.mailbox_hash FROM identities k "
    "WHERE {fence:k} AND k.member_id = ANY(:members))"
)


def count(
    session: Session, signal: Signal, *, now: datetime, member_ids: Sequence[int] | None = None
) -> list[Seen]:
    """In whom the signal is seen. `member_ids`: of these alone, which costs what they did, not what all did."""
    rows = session.rows(
        _statement(signal.kind, narrow=member_ids is not None),
        since=now - signal.within,
        now=now,
        more_than=signal.more_than,
        **({} if signal.kind is SignalKind.SIGN_UPS else {"percent": signal.percent}),
        **({} if member_ids is None else {"members": list(member_ids)}),
    )
    return [
        Seen(
            member_id=row.member_id,
            signal=signal,
            count=row.n,
            total=row.total,
            others=tuple(row.others or ()),
            at=now,
        )
        for row in rows
        if member_ids is None or row.member_id in member_ids
    ]


def _statement(kind: SignalKind, *, narrow: bool) -> str:
    if kind is SignalKind.SIGN_UPS:
        return _SIGN_UPS.replace("{mine}", _SAME_MAILBOX if narrow else "true")
    head, _, rest = _FACTS[kind].partition("{mine:")
    column, _, tail = rest.partition("}")
    facts = f"{head}{column} = ANY(:members){tail}" if narrow else f"{head}true{tail}"
    return f"WITH RECURSIVE {_DECIDED}, facts AS ({facts}) {_COUNT}"

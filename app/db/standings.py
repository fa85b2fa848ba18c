"""What members' orders come to for levels, summed by PostgreSQL: for everybody at once, where nothing else is asked.

The rule is `domain.spending.SpendHistory.qualifying`; a property test holds the two together.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from app.db.session import Session
from app.domain.spending import Span


class SumRow(NamedTuple):
    """`buys`: some order bought a level, so that sums do not tell all. `sums`: (spend, points, orders) of each span."""

    member_id: int
    tier_key: str  # as recorded
    buys: bool
    sums: tuple[tuple[int, int, int], ...]


_rows = msgspec.json.Decoder(list[tuple[int, str, bool, tuple[tuple[int, int, int], ...]]])

# What is left of an order's goods and points at `:at`. Most have no refund, and this is asked for everybody.
_LEFT = (
    "CASE WHEN CAST(spend->>'void_at' AS timestamptz) < :at THEN 0 "
    "WHEN jsonb_array_length(coalesce(spend->'%(back)s', '[]')) = 0 THEN coalesce(CAST(spend->>'%(of)s' AS bigint), 0) "
    "ELSE CAST(spend->>'%(of)s' AS bigint) - (SELECT coalesce(sum(CAST(r->>1 AS bigint)), 0) "
    "FROM jsonb_array_elements(spend->'%(back)s') r WHERE CAST(r->>0 AS timestamptz) < :at) END"
)
_GOODS = _LEFT % {"of": "goods_minor", "back": "refunds"}
_POINTS = _LEFT % {"of": "points", "back": "points_back"}


def find_sums(
    session: Session, member_ids: Sequence[int], spans: Sequence[Span], *, at: datetime, since: datetime
) -> list[SumRow]:
    """By member id. Of orders counted after `since`; less refunds and voids dated before `at`."""
    if not member_ids:
        return []
    inside = [f"counted_at > :after_{n} AND counted_at <= :until_{n}" for n in range(len(spans))]
    sums = ", ".join(
        f"json_build_array(coalesce(sum(goods) FILTER (WHERE goods > 0 AND {here}), 0), "
        f"coalesce(sum(points) FILTER (WHERE points > 0 AND {here}), 0), count(*) FILTER (WHERE goods > 0 AND {here}))"
        for here in inside
    )
    found = session.scalar(
        "SELECT CAST(json_agg(json_build_array(m.id, m.tier_key, coalesce(o.buys, false), "
        f"coalesce(o.sums, CAST(:none AS json))) ORDER BY m.id) AS text) FROM members m LEFT JOIN ("
        f"SELECT member_id, bool_or(buys) AS buys, json_build_array({sums}) AS sums FROM ("
        f"SELECT member_id, counted_at, spend ? 'memberships' AS buys, {_GOODS} AS goods, {_POINTS} AS points "
        "FROM orders WHERE {fence} AND member_id = ANY(CAST(:ids AS bigint[])) AND counted_at > :since OFFSET 0) one "
        "GROUP BY member_id) o ON o.member_id = m.id "
        "WHERE {fence:m} AND m.id = ANY(CAST(:ids AS bigint[]))",
        {
            **{f"after_{n}": after for n, (after, _) in enumerate(spans)},
            **{f"until_{n}": until for n, (_, until) in enumerate(spans)},
        },
        ids=_listed(member_ids),
        none=msgspec.json.encode([(0, 0, 0)] * len(spans)).decode(),
        since=since,
        at=at,
    )
    return [SumRow(*row) for row in _rows.decode(found or "[]")]


def _listed(ids: Sequence[int]) -> str:
    """An array as text: a list of thousands is dear to take apart value by value."""
    return "{" + ",".join(map(str, ids)) + "}"

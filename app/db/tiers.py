"""What members' orders give by one version's tiers and by another's, counted in one statement."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from app.db.session import Session
from app.domain.calendar import months_before
from app.domain.program import Program


@dataclass(frozen=True, slots=True)
class TierGroup:
    """So many members have `has`; by one version they would have `before`, by the other `after`."""

    has: str
    before: str
    after: str
    members: int


# The same as `domain.tiers.tier_at`, of all open members at once; a test holds the two together.
_GROUPS = """
WITH levels AS (
  SELECT l.version, l.rank, l.key, l.from_minor FROM jsonb_to_recordset(CAST(:levels AS jsonb))
    AS l(version text, rank int, key text, from_minor bigint)
), spent AS (
  SELECT o.member_id, sum(w.minor) FILTER (WHERE o.counted_at > :before_start) AS before,
    sum(w.minor) FILTER (WHERE o.counted_at > :after_start) AS after
  FROM orders o CROSS JOIN LATERAL (SELECT CASE WHEN CAST(o.spend->>'void_at' AS timestamptz) < :now THEN 0
    ELSE greatest(CAST(o.spend->>'goods_minor' AS bigint) - coalesce((SELECT sum(CAST(r->>1 AS bigint))
      FROM jsonb_array_elements(o.spend->'refunds') AS r WHERE CAST(r->>0 AS timestamptz) < :now), 0), 0)
    END AS minor) w
  WHERE {fence:o} AND o.member_id IS NOT NULL AND o.spend IS NOT NULL
    AND o.counted_at > least(:before_start, :after_start) AND o.counted_at <= :now GROUP BY o.member_id
), ranks AS (
  SELECT m.tier_key, v.version, greatest(
      (SELECT max(l.rank) FROM levels l WHERE l.version = v.version AND l.from_minor <= greatest(coalesce(
        CASE v.version WHEN 'before' THEN s.before ELSE s.after END, 0), 0)),
      (SELECT max(l.rank) FROM tier_floors f JOIN levels l ON l.version = v.version AND l.key = f.tier_key
        WHERE {fence:f} AND f.program_id = m.program_id AND f.member_id = m.id AND f.from_at <= :now
        AND (f.until_at IS NULL OR f.until_at > :now))) AS rank, m.id
  FROM members m JOIN accounts a ON {fence:a} AND a.program_id = m.program_id AND a.id = m.id
  LEFT JOIN spent s ON s.member_id = m.id CROSS JOIN (VALUES ('before'), ('after')) AS v(version)
  WHERE {fence:m} AND a.closed_at IS NULL
)
SELECT b.tier_key AS has, x.key AS before, y.key AS after, count(*) AS members
FROM ranks b JOIN ranks c ON c.id = b.id AND c.version = 'after'
JOIN levels x ON x.version = 'before' AND x.rank = b.rank JOIN levels y ON y.version = 'after' AND y.rank = c.rank
WHERE b.version = 'before' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""


def find_groups(session: Session, before: Program, after: Program, *, now: datetime) -> list[TierGroup]:
    """The session's program's open members, by what they have and what the two versions give them now."""
    rows = session.rows(
        _GROUPS,
        levels=json.dumps([*_levels("before", before), *_levels("after", after)]),
        before_start=months_before(now, before.tier_months, before.zone),
        after_start=months_before(now, after.tier_months, after.zone),
        now=now,
    )
    return [TierGroup(row.has, row.before, row.after, row.members) for row in rows]


def _levels(version: str, program: Program) -> Iterator[dict[str, object]]:
    for rank, tier in enumerate(program.tiers):
        yield {"version": version, "rank": rank, "key": tier.key, "from_minor": tier.from_minor}

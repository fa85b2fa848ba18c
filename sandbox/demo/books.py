"""What Laurel holds, read from its tables for the checks: orders with their points, codes, deliveries."""

from dataclasses import dataclass

from app.services.runtime import Runtime


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOrder:
    order_id: int
    shop_id: int
    ref: str
    member_id: int | None
    tier: str | None
    target: int
    held: int  # over all accounts


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldCode:
    redemption_id: int
    shop_id: int
    code: str
    state: str
    order_ref: str | None
    message: str | None


def held_orders(rt: Runtime, program_id: int) -> dict[tuple[int, str], HeldOrder]:
    with rt.db.begin(program_id) as session:
        rows = session.rows(
            "SELECT o.id AS order_id, o.shop_id, o.order_ref AS ref, o.member_id, o.terms_tier AS tier, "
            "o.target_points AS target, coalesce(sum(e.points), 0)::bigint AS held FROM orders o "
            "LEFT JOIN entries e ON {fence:e} AND e.program_id = o.program_id AND e.source = 'order:' || o.id "
            "WHERE {fence:o} GROUP BY o.program_id, o.id"
        )
        return {(row.shop_id, row.ref): HeldOrder(**row._mapping) for row in rows}


def held_codes(rt: Runtime, program_id: int) -> list[HeldCode]:
    with rt.db.begin(program_id) as session:
        rows = session.rows(
            "SELECT r.id AS redemption_id, r.shop_id, r.code, r.state, o.order_ref, r.message FROM redemptions r "
            "LEFT JOIN orders o ON {fence:o} AND o.program_id = r.program_id AND o.id = r.order_id "
            "WHERE {fence:r} ORDER BY r.id"
        )
        return [HeldCode(**row._mapping) for row in rows]


def who_can_redeem(rt: Runtime, program_id: int, points: int) -> list[tuple[int, int, str]]:
    """(member, shop, customer ref) of those with that many points, by member."""
    with rt.db.begin(program_id) as session:
        rows = session.rows(
            "SELECT a.id, i.shop_id, i.customer_ref FROM accounts a JOIN identities i ON {fence:i} "
            "AND i.program_id = a.program_id AND i.member_id = a.id WHERE {fence:a} AND a.points >= :points "
            "AND i.customer_ref NOT LIKE 'erased:%' ORDER BY a.id, i.id",
            points=points,
        )
        return [(row.id, row.shop_id, row.customer_ref) for row in rows]


def deliveries(rt: Runtime, program_id: int) -> tuple[dict[str, int], dict[str, int]]:
    """How many ended in each state, and the failed by their reason."""
    with rt.db.begin(program_id) as session:
        states = session.rows("SELECT state, count(*) AS n FROM inbox WHERE {fence} GROUP BY state")
        reasons = session.rows(
            "SELECT split_part(reason, ':', 1) AS why, count(*) AS n FROM inbox WHERE {fence} "
            "AND state = 'failed' GROUP BY 1 ORDER BY 1"
        )
        return {row.state: row.n for row in states}, {row.why: row.n for row in reasons}


def totals(rt: Runtime, program_id: int) -> dict[str, int]:
    with rt.db.begin(program_id) as session:
        kinds = session.rows(
            "SELECT kind, sum(points)::bigint AS points FROM entries WHERE {fence} GROUP BY kind ORDER BY kind"
        )
        accounts = session.first(
            "SELECT count(*) AS members, coalesce(sum(points), 0)::bigint AS points FROM accounts WHERE {fence}"
        )
    assert accounts is not None
    return {row.kind: row.points for row in kinds} | {
        "outstanding": accounts.points,
        "members": accounts.members,
    }

"""What audit and replay read: accounts a page at a time, their entries as a stream, all fenced, nothing written."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

from app.db.ledger import ENTRY, LOT, entry_of, lot_of
from app.db.session import Session
from app.domain.chain import HeadsDigest
from app.domain.ledger import Entry, Lot
from app.domain.redeeming import Use

PAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRow:
    """An account as stored. `tier_key` and `lifetime_points` None: there is no member of it."""

    program_id: int
    account_id: int
    points: int
    deficit: int
    seq: int
    head: bytes
    merged_into: int | None
    closed: bool
    tier_key: str | None
    lifetime_points: int | None
    last_active_at: datetime | None


def count(session: Session, table: str) -> int:
    """How many rows of the session's program a table of ours has."""
    return int(session.scalar(f"SELECT count(*) FROM {table} WHERE {{fence}}"))


def pages_of_accounts(
    session: Session, *, only_open: bool = False, size: int = PAGE
) -> Iterator[list[AccountRow]]:
    """Every account, by id."""
    after = 0
    while page := _accounts(
        session,
        "a.id > :after AND NOT (:only_open AND a.closed_at IS NOT NULL)",
        after=after,
        only_open=only_open,
        limit=size,
    ):
        yield page
        after = page[-1].account_id


def find_merged_into(session: Session, account_ids: Sequence[int]) -> dict[int, list[int]]:
    """Account -> those that were merged into it, directly or by way of others. Only accounts that have any."""
    rows = session.rows(
        "WITH RECURSIVE down(root, id, depth) AS ("
        "SELECT merged_into, id, 1 FROM accounts WHERE {fence} AND merged_into = ANY(:ids) "
        "UNION ALL SELECT d.root, a.id, d.depth + 1 FROM down d JOIN accounts a ON a.merged_into = d.id "
        "WHERE {fence:a} AND d.depth < 100) SELECT DISTINCT root, id FROM down ORDER BY root, id",
        ids=list(account_ids),
    )
    found: dict[int, list[int]] = {}
    for row in rows:
        found.setdefault(row.root, []).append(row.id)
    return found


def find_changed(session: Session, *, after: int, limit: int) -> list[int]:
    """The next accounts that are not as the hourly audit last found them right, by id."""
    rows = session.rows(
        "SELECT a.id FROM accounts a LEFT JOIN audited d ON {fence:d} AND d.program_id = a.program_id "
        "AND d.account_id = a.id WHERE {fence:a} AND a.id > :after AND d.seq IS DISTINCT FROM a.seq "
        "ORDER BY a.id LIMIT :limit",
        after=after,
        limit=limit,
    )
    return [row.id for row in rows]


def find_longest_unseen(session: Session, *, before: datetime, limit: int) -> list[int]:
    """Accounts that the hourly audit found right longest ago, before that moment."""
    rows = session.rows(
        "SELECT account_id FROM audited WHERE {fence} AND at < :before ORDER BY program_id, at LIMIT :limit",
        before=before,
        limit=limit,
    )
    return sorted(row.account_id for row in rows)


def note_audited(session: Session, found: Mapping[int, int], *, now: datetime) -> None:
    """Account -> its length when it was found right."""
    session.run(
        "INSERT INTO audited (program_id, account_id, seq, at) SELECT :program_id, u.id, u.seq, :now "
        "FROM unnest(CAST(:ids AS bigint[]), CAST(:seqs AS integer[])) AS u(id, seq) "
        "ON CONFLICT (program_id, account_id) DO UPDATE SET seq = excluded.seq, at = excluded.at",
        ids=list(found),
        seqs=list(found.values()),
        now=now,
    )


def find_accounts(session: Session, account_ids: Sequence[int]) -> list[AccountRow]:
    return _accounts(session, "a.id = ANY(:ids)", ids=list(account_ids)) if account_ids else []


def stream_chains(session: Session, account_ids: Sequence[int]) -> Iterator[tuple[int, Iterator[Entry]]]:
    """(account, its entries, first to last) of each that has any, by id. Each must be read before the next.

    Reading an entry raises ValueError, KeyError or TypeError if it is not in a form that we write.
    """
    rows = session.stream(
        f"SELECT {ENTRY} FROM entries WHERE {{fence}} AND account_id = ANY(:ids) ORDER BY account_id, seq",
        ids=list(account_ids),
    )
    for account_id, ours in groupby(rows, key=itemgetter(0)):
        yield int(account_id), map(entry_of, ours)


def find_all_lots(session: Session, account_ids: Sequence[int]) -> dict[int, list[Lot]]:
    """Every lot of the accounts, empty ones too."""
    rows = session.rows(
        f"SELECT {LOT} FROM lots WHERE {{fence}} AND account_id = ANY(:ids) ORDER BY account_id, seq",
        ids=list(account_ids),
    )
    found: dict[int, list[Lot]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(lot_of(row))
    return found


def heads_digest(session: Session) -> str:
    """The digest of the program's chains by their stored heads: the audit's, if they are as they should be."""
    digest = HeadsDigest()
    for row in session.stream("SELECT id, seq, head FROM accounts WHERE {fence} AND seq > 0 ORDER BY id"):
        digest.add(row.id, row.seq, bytes(row.head))
    return digest.hex()


def sum_earned(session: Session, account_ids: Iterable[int]) -> dict[int, int]:
    """Account -> points earned, less reversals."""
    rows = session.rows(
        "SELECT account_id, sum(points) AS points FROM entries WHERE {fence} AND account_id = ANY(:ids) "
        "AND kind IN ('earn', 'earn_reversal') GROUP BY account_id",
        ids=list(account_ids),
    )
    return {row.account_id: int(row.points) for row in rows}


def find_points(session: Session) -> tuple[dict[str, int], int]:
    """(kind -> sum of its entries, sum of the accounts' points) of the whole program."""
    rows = session.rows("SELECT kind, sum(points) AS points FROM entries WHERE {fence} GROUP BY kind")
    outstanding = session.scalar("SELECT coalesce(sum(points), 0) FROM accounts WHERE {fence}")
    return {row.kind: int(row.points) for row in rows}, int(outstanding)


# Entries whose cause is not there. A source is `<what>:<id>`, with `:write_off` or `:undo` behind it.
_CAUSES = {
    "order": "SELECT 1 FROM orders c WHERE {fence:c} AND c.program_id = e.program_id AND c.id = e.cause",
    "activity": "SELECT 1 FROM activities c WHERE {fence:c} AND c.program_id = e.program_id AND c.id = e.cause",
    "tier": "SELECT 1 FROM tier_rewards c WHERE {fence:c} AND c.program_id = e.program_id AND c.id = e.cause",
    "redemption": "SELECT 1 FROM redemptions c WHERE {fence:c} AND c.program_id = e.program_id AND c.id = e.cause",
    "adjustment": "SELECT 1 FROM adjustments c WHERE {fence:c} AND c.program_id = e.program_id AND c.id = e.cause "
    "AND c.account_id = e.account_id AND c.points = e.points",
    "merge": "SELECT 1 FROM merges c WHERE {fence:c} AND c.program_id = e.program_id AND c.id = e.cause "
    "AND e.account_id IN (c.winner_id, c.loser_id) "
    "AND (c.undone_at IS NOT NULL OR split_part(e.source, ':', 3) <> 'undo')",
    "lot": "SELECT 1 FROM lots c WHERE {fence:c} AND c.program_id = e.program_id AND c.account_id = e.account_id "
    "AND c.seq = e.cause",
}


def find_without_cause(session: Session, account_ids: Sequence[int]) -> Sequence[Any]:
    """(account, seq, kind, source) of entries that name a cause which is not there, or says otherwise."""
    known = " ".join(f"WHEN '{what}' THEN EXISTS ({cause})" for what, cause in _CAUSES.items())
    return session.rows(
        "SELECT e.account_id, e.seq, e.kind, e.source FROM ("
        "SELECT program_id, account_id, seq, kind, source, points, "
        "CASE WHEN source ~ '^[a-z]+:[0-9]{1,18}(:[a-z_]+)?$' "
        "THEN CAST(split_part(source, ':', 2) AS bigint) END AS cause "
        "FROM entries WHERE {fence} AND account_id = ANY(:ids)) e "
        f"WHERE NOT coalesce(CASE split_part(e.source, ':', 1) {known} END, false) ORDER BY e.account_id, e.seq",
        ids=list(account_ids),
    )


def find_unbooked(session: Session, account_ids: Sequence[int] | None = None) -> Sequence[Any]:
    """Adjustments (of these accounts; None: all) without their entry."""
    return session.rows(
        "SELECT a.id, a.account_id, a.points FROM adjustments a WHERE {fence:a} "
        "AND (CAST(:accounts AS bigint[]) IS NULL OR a.account_id = ANY(CAST(:accounts AS bigint[]))) "
        "AND NOT EXISTS ("
        "SELECT 1 FROM entries e WHERE {fence:e} AND e.program_id = a.program_id "
        "AND e.source = 'adjustment:' || a.id AND e.account_id = a.account_id) ORDER BY a.id",
        accounts=None if account_ids is None else list(account_ids),
    )


def find_merge_faults(session: Session, loser_ids: Sequence[int] | None = None) -> Sequence[Any]:
    """Merges whose two sides do not add up to nothing, or whose loser is not closed into another account.

    `loser_ids`: only theirs.
    """
    return session.rows(
        "SELECT m.id, m.winner_id, m.loser_id, m.undone_at, coalesce(t.points, 0) AS points, l.merged_into "
        "FROM merges m LEFT JOIN accounts l ON {fence:l} AND l.program_id = m.program_id AND l.id = m.loser_id "
        "LEFT JOIN LATERAL (SELECT sum(e.points) AS points FROM entries e WHERE {fence:e} "
        "AND e.program_id = m.program_id "
        "AND e.source IN ('merge:' || m.id, 'merge:' || m.id || ':' || 'undo')) t ON true "
        "WHERE {fence:m} AND (CAST(:losers AS bigint[]) IS NULL OR m.loser_id = ANY(CAST(:losers AS bigint[]))) "
        "AND (coalesce(t.points, 0) <> 0 OR (m.undone_at IS NULL AND l.merged_into IS NULL)) "
        "ORDER BY m.id",
        losers=None if loser_ids is None else list(loser_ids),
    )


def pages_of_redemptions(
    session: Session, account_ids: Sequence[int] | None = None
) -> Iterator[Sequence[Any]]:
    """Each redemption with what the ledger took for it and gave back, over all accounts; by id.

    `account_ids`: only those made for one of these.
    """
    after = 0
    while page := session.rows(
        "SELECT r.id, r.account_id, r.state, r.cost, r.returned, r.order_id, r.reward->>'unused' AS unused, "
        "r.reward->>'kind' AS kind, r.left_minor, CAST(r.reward->'amount'->>'minor' AS bigint) AS amount_minor, "
        "CAST(r.reward->>'return_on_refund' AS boolean) AS returns, "
        "coalesce(CAST(r.reward->>'is_balance' AS boolean), false) AS is_balance, "
        "(SELECT coalesce(sum(u.taken_minor - u.back_minor), 0) FROM redemption_uses u WHERE {fence:u} "
        "AND u.program_id = r.program_id AND u.redemption_id = r.id) AS held_minor, "
        "coalesce(t.taken, 0) AS taken, coalesce(t.back, 0) AS back FROM redemptions r LEFT JOIN LATERAL ("
        "SELECT -sum(e.points) FILTER (WHERE e.kind = 'redeem' AND e.account_id = r.account_id) AS taken, "
        "sum(e.points) FILTER (WHERE e.kind = 'redeem_reversal') AS back FROM entries e WHERE {fence:e} "
        "AND e.program_id = r.program_id AND e.source = 'redemption:' || r.id) t ON true "
        "WHERE {fence:r} AND r.id > :after "
        "AND (CAST(:accounts AS bigint[]) IS NULL OR r.account_id = ANY(CAST(:accounts AS bigint[]))) "
        "ORDER BY r.id LIMIT :limit",
        after=after,
        accounts=None if account_ids is None else list(account_ids),
        limit=PAGE,
    ):
        yield page
        after = page[-1].id


def find_uses(session: Session, redemption_ids: Sequence[int]) -> dict[int, dict[int, Use]]:
    """Redemption -> order -> what is written down that the order holds of it."""
    found: dict[int, dict[int, Use]] = {}
    for row in session.rows(
        "SELECT redemption_id, order_id, taken_minor, back_minor FROM redemption_uses WHERE {fence} "
        "AND redemption_id = ANY(:ids)",
        ids=list(redemption_ids),
    ):
        found.setdefault(row.redemption_id, {})[row.order_id] = Use(row.taken_minor, row.back_minor)
    return found


def find_unwritten_uses(session: Session) -> list[tuple[int, int]]:
    """(balance, order) of every order that names its code and is not written down as using it. Reads all orders."""
    rows = session.rows(
        "SELECT DISTINCT r.id AS redemption_id, o.id AS order_id FROM orders o "
        "CROSS JOIN LATERAL jsonb_array_elements_text(o.snapshot->'codes_used') AS c(code) "
        "JOIN redemptions r ON {fence:r} AND r.program_id = o.program_id AND r.shop_id = o.shop_id "
        "AND r.code_key = lower(c.code) AND CAST(r.reward->>'is_balance' AS boolean) "
        "WHERE {fence:o} AND o.snapshot->'codes_used' <> '[]' AND NOT EXISTS ("
        "SELECT 1 FROM redemption_uses u WHERE {fence:u} AND u.program_id = o.program_id "
        "AND u.redemption_id = r.id AND u.order_id = o.id) ORDER BY r.id, o.id"
    )
    return [(row.redemption_id, row.order_id) for row in rows]


def find_stuck(session: Session, attempts: int) -> Sequence[Any]:
    """Deliveries that were taken up that often and are still waiting."""
    return session.rows(
        "SELECT id, topic, attempts, received_at FROM inbox WHERE {fence} AND state = 'new' "
        "AND attempts >= :attempts ORDER BY id LIMIT 1000",
        attempts=attempts,
    )


def _accounts(session: Session, condition: str, **params: Any) -> list[AccountRow]:
    rows = session.rows(
        "SELECT a.program_id, a.id AS account_id, a.points, a.deficit, a.seq, a.head, a.merged_into, "
        "a.closed_at IS NOT NULL AS closed, m.tier_key, m.lifetime_points, a.last_active_at "
        "FROM accounts a "
        "LEFT JOIN members m ON {fence:m} AND m.program_id = a.program_id AND m.id = a.id "
        f"WHERE {{fence:a}} AND {condition} ORDER BY a.id LIMIT :limit",
        {"limit": None, **params},
    )
    return [AccountRow(**{**row._mapping, "head": bytes(row.head)}) for row in rows]

"""`python -m bench.restoring [--entries 1000000]`: a ledger backed up, wiped and restored, to the last balance.

Members with a hundred entries each, chained as settling chains them. The restore looks at every chain, balance and lot
before the database may be used; the goal is five minutes. `docs/figures.md` has what was measured.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
from psycopg.sql import SQL

from app.db.auditing import heads_digest
from app.db.place import Place
from app.db.sealing import KeyRing
from app.domain.ledger import Entry, EntryKind, entry_hash
from app.services.backup import backup
from app.services.restore import restore
from app.services.runtime import Runtime
from bench.house import KEY, bench_house, runtime

GOAL_S = 300
EACH = 100
_POINTS = 10
_ENTRY = (
    "program_id, account_id, seq, kind, points, source, ordinal, occurred_at, recorded_at, available_at, origin, ate, "
    "facts, hash"
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.restoring", description=__doc__.splitlines()[0])
    parser.add_argument("--entries", type=int, default=1_000_000)
    wish = parser.parse_args()
    file = Path(tempfile.gettempdir()) / f"laurel-bench-{os.getpid()}.backup"
    with bench_house() as house:
        began = time.perf_counter()
        fill(house.everything_url, house.program_id, wish.entries, house.rt.now())
        print(f"{wish.entries:,} entries written in {time.perf_counter() - began:.0f} s", flush=True)
        before = ledger_of(house.rt, house.program_id)
        house.rt.db.close()
        place = Place(house.app_url, house.owner_url, house.everything_url, house.server_url)
        try:
            saving = time.perf_counter()
            backup(place, file, now=house.rt.now())
            saved = time.perf_counter()
            print(f"backup  {saved - saving:6.1f} s, {file.stat().st_size / 1e6:,.0f} MB", flush=True)
            done = restore(place, file, ring=KeyRing([KEY]), now=house.rt.now(), force=True)
            restored = time.perf_counter()
        finally:
            file.unlink(missing_ok=True)
        rt = runtime(house.app_url)
        after = ledger_of(rt, house.program_id)
        rt.db.close()
    (looked_at,) = done.audits.values()
    same = after == before and not looked_at.problems and looked_at.digest == before[0]
    print(f"restore {restored - saved:6.1f} s with every chain looked at; the goal is {GOAL_S} s")
    print(f"load {os.getloadavg()[0]:.1f}")
    print("the same balances" if same else f"WRONG: {before} was backed up, {after} is there")
    return 0 if same and restored - saved <= GOAL_S else 1


def ledger_of(rt: Runtime, program_id: int) -> tuple[str, int, int, int]:
    """What ends every chain, as one digest; points in all, what is left in lots, and how many entries there are."""
    with rt.db.snapshot(program_id) as session:
        points, entries = session.rows(
            "SELECT coalesce(sum(points), 0), coalesce(sum(seq), 0) FROM accounts WHERE {fence}"
        )[0]
        left = session.scalar("SELECT coalesce(sum(remaining), 0) FROM lots WHERE {fence}")
        return heads_digest(session), int(points), int(left), int(entries)


def fill(everything_url: str, program_id: int, entries: int, now: datetime) -> None:
    """Write a program's whole ledger, as the database's superuser; accounts last, when it is known where they end."""
    members = entries // EACH
    began = now.replace(microsecond=0) - timedelta(days=EACH)
    ends: dict[int, Entry] = {}
    with psycopg.connect(everything_url) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SET LOCAL session_replication_role = replica"
        )  # what refers to what is looked at once, below
        with cursor.copy(SQL("COPY entries ({}) FROM STDIN").format(SQL(_ENTRY))) as copy:
            for account in range(1, members + 1):
                for one in chain(program_id, account, began):
                    copy.write_row(
                        (program_id, account, one.seq, one.kind.value, one.points, one.source, one.ordinal,
                         one.occurred_at, one.recorded_at, one.available_at, one.origin, "[]", "{}", one.hash)
                    )  # fmt: skip
                    ends[account] = one
        with cursor.copy(
            SQL("COPY accounts (program_id, id, points, seq, head, opened_at, last_active_at) FROM STDIN")
        ) as copy:
            for account, last in ends.items():
                copy.write_row(
                    (program_id, account, EACH * _POINTS, EACH, last.hash, began, last.occurred_at)
                )
        with cursor.copy(
            SQL("COPY members (program_id, id, joined_at, tier_key, lifetime_points) FROM STDIN")
        ) as copy:
            for account in ends:
                copy.write_row((program_id, account, began, "member", 0))
        cursor.execute("SET LOCAL session_replication_role = origin")
        cursor.execute(
            "INSERT INTO lots (program_id, account_id, seq, remaining, available_at, origin) "
            "SELECT program_id, account_id, seq, points, available_at, origin FROM entries"
        )
        cursor.execute(
            "INSERT INTO adjustments (program_id, id, account_id, points, reason, actor, request_key, at) "
            "OVERRIDING SYSTEM VALUE SELECT program_id, account_id * %s + seq, account_id, points, 'A gift', 'bench', "
            "source, recorded_at FROM entries",
            (EACH,),
        )
        cursor.execute("ANALYZE")


def chain(program_id: int, account: int, began: datetime) -> Iterator[Entry]:
    """A gift a day."""
    previous = bytes(32)
    for seq in range(1, EACH + 1):
        at = began + timedelta(days=seq - 1)
        source = f"adjustment:{account * EACH + seq}"
        entry = Entry(
            seq=seq,
            kind=EntryKind.ADJUSTMENT,
            points=_POINTS,
            source=source,
            ordinal=0,
            occurred_at=at,
            recorded_at=at,
            available_at=at,
            origin=source,
        )
        previous = entry_hash(previous, (program_id, account), entry)
        yield replace(entry, hash=previous)


if __name__ == "__main__":
    raise SystemExit(main())

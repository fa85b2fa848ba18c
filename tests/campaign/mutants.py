"""Planted faults: what the campaign must notice. Each is put in at run time, and taken out again.

A mutant that no longer finds what it spoils fails loudly: `CannotBePlanted`.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

import psycopg

from app.db import inbox, redemptions
from app.domain.errors import Refused
from app.domain.folding import Folded, Verdict
from app.domain.ledger import Book
from app.domain.orders import OrderSnapshot
from app.domain.settling import Held
from app.services import code_spec as code_specs
from app.services.shop_client import open_shop
from tests.campaign.world import World


class CannotBePlanted(LookupError):
    """What a mutant spoils is not there any more: the mutant proves nothing until it is mended."""


class Spoiled:
    """Names replaced for the time of one seed."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._undo: list[Callable[[], None]] = []

    def replace(self, path: str, make: Callable[[Any], Any]) -> None:
        """`module:name` or `module:Class.name` becomes `make(what it was)`. Raises: CannotBePlanted."""
        owner, name = self.find(path)
        before = vars(owner)[name]
        setattr(owner, name, make(before))
        self._undo.append(lambda: setattr(owner, name, before))

    @staticmethod
    def find(path: str) -> tuple[Any, str]:
        """Whose name it is, and the name. Raises: CannotBePlanted."""
        module, _, names = path.partition(":")
        owner: Any = import_module(module)
        *outer, name = names.split(".")
        for one in outer:
            owner = getattr(owner, one)
        if name not in vars(owner):
            raise CannotBePlanted(f"there is no {path} to be spoiled: mend the mutant")
        return owner, name

    def sql(self, statement: str) -> None:
        """As the superuser, in the seed's own database. Raises: CannotBePlanted."""
        try:
            self.world.eye.run(statement)
        except psycopg.Error as error:
            raise CannotBePlanted(f"{statement}: {error}: mend the mutant") from error

    def mend(self) -> None:
        while self._undo:
            self._undo.pop()()


Spoil = Callable[[Spoiled], None]


@dataclass(frozen=True, slots=True)
class Mutant:
    """`harmless`: why nothing follows from it; None: it must be killed."""

    name: str
    what: str
    spoil: Spoil = field(repr=False)
    harmless: str | None = None


MUTANTS: dict[str, Mutant] = {}


def mutant(what: str, *, harmless: str | None = None) -> Callable[[Spoil], Spoil]:
    def note(spoil: Spoil) -> Spoil:
        name = spoil.__name__.replace("_", "-")
        MUTANTS[name] = Mutant(name, what, spoil, harmless)
        return spoil

    return note


@contextmanager
def spoiled(world: World, name: str) -> Iterator[None]:
    spoil = Spoiled(world)
    try:
        MUTANTS[name].spoil(spoil)
        yield
    finally:
        spoil.mend()


# --- Orders ------------------------------------------------------------------------------------------------------


@mutant("points are given for a message, not for the difference")
def award_by_event(spoil: Spoiled) -> None:
    def make(settle: Any) -> Any:
        def award(source: str, target: Any, books: Any, held: dict[int, Held], **more: Any) -> None:
            blind = {one: Held(0, known.ordinal, 0, known.written_off_ordinal) for one, known in held.items()}
            settle(source, target, books, blind, **more)

        return award

    spoil.replace("app.services.append_targets:settle", make)


@mutant("an older body is believed as well as a newer one")
def trust_every_body(spoil: Spoiled) -> None:
    def make(fold: Any) -> Any:
        def trust(held: OrderSnapshot | None, seen: OrderSnapshot, *, reread: bool) -> Folded:
            if held is not None and seen.updated_at < held.updated_at:
                return Folded(seen, Verdict.NEWER)
            return fold(held, seen, reread=reread)  # type: ignore[no-any-return]

        return trust

    spoil.replace("app.services.settle_orders:fold", make)


@mutant("what only the shop can tell is never marked to be read there")
def reread_not_marked(spoil: Spoiled) -> None:
    spoil.replace("app.services.settle_orders:_Facts._mark", lambda _: lambda *args: None)
    spoil.replace("app.services.process_deliveries:mark_rereads", lambda _: lambda *args, **more: None)


@mutant("of two bodies of one moment the first is kept")
def ties_ignored(spoil: Spoiled) -> None:
    def make(fold: Any) -> Any:
        def first(held: OrderSnapshot | None, seen: OrderSnapshot, *, reread: bool) -> Folded:
            folded: Folded = fold(held, seen, reread=reread)
            return replace(folded, verdict=Verdict.SAME) if folded.verdict is Verdict.TIE else folded

        return first

    spoil.replace("app.services.settle_orders:fold", make)


@mutant("points are counted in floating point and rounded to the nearest")
def float_money(spoil: Spoiled) -> None:
    def make(count: Any) -> Any:
        def rounded(order: Any, terms: Any, *, excluded: Any = None) -> Any:
            target = count(order, terms, excluded=excluded)
            if not target.points:
                return target
            net = order.goods - order.goods_refunded
            rate = terms.program.rate
            return replace(
                target,
                points=round(net.minor / rate.spend_minor * rate.points * terms.tier.earn_percent / 100),
            )

        return rounded

    spoil.replace("app.services.settle_orders:target_for_order", make)


@mutant("a refund takes nothing back")
def refunds_ignored(spoil: Spoiled) -> None:
    def make(_: Any) -> Any:
        return property(lambda order: replace(order.goods, minor=0))

    spoil.replace("app.domain.orders:OrderSnapshot.goods_refunded", make)


@mutant("a cancelled order keeps its points")
def cancelled_counts(spoil: Spoiled) -> None:
    def make(fold: Any) -> Any:
        def keep(held: OrderSnapshot | None, seen: OrderSnapshot, *, reread: bool) -> Folded:
            if held is not None and seen.state.value == "cancelled":
                seen = replace(seen, state=held.state)
            return fold(held, seen, reread=reread)  # type: ignore[no-any-return]

        return keep

    spoil.replace("app.services.settle_orders:fold", make)


@mutant("publishing moves the terms of what was counted before")
def terms_not_fixed(spoil: Spoiled) -> None:
    spoil.replace(
        "app.services.settle_orders:program_of", lambda _: lambda row, order, versions: versions.live
    )


@mutant("points are available before the hold is over")
def hold_ignored(spoil: Spoiled) -> None:
    def make(count: Any) -> Any:
        return lambda order, terms, *, excluded=None: replace(
            count(order, terms, excluded=excluded), ready_at=None
        )

    spoil.replace("app.services.settle_orders:target_for_order", make)


@mutant("an order that the shop has no more keeps what it gave")
def gone_is_not_believed(spoil: Spoiled) -> None:
    spoil.replace("app.services.read_at_shop:is_readable", lambda _: lambda *args, **more: False)


@mutant("when an order becomes somebody else's, the first keeps its points")
def owner_never_changes(spoil: Spoiled) -> None:
    def make(decide: Any) -> Any:
        def keep(facts: Any, row: Any, order: Any) -> None:
            if row.member_id is None:
                decide(facts, row, order)

        return keep

    spoil.replace("app.services.settle_orders:_Facts._decide_owner", make)


# --- The inbox ---------------------------------------------------------------------------------------------------


@mutant("deliveries are told apart by the platform's delivery id alone")
def dedupe_by_delivery_id(spoil: Spoiled) -> None:
    spoil.sql("CREATE UNIQUE INDEX spoiled ON inbox (program_id, received_on, shop_id, delivery_ref)")


@mutant(
    "nothing tells doubled deliveries apart", harmless="it only saves work: the difference is what is right"
)
def no_dedupe(spoil: Spoiled) -> None:
    spoil.sql(
        "ALTER TABLE inbox DROP CONSTRAINT uq_inbox_program_id_received_on_shop_id_topic_body_hash_a365"
    )


@mutant("a delivery counts as done when it is taken, before it is settled")
def done_when_taken(spoil: Spoiled) -> None:
    def make(take: Any) -> Any:
        def taken(session: Any, vault: Any, *, now: datetime, limit: int = inbox.BATCH) -> Any:
            rows = take(session, vault, now=now, limit=limit)
            session.run(
                "UPDATE inbox SET state = 'done' WHERE {fence} AND id = ANY(:ids)",
                ids=[row.inbox_id for row in rows],
            )
            return rows

        return taken

    spoil.replace("app.db.inbox:take", make)


@mutant("no signature is checked")
def unsigned_is_believed(spoil: Spoiled) -> None:
    for platform in ("woocommerce", "shopify"):
        spoil.replace(f"connectors.{platform}.webhooks:require_hmac_sha256", lambda _: lambda *args: None)


# --- Reconciliation ----------------------------------------------------------------------------------------------


def _no_comparison(spoil: Spoiled, kind: str) -> None:
    def make(work: Any) -> Any:
        return {**work, kind: lambda run: None}

    spoil.replace("app.services.reconcile_shop:_WORK", make)


@mutant("changed orders are not compared with the shop")
def no_reconciliation(spoil: Spoiled) -> None:
    _no_comparison(spoil, "changed")


@mutant("what changes silently is not looked for")
def no_digests(spoil: Spoiled) -> None:
    _no_comparison(spoil, "digests")


@mutant("codes are not compared with the shop")
def no_code_reconciliation(spoil: Spoiled) -> None:
    _no_comparison(spoil, "codes")


# --- Redemptions -------------------------------------------------------------------------------------------------


@mutant("points come back on a time-out")
def compensate_on_timeout(spoil: Spoiled) -> None:
    issue_code = import_module("app.services.issue_code")

    def make(_: Any) -> Any:
        return lambda rt, row, error: issue_code._refused(
            rt, replace(row, unknown=False), Refused("gave_up", "no answer")
        )

    spoil.replace("app.services.issue_code:_later", make)


@mutant("each try asks the shop for a new code")
def new_code_on_retry(spoil: Spoiled) -> None:
    def make(spec: Any) -> Any:
        def anew(session: Any, row: Any) -> Any:
            told = spec(session, row)
            return replace(told, code=spoil.world.rt.new_code()) if row.attempts else told

        return anew

    spoil.replace("app.services.issue_code:code_spec", make)


@mutant("the shop is asked before the points are taken for good")
def call_before_commit(spoil: Spoiled) -> None:
    def make(enqueue: Any) -> Any:
        def ask(session: Any, name: str, /, **args: Any) -> None:
            if name == "issue_code" and "at" not in args:
                row = redemptions.get_redemption(session, args["redemption_id"])
                spec = code_specs.code_spec(session, row)
                with open_shop(spoil.world.rt, session.program_id, args["shop_id"]) as client:
                    client.issue_code(spec)
            enqueue(session, name, **args)

        return ask

    spoil.replace("app.db.jobs:enqueue", make)


@mutant("the client's key is not looked for, and no unique key stands behind it")
def no_idempotency_key(spoil: Spoiled) -> None:
    spoil.sql("ALTER TABLE redemptions DROP CONSTRAINT uq_redemptions_program_id_account_id_request_key")
    spoil.replace("app.db.redemptions:find_by_key", lambda _: lambda *args: None)


@mutant("points come back before the code is withdrawn")
def points_before_withdrawal(spoil: Spoiled) -> None:
    spoil.replace("app.services.close_redemption:_withdraw", lambda _: lambda *args: None)


@mutant("orders are not searched for a code that is cancelled")
def use_not_searched(spoil: Spoiled) -> None:
    spoil.replace("app.services.close_redemption:_may_be_used", lambda _: lambda *args: False)


@mutant("a try is counted when it ended, not when it begins")
def try_counted_late(spoil: Spoiled) -> None:
    def make(begin: Any) -> Any:
        def late(rt: Any, program_id: int, redemption_id: int) -> Any:
            begun = begin(rt, program_id, redemption_id)
            if begun is not None:
                with rt.db.begin(program_id) as session:
                    redemptions.update_redemption(
                        session, redemption_id, attempts=begun[0].attempts, unknown=begun[0].unknown
                    )
            return begun

        return late

    spoil.replace("app.services.issue_code:_begin", make)


@mutant("what was given back is not noted")
def returns_not_noted(spoil: Spoiled) -> None:
    def make(update: Any) -> Any:
        def forget(session: Any, redemption_id: int, **columns: Any) -> None:
            columns.pop("returned", None)
            if columns:
                update(session, redemption_id, **columns)

        return forget

    spoil.replace("app.db.redemptions:update_redemption", make)


@mutant("more points can be spent than there are")
def overspending(spoil: Spoiled) -> None:
    spoil.sql("ALTER TABLE entries DISABLE TRIGGER entries_enough_points")

    def make(balance: Any) -> Any:
        def rich(book: Book, *, at: datetime) -> Any:
            told = balance(book, at=at)
            return replace(told, available=told.available + 60)

        return rich

    spoil.replace("app.domain.ledger:Book.balance", make)
    spoil.replace("app.domain.ledger:_MAY_LEAVE_DEFICIT", lambda kinds: kinds | {"redeem", "adjustment"})


@mutant(
    "one job in five that asks the shop for a code is lost", harmless="what waits is found and put in again"
)
def jobs_lost(spoil: Spoiled) -> None:
    random = spoil.world.chance("lost jobs")

    def make(enqueue: Any) -> Any:
        def lose(session: Any, name: str, /, **args: Any) -> None:
            if name not in ("issue_code", "close_redemption") or random.random() > 0.2:
                enqueue(session, name, **args)

        return lose

    spoil.replace("app.db.jobs:enqueue", make)


# --- The ledger --------------------------------------------------------------------------------------------------


@mutant("entries may be changed: the trigger is off")
def trigger_dropped(spoil: Spoiled) -> None:
    spoil.sql("DROP TRIGGER entries_only_grow ON entries")


@mutant("an entry is corrected in place: the trigger and the revoked right are gone")
def entry_rewritten(spoil: Spoiled) -> None:
    spoil.sql("ALTER TABLE entries DISABLE TRIGGER entries_only_grow")
    spoil.sql("GRANT UPDATE ON entries TO laurel_app")

    def make(write: Any) -> Any:
        def rewrite(session: Any, books: Any) -> int:
            books = list(books)
            for book in books:
                session.run(
                    "UPDATE entries SET facts = facts || '{\"seen\": 1}' WHERE {fence} AND account_id = :id "
                    "AND seq = 1",
                    id=book.account[1],
                )
                session.run(
                    "UPDATE entries SET recorded_at = recorded_at + interval '1 second', "
                    "available_at = available_at + interval '1 second' WHERE {fence} AND account_id = :id AND seq = 1",
                    id=book.account[1],
                )
            return int(write(session, books))

        return rewrite

    spoil.replace("app.db.ledger:write_books", make)


@mutant("no unique key on entries", harmless="a backstop: what is missing is worked out under the lock")
def entries_not_unique(spoil: Spoiled) -> None:
    spoil.sql("ALTER TABLE entries DROP CONSTRAINT uq_entries_program_id_source_account_id_ordinal")


@mutant("row-level security is off on one table")
def policy_off(spoil: Spoiled) -> None:
    spoil.sql("ALTER TABLE orders DISABLE ROW LEVEL SECURITY")


def _no_filter(spoil: Spoiled) -> None:
    def make(_: Any) -> Any:
        return lambda sql, of="": re.sub(r"\{fence(?::\w+)?\}", "true", sql)

    spoil.replace("app.db.session:fenced", make)


@mutant(
    "the filter on the program is left out of every statement",
    harmless="row-level security refuses the rest",
)
def filter_removed(spoil: Spoiled) -> None:
    _no_filter(spoil)


@mutant("the filter on the program is left out, and row-level security is off")
def filter_and_policy_removed(spoil: Spoiled) -> None:
    _no_filter(spoil)
    for (table,) in spoil.world.eye.rows(
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = 'public' AND c.relrowsecurity ORDER BY 1"
    ):
        spoil.sql(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")


@mutant("expired lots are not emptied, so that they expire again")
def expiry_repeats(spoil: Spoiled) -> None:
    def make(take: Any) -> Any:
        def keep(book: Book, entry: Any) -> None:
            left = {seq: lot.remaining for seq, lot in book.lots.items()}
            take(book, entry)
            if entry.kind.value == "expiry":
                book.lots[entry.ate[0][0]].remaining = left[entry.ate[0][0]]

        return keep

    spoil.replace("app.domain.ledger:Book._apply", make)


@mutant("lots expire a month before their time")
def expires_early(spoil: Spoiled) -> None:
    def make(known: Any) -> Any:
        def ahead(session: Any, now: datetime) -> datetime | None:
            until = known(session, now)
            return None if until is None else until + timedelta(days=30)

        return ahead

    spoil.replace("app.services.expire_lots:known_until", make)


@mutant("a merge leaves one lot behind")
def merge_loses_a_lot(spoil: Spoiled) -> None:
    def make(transfer: Any) -> Any:
        def lose(book: Book, other: Book, source: str, **more: Any) -> None:
            lots = [seq for seq, lot in book.lots.items() if lot.remaining]
            kept = book.lots.pop(lots[-1]) if len(lots) > 1 else None
            transfer(book, other, source, **more)
            if kept is not None:
                book.lots[kept.seq] = kept

        return lose

    spoil.replace("app.domain.ledger:Book.transfer_to", make)


@mutant("the cached balance forgets a debit")
def cache_drifts(spoil: Spoiled) -> None:
    def make(update: Any) -> Any:
        def drift(session: Any, books: Any) -> None:
            for book in books:
                if any(entry.kind.value == "expiry" for entry in book.appended):
                    book.points += 1
            update(session, books)

        return drift

    spoil.replace("app.db.ledger:_update_accounts", make)


@mutant("each adjustment is booked as often as it is asked for")
def adjustments_repeat(spoil: Spoiled) -> None:
    spoil.sql("ALTER TABLE adjustments DROP CONSTRAINT uq_adjustments_program_id_account_id_request_key")
    spoil.replace("app.services.adjust:members", lambda _: _NoMerges())


class _NoMerges:
    def find_merged(self, session: Any, account_id: int) -> list[int]:
        return []


@mutant("the erased are not remembered, and come back with their next order")
def tombstones_ignored(spoil: Spoiled) -> None:
    spoil.replace("app.db.members:is_tombstoned", lambda _: lambda *args: set())

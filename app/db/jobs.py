"""Jobs, put into the queue in the same transaction as the change that needs them: the outbox.

`JOBS` is the one table of what each job's queue, locks and patience are: a job put in by bare name would lose
them. What a job does is in `app.jobs`.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import procrastinate
from procrastinate import exceptions

from app.db.session import Session

MAIN = "main"
SHOP_CALLS = "shop_calls"
PERIODIC = "periodic"

_WORD = re.compile(r"[a-z][a-z_]{0,29}", re.ASCII)


@dataclass(frozen=True, slots=True)
class JobSpec:
    """`lock`: those with the same never run together. `once`: those with the same never wait together."""

    queue: str
    lock: str | None = None
    once: str | None = None


JOBS: dict[str, JobSpec] = {
    # At most one saga step for a redemption at a time; creating codes is one at a time for a shop.
    "issue_code": JobSpec(SHOP_CALLS, lock="shop:{shop_id}:codes", once="issue:{redemption_id}"),
    "close_redemption": JobSpec(SHOP_CALLS, lock="shop:{shop_id}:codes", once="close:{redemption_id}"),
    "check_code": JobSpec(SHOP_CALLS, lock="shop:{shop_id}:codes", once="check:{redemption_id}"),
    "keep_balance": JobSpec(SHOP_CALLS, lock="shop:{shop_id}:codes", once="balance:{redemption_id}"),
    "reread_orders": JobSpec(SHOP_CALLS, lock="shop:{shop_id}:orders", once="reread:{shop_id}"),
    "reconcile_shop": JobSpec(SHOP_CALLS, lock="shop:{shop_id}:orders", once="reconcile:{shop_id}:{kind}"),
    # Not beside the two above: at most two calls at a time for a shop.
    "set_up_shop": JobSpec(SHOP_CALLS, lock="shop:{shop_id}:orders", once="set_up:{shop_id}"),
    "check_uninstall": JobSpec(SHOP_CALLS, lock="shop:{shop_id}:orders", once="left:{shop_id}"),
    "join_identity": JobSpec(MAIN, lock="program:{program_id}:people", once="join:{identity_id}"),
    "merge_customers": JobSpec(MAIN, lock="program:{program_id}:people"),
    "erase_shop": JobSpec(MAIN, lock="program:{program_id}:people"),
    "send_email_proof": JobSpec(MAIN, once="proof:{identity_id}"),
    "do_due": JobSpec(MAIN, lock="program:{program_id}:due", once="due:{program_id}"),
    # It reads the shop and settles in a transaction of its own: not beside what else reads that shop.
    "try_counting": JobSpec(SHOP_CALLS, lock="shop:{shop_id}:orders", once="preview:{preview_id}"),
    "try_program": JobSpec(MAIN, lock="program:{program_id}:preview", once="preview:{preview_id}"),
    "audit_changed": JobSpec(MAIN, lock="program:{program_id}:audit", once="audit:{program_id}"),
    "tell_freeze": JobSpec(MAIN, once="freeze:{program_id}"),
    "read_facts": JobSpec(SHOP_CALLS, lock="shop:{shop_id}:orders", once="facts:{shop_id}"),
    "align_tiers": JobSpec(MAIN, lock="program:{program_id}:tiers", once="align:{program_id}"),
    "recount": JobSpec(MAIN, lock="program:{program_id}:recount", once="recount:{program_id}:{shop_id}"),
}


def enqueue(session: Session, name: str, /, *, at: datetime | None = None, **args: Any) -> None:
    """Put a job into the queue; it exists if and only if the session's transaction commits.

    `at`: not before. A job that already waits for the same thing is not put in twice. Arguments are our ids and
    plain words, never anything personal.
    """
    spec = JOBS[name]
    args.setdefault("program_id", session.programs[0] if len(session.programs) == 1 else None)
    if args["program_id"] is None:
        raise ValueError(f"{name}: whose program?")
    for arg, value in args.items():
        if not (
            value is None or isinstance(value, int) or (isinstance(value, str) and _WORD.fullmatch(value))
        ):
            raise ValueError(f"{name}: {arg} is neither an id of ours nor a plain word")
    driver = session.connection.connection.driver_connection
    configured = _app().configure_task(
        name,
        queue=spec.queue,
        # What waits for a time takes its lock then: waiting with it would block every later job of that lock.
        lock=spec.lock.format(**args) if spec.lock and at is None else None,
        queueing_lock=spec.once.format(**args) if spec.once else None,
        schedule_at=at,
        connection=driver,
    )
    if spec.once is None:
        configured.defer(**args)
        return
    try:
        with session.connection.begin_nested():
            configured.defer(**args)
    except exceptions.AlreadyEnqueued:
        return


@cache
def _app() -> procrastinate.App:
    # Never opened: it only writes rows, on the connection of the caller's transaction.
    return procrastinate.App(connector=procrastinate.SyncPsycopgConnector())

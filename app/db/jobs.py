"""Jobs, put into the queue in the same transaction as the change that needs them: the outbox.

`JOBS` is the one table of what each job's queue, locks and patience are: a job put in by bare name would lose
them. What a job does is in `app.jobs`.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import procrastinate
from procrastinate import exceptions
from procrastinate.jobs import Job

from app.db import statements
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
    # Reading orders and writing profiles take turns: codes alone go beside them.
    "write_profiles": JobSpec(SHOP_CALLS, lock="shop:{shop_id}:orders", once="profiles:{shop_id}"),
    "tell_happenings": JobSpec(SHOP_CALLS, lock="shop:{shop_id}:orders", once="tell:{shop_id}"),
    "sweep_profiles": JobSpec(MAIN, lock="shop:{shop_id}:sweep", once="sweep:{shop_id}"),
    "align_tiers": JobSpec(MAIN, lock="program:{program_id}:tiers", once="align:{program_id}"),
    "recount": JobSpec(MAIN, lock="program:{program_id}:recount", once="recount:{program_id}:{shop_id}"),
}


def enqueue(session: Session, name: str, /, *, at: datetime | None = None, **args: Any) -> None:
    """Put a job into the queue; it exists if and only if the session's transaction commits.

    `at`: not before. A job that already waits for the same thing is not put in twice. Arguments are our ids and
    plain words, never anything personal.
    """
    enqueue_all(session, name, [args], at=at)


def enqueue_all(
    session: Session, name: str, all_args: Iterable[Mapping[str, Any]], *, at: datetime | None = None
) -> None:
    """The same for many at once, in as many statements as for one."""
    wanted = _not_twice(_job(session, name, args, at) for args in all_args)
    while wanted := _without_waiting(session, wanted):
        try:
            with session.connection.begin_nested():
                _defer(session, wanted)
        except exceptions.AlreadyEnqueued:  # put in by somebody else since we looked
            continue
        return


def _without_waiting(session: Session, wanted: list[Job]) -> list[Job]:
    locks = [job.queueing_lock for job in wanted if job.queueing_lock]
    if not locks:
        return wanted
    waiting = set(statements.run(session.connection, _WAITING, {"locks": locks}).scalars())
    return [job for job in wanted if job.queueing_lock not in waiting]


_WAITING = (
    "SELECT queueing_lock FROM procrastinate_jobs WHERE status = 'todo' AND queueing_lock = ANY(:locks)"
)


def _job(session: Session, name: str, given: Mapping[str, Any], at: datetime | None) -> Job:
    spec = JOBS[name]
    only = session.programs[0] if len(session.programs) == 1 else None
    args = {"program_id": only, **given}
    if args["program_id"] is None:
        raise ValueError(f"{name}: whose program?")
    for arg, value in args.items():
        if not (
            value is None or isinstance(value, int) or (isinstance(value, str) and _WORD.fullmatch(value))
        ):
            raise ValueError(f"{name}: {arg} is neither an id of ours nor a plain word")
    return Job(
        id=None,
        queue=spec.queue,
        # What waits for a time takes its lock then: waiting with it would block every later job of that lock.
        lock=spec.lock.format(**args) if spec.lock and at is None else None,
        queueing_lock=spec.once.format(**args) if spec.once else None,
        task_name=name,
        task_kwargs=args,
        scheduled_at=at,
    )


def _not_twice(jobs: Iterable[Job]) -> list[Job]:
    """Without those that would wait for the same thing as one before them."""
    seen: dict[object, Job] = {}
    for job in jobs:
        seen.setdefault(job.queueing_lock or object(), job)
    return list(seen.values())


def _defer(session: Session, wanted: list[Job]) -> None:
    _app().job_manager.batch_defer_jobs(wanted, connection=session.connection.connection.driver_connection)


@cache
def _app() -> procrastinate.App:
    # Never opened: it only writes rows, on the connection of the caller's transaction.
    return procrastinate.App(connector=procrastinate.SyncPsycopgConnector())

"""The queue, worked off by hand: jobs run when the tests' clock has come to them."""

from importlib import import_module
from typing import Any

from app.services.runtime import Runtime

MAX_ROUNDS = 50


def run_jobs(rt: Runtime, program_id: int) -> list[str]:
    """Run every job of the program that is due, and those they put in, until none is. Returns their names."""
    ran: list[str] = []
    for _ in range(MAX_ROUNDS):
        due = take_due(rt, program_id)
        if not due:
            return ran
        for name, args in due:
            service = getattr(import_module(f"app.services.{name}"), name)
            service(rt, **args)
            ran.append(name)
    raise AssertionError(f"jobs without end: {ran[-5:]}")


def take_due(rt: Runtime, program_id: int) -> list[tuple[str, dict[str, Any]]]:
    with rt.db.outside() as connection:
        rows = connection.exec_driver_sql(
            "DELETE FROM procrastinate_jobs WHERE status = 'todo' AND (args->>'program_id')::bigint = %(program)s "
            "AND coalesce(scheduled_at, %(now)s) <= %(now)s RETURNING id, task_name, args",
            {"program": program_id, "now": rt.now()},
        ).all()
    return [(row.task_name, row.args) for row in sorted(rows)]

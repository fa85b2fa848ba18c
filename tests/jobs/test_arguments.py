"""Whatever code puts into the queue, the job's service can be called with."""

import ast
import inspect
from collections.abc import Iterator

import pytest

from app.db.jobs import JOBS
from app.jobs.tasks import service_of
from tests.architecture.rules import PROJECT

PUTS = {"enqueue", "enqueue_all"}
Put = tuple[str, tuple[str, ...]]


def puts() -> Iterator[Put]:
    """(job, names of its arguments) wherever they stand in the code as they are: as keywords, or as dicts in a list."""
    for path in sorted((PROJECT / "app").rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text())):
            if not isinstance(call, ast.Call) or _name(call.func) not in PUTS or len(call.args) < 2:
                continue
            job = call.args[1]
            if not isinstance(job, ast.Constant) or job.value not in JOBS:
                continue
            if _name(call.func) == "enqueue":
                yield (
                    job.value,
                    tuple(sorted(one.arg for one in call.keywords if one.arg and one.arg != "at")),
                )
            for told in ast.walk(call.args[2]) if len(call.args) > 2 else ():
                if isinstance(told, ast.Dict):
                    names = (str(key.value) for key in told.keys if isinstance(key, ast.Constant))
                    yield job.value, tuple(sorted(names))


def _name(func: ast.expr) -> str | None:
    return func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", None)


@pytest.mark.parametrize("put", sorted(set(puts())), ids=lambda put: f"{put[0]}: {', '.join(put[1])}")
def test_a_job_has_the_arguments_of_its_service(put: Put) -> None:
    job, names = put
    inspect.signature(service_of(job)).bind(None, **{"program_id": 1, **dict.fromkeys(names)})


def test_most_jobs_are_looked_at() -> None:
    assert len({job for job, _ in puts()}) > len(JOBS) // 2

"""The workers of one process: one for our own work, one for calls to shops, so that a slow shop delays nobody else."""

import asyncio
import contextlib
from concurrent.futures import ThreadPoolExecutor

import procrastinate
import structlog

from app.db.jobs import MAIN, PERIODIC, SHOP_CALLS
from app.db.session import noticing
from app.jobs.tasks import make_app
from app.services.runtime import Runtime

MAIN_AT_ONCE = 3
SHOP_CALLS_AT_ONCE = 8
_STOP_WITHIN_S = 25.0  # a shop's longest answer takes 15
_AGAIN_AFTER_S = 5.0

log = structlog.get_logger()


async def run_workers(rt: Runtime, stop: asyncio.Event, *, shop_calls: int = SHOP_CALLS_AT_ONCE) -> None:
    """Work until `stop`. A database that goes away is waited for."""
    asyncio.get_running_loop().set_default_executor(
        ThreadPoolExecutor(max_workers=MAIN_AT_ONCE + shop_calls + 2, thread_name_prefix="laurel-job")
    )
    while not stop.is_set():
        try:
            await _run_once(rt, stop, shop_calls)
        except Exception as error:
            log.exception("workers_stopped", error=type(error).__name__)
        if not stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _AGAIN_AFTER_S)


async def _run_once(rt: Runtime, stop: asyncio.Event, shop_calls: int) -> None:
    connector = procrastinate.PsycopgConnector(
        conninfo=rt.db.url, min_size=1, max_size=6, kwargs=noticing(rt.db.url)
    )
    app = make_app(rt, connector)
    async with app.open_async():
        workers = [
            asyncio.create_task(_worker(app, name, queues, at_once))
            for name, queues, at_once in (
                ("main", [MAIN, PERIODIC], MAIN_AT_ONCE),
                ("shop_calls", [SHOP_CALLS], shop_calls),
            )
        ]
        stopping = asyncio.create_task(stop.wait())
        # A worker whose connection breaks ends by itself; then all are begun anew.
        await asyncio.wait([stopping, *workers], return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        for worker in workers:
            worker.cancel()
        for ended in await asyncio.gather(*workers, return_exceptions=True):
            if isinstance(ended, Exception):
                log.error("worker_ended", error=type(ended).__name__)


async def _worker(app: procrastinate.App, name: str, queues: list[str], at_once: int) -> None:
    await app.run_worker_async(
        queues=queues,
        name=name,
        concurrency=at_once,
        delete_jobs="successful",
        install_signal_handlers=False,
        shutdown_graceful_timeout=_STOP_WITHIN_S,
        fetch_job_polling_interval=2.0,
    )

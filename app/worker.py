"""The worker process: the drain in a thread of its own, the job workers beside it. Stops cleanly on TERM and INT."""

import asyncio
import os
import signal
import threading

import structlog

from app.bootstrap import build, refuse_unguarded
from app.db.bell import Listener
from app.jobs.workers import SHOP_CALLS_AT_ONCE, run_workers
from app.services.drain_inbox import drain_inbox
from app.services.runtime import Runtime
from app.settings import Settings

LOOK_EVERY_S = 1.0
_AFTER_A_FAILURE_S = 5.0

log = structlog.get_logger()


def run(settings: Settings, *, shop_calls: int = SHOP_CALLS_AT_ONCE) -> None:
    """Work until told to stop. Raises: GuardsMissing, EmbeddedError."""
    rt = build(settings, pool_size=shop_calls + 8)
    refuse_unguarded(rt)
    asyncio.run(_run(rt, shop_calls))
    rt.db.close()


async def _run(rt: Runtime, shop_calls: int) -> None:
    stop, stopped = asyncio.Event(), threading.Event()
    _on_signals(stop, stopped)
    drain = threading.Thread(target=drain_until, args=(rt, stopped), name="laurel-drain")
    drain.start()
    log.info("worker_started", pid=os.getpid())
    try:
        await run_workers(rt, stop, shop_calls=shop_calls)
    finally:
        stopped.set()
        await asyncio.to_thread(drain.join)
        log.info("worker_stopped", pid=os.getpid())


def drain_until(rt: Runtime, stopped: threading.Event) -> None:
    """Drain the inbox whenever the bell rings, and every second; a batch that is under way is finished."""
    listener = Listener(rt.db.url)
    while not stopped.is_set():
        try:
            drained = drain_inbox(rt, go_on=lambda: not stopped.is_set())
        except Exception:
            log.exception("drain_stopped")
            stopped.wait(_AFTER_A_FAILURE_S)
            continue
        if drained.total:
            log.info("drained", **drained.states)
        listener.wait(LOOK_EVERY_S, stopped)
    listener.close()


def _on_signals(stop: asyncio.Event, stopped: threading.Event) -> None:
    loop = asyncio.get_running_loop()

    def asked() -> None:
        if stop.is_set():
            log.warning("worker_killed", pid=os.getpid())
            os._exit(1)  # asked twice: its jobs are revived elsewhere
        log.info("worker_stopping", pid=os.getpid())
        stop.set()
        stopped.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked)

"""Room on the disk: a delivery is refused while PostgreSQL still runs, rather than promised and lost."""

import threading
import time
from pathlib import Path

from app.domain.errors import Retryable
from app.services.check_health import disk_problem
from app.services.runtime import Runtime

_LOOK_EVERY_S = 5.0
_lock = threading.Lock()
_seen: dict[Path, tuple[float, str | None]] = {}


def require_room(rt: Runtime) -> None:
    """Raises: Retryable while the embedded database's disk is nearly full. Looks every few seconds."""
    folder = rt.database_folder
    if folder is None:
        return
    now = time.monotonic()
    with _lock:
        looked_at, problem = _seen.get(folder, (-_LOOK_EVERY_S, None))
        if now - looked_at >= _LOOK_EVERY_S:
            problem = disk_problem(folder)
            _seen[folder] = (now, problem)
    if problem is not None:
        raise Retryable(problem, retry_after_s=60)

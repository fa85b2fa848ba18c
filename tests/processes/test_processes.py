"""The storm's short form: each way to die once. The long one is `python -m tests.processes` (docs/reliability.md)."""

import os
import shutil
import tempfile
from pathlib import Path

from tests.processes.ground import broken_ground
from tests.processes.storm import Storm


def test_what_was_acknowledged_is_there_once_whatever_dies() -> None:
    home = Path(tempfile.gettempdir()) / f"laurel-storm-{os.getpid()}"
    with broken_ground(home) as (ground, program_id, stand):
        storm = Storm(ground, program_id, stand, seed=1)
        storm.gather()
        storm.blow(4, pause_s=1.0, progress=lambda done, of: None)
        outcome = storm.settle()
    assert outcome.problems == []
    assert sum(outcome.told.strikes.values()) == 4
    assert len(outcome.told.acknowledged) > 20
    shutil.rmtree(home)  # kept where something is wrong: the processes' logs are in it

"""Audit and replay find what is wrong with activities, whoever wrote it past the code."""

from collections.abc import Callable
from datetime import timedelta

import psycopg
import pytest

from app.services.audit import audit
from app.services.replay import replay
from app.services.runtime import Runtime
from tests.conftest import NOW, DatabaseUrls
from tests.services.crowd import REFERRAL, Crowd, bought, make_crowd

Plant = Callable[[str], None]


@pytest.fixture
def crowd(rt: Runtime) -> Crowd:
    crowd = make_crowd(rt, referral=REFERRAL)
    ann, ben = crowd.member("ann"), crowd.member("ben")
    crowd.did(ann, "review", "k")
    crowd.bring(ann, ben)
    crowd.see(bought("ben", at=NOW + timedelta(minutes=1)))
    crowd.require_proof()
    return crowd


@pytest.fixture
def plant(crowd: Crowd, database: DatabaseUrls) -> Plant:
    """Run SQL past every guard, for this program's rows."""

    def run(sql: str) -> None:
        with psycopg.connect(database.superuser_url) as connection:
            connection.execute(sql, {"program": crowd.program_id})

    return run


def audited(crowd: Crowd) -> set[str]:
    return {one.what for one in audit(crowd.rt, crowd.program_id).problems}


def replayed(crowd: Crowd) -> set[str]:
    return {one.what for one in replay(crowd.rt, crowd.program_id).differences}


@pytest.mark.parametrize("kind", ["review", "sign_up", "referrer", "friend"])
def test_another_target_than_the_rule_gives_is_found(crowd: Crowd, plant: Plant, kind: str) -> None:
    plant(f"UPDATE activities SET target_points = 7 WHERE program_id = %(program)s AND kind = '{kind}'")
    assert "held" in audited(crowd)
    assert "target" in replayed(crowd)


def test_an_activity_that_somebody_else_holds_is_found(crowd: Crowd, plant: Plant) -> None:
    plant(
        "UPDATE activities a SET member_id = (SELECT max(id) FROM members m WHERE m.program_id = %(program)s) "
        "WHERE program_id = %(program)s AND kind = 'review'"
    )
    assert {"held", "held_by_other"} <= audited(crowd)
    assert "points" in replayed(crowd)


def test_an_entry_without_its_activity_is_found(crowd: Crowd, plant: Plant) -> None:
    plant("DELETE FROM activities WHERE program_id = %(program)s AND kind = 'review'")
    assert "no_cause" in audited(crowd)
    assert "points" in replayed(crowd)


def test_a_reason_that_was_taken_away_is_found(crowd: Crowd, plant: Plant) -> None:
    for number in range(3):
        crowd.did(crowd.known("ann"), "review", f"more-{number}")
    assert replayed(crowd) == set()
    plant("UPDATE activities SET zero = NULL WHERE program_id = %(program)s AND zero = 'limit'")
    assert "target" in replayed(crowd)

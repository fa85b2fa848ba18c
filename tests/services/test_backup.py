"""A backup restores to the very same ledger; what it must not lose is carried over, and nothing else is touched."""

import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

from app.db.migrating import migrate, require_guards
from app.db.place import Place, looking_at, wait_for_others
from app.db.sealing import KeyRing
from app.db.session import Database
from app.domain.errors import Refused
from app.services.audit import audit
from app.services.backup import backup
from app.services.erase_customer import erase_customer
from app.services.restore import restore
from app.services.runtime import Runtime
from tests.conftest import Clock, DatabaseUrls, Mails, make_runtime, unique
from tests.services.histories import History, a_bit_of_everything

RING = KeyRing([b"k" * 32])


@dataclass(slots=True)
class Home:
    """A database of its own, with a history in it."""

    place: Place
    clock: Clock

    def open(self) -> Runtime:
        return make_runtime(Database(self.place.app_url, pool_size=2), self.clock, Mails())

    def balances(self, program_id: int) -> list[tuple[object, ...]]:
        rt = self.open()
        with rt.db.begin(program_id) as session:
            rows = session.rows(
                "SELECT a.id, a.points, a.deficit, a.seq, a.head, m.tier_key FROM accounts a "
                "JOIN members m ON m.program_id = a.program_id AND m.id = a.id WHERE {fence:a} ORDER BY a.id"
            )
        rt.db.close()
        return [tuple(row) for row in rows]


def new_place(database: DatabaseUrls) -> Place:
    server = make_url(database.superuser_url).set(database="postgres").render_as_string(hide_password=False)
    here = Place(database.app_url, database.owner_url, database.superuser_url, server)
    name = unique("laurel_home").replace("-", "_")
    with psycopg.connect(server, autocommit=True) as connection:
        owner = make_url(database.owner_url).username
        connection.execute(f'CREATE DATABASE {name} OWNER "{owner}"'.encode())
    place = here.beside(name)
    migrate(place.owner_url, place.app_url)
    return place


def drop(place: Place) -> None:
    assert place.server_url is not None
    with psycopg.connect(place.server_url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {place.name} WITH (FORCE)".encode())


@pytest.fixture(scope="module")
def lived(database: DatabaseUrls) -> Iterator[tuple[Home, History]]:
    """Read only, for all tests."""
    home = Home(new_place(database), Clock())
    rt = home.open()
    past = a_bit_of_everything(rt, home.clock)
    rt.db.close()
    yield home, past
    drop(home.place)


@pytest.fixture(scope="module")
def saved(lived: tuple[Home, History], tmp_path_factory: pytest.TempPathFactory) -> Path:
    home, _ = lived
    file = tmp_path_factory.mktemp("saved") / "laurel.backup"
    backup(home.place, file, now=home.clock())
    return file


@pytest.fixture
def other(database: DatabaseUrls) -> Iterator[Place]:
    place = new_place(database)
    yield place
    drop(place)


def test_what_is_restored_is_what_was_backed_up(
    lived: tuple[Home, History], other: Place, tmp_path: Path
) -> None:
    home, past = lived
    file = tmp_path / "laurel.backup"
    steps: list[tuple[int, int]] = []
    said = backup(home.place, file, now=home.clock(), progress=lambda *step: steps.append(step))
    assert file.stat().st_mode & 0o777 == 0o600
    assert steps[-1] == (2, 2)
    rt = home.open()
    before = audit(rt, past.program_id)
    rt.db.close()
    assert said.programs[past.program_id].digest == before.digest

    there = Home(other, home.clock)
    done = restore(other, file, ring=RING, now=home.clock(), progress=lambda *step: steps.append(step))
    assert steps[-1] == (6, 6)
    after = done.audits[said.programs[past.program_id].key]
    assert after == before
    assert there.balances(past.program_id) == home.balances(past.program_id)
    rt = there.open()
    with rt.db.outside() as connection:
        require_guards(connection)
    assert rt.vault.installation_id == done.installation_id != said.installation_id
    rt.db.close()


def test_functions_that_run_with_the_owners_rights_are_not_everybodys(
    lived: tuple[Home, History], other: Place, saved: Path
) -> None:
    home, _ = lived
    restore(other, saved, ring=RING, now=home.clock())
    asked = (
        "SELECT proname, has_function_privilege('public', oid, 'EXECUTE'), pg_get_userbyid(proowner) "
        "FROM pg_proc WHERE prosecdef AND proname LIKE 'laurel%' ORDER BY proname"
    )
    with psycopg.connect(home.place.everything_url) as connection:
        right = connection.execute(asked).fetchall()
    with psycopg.connect(other.everything_url) as connection:
        assert connection.execute(asked).fetchall() == right
        assert [row[1] for row in right] == [False, False, False]


def test_erasures_since_the_backup_are_carried_over(database: DatabaseUrls, tmp_path: Path) -> None:
    home = Home(new_place(database), Clock())
    rt = home.open()
    past = a_bit_of_everything(rt, home.clock)
    backup(home.place, tmp_path / "b", now=home.clock())
    home.clock.forward(days=1)
    with rt.db.begin(past.program_id) as session:
        shop_id = past.shop.shop.shop_id
        erase_customer(session, rt.vault, shop_id, "7", email=None, now=home.clock())
        erase_customer(session, rt.vault, shop_id, "g", email="guest@example.test", now=home.clock())
    balances = home.balances(past.program_id)
    rt.db.close()
    done = restore(home.place, tmp_path / "b", ring=RING, now=home.clock(), force=True)
    assert done.erased == 1
    rt = home.open()
    with rt.db.begin(past.program_id) as session:
        left = session.scalar("SELECT count(*) FROM identities WHERE {fence} AND customer_ref = '7'")
        named = session.scalar(
            "SELECT count(*) FROM orders WHERE {fence} AND snapshot->>'customer_ref' = '7'"
        )
        guests = session.scalar("SELECT count(*) FROM orders WHERE {fence} AND email_hash IS NOT NULL")
        stones = session.scalar("SELECT count(*) FROM tombstones WHERE {fence}")
    rt.db.close()
    assert (left, named, guests, stones) == (0, 0, 0, 3)
    assert home.balances(past.program_id) == balances  # the ledger stays whole
    drop(home.place)


def test_what_is_there_is_not_replaced_unasked_nor_under_others_feet(
    lived: tuple[Home, History], saved: Path
) -> None:
    home, past = lived
    with pytest.raises(Refused, match="not_empty"):
        restore(home.place, saved, ring=RING, now=home.clock())
    with psycopg.connect(home.place.app_url), pytest.raises(Refused, match="in_use"):
        restore(home.place, saved, ring=RING, now=home.clock(), force=True)
    assert home.balances(past.program_id)


def test_a_process_that_is_just_ending_is_waited_for(lived: tuple[Home, History]) -> None:
    home, _ = lived
    with looking_at(home.place.everything_url) as connection:
        leaving = psycopg.connect(home.place.app_url)
        assert wait_for_others(connection, seconds=0) == 1
        threading.Timer(0.2, leaving.close).start()
        assert wait_for_others(connection) == 0


def test_a_restore_that_fails_leaves_everything_as_it_was(
    lived: tuple[Home, History], saved: Path, tmp_path: Path
) -> None:
    home, past = lived
    bad = tmp_path / "bad"
    with zipfile.ZipFile(saved) as packed, zipfile.ZipFile(bad, "w") as spoilt:
        spoilt.writestr("manifest.json", packed.read("manifest.json"))
        spoilt.writestr("database.dump", packed.read("database.dump")[:-2000])
    before = home.balances(past.program_id)
    with pytest.raises(Refused, match="load_failed"):
        restore(home.place, bad, ring=RING, now=home.clock(), force=True)
    assert home.balances(past.program_id) == before
    assert home.place.server_url is not None
    with psycopg.connect(home.place.server_url) as connection:
        left = connection.execute("SELECT 1 FROM pg_database WHERE datname LIKE %s", [f"{home.place.name}_%"])
        assert left.fetchall() == []


def test_other_keys_are_refused_before_anything_is_touched(
    lived: tuple[Home, History], other: Place, saved: Path
) -> None:
    home, _ = lived
    with pytest.raises(Refused, match="other_keys"):
        restore(other, saved, ring=KeyRing([b"x" * 32]), now=home.clock())


def test_what_is_no_backup_is_refused(other: Place, clock: Clock, tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(b"PK\x03\x04 something")
    with pytest.raises(Refused, match="not_a_backup"):
        restore(other, tmp_path / "b", ring=RING, now=clock())


def test_a_file_is_never_overwritten(lived: tuple[Home, History], tmp_path: Path) -> None:
    home, _ = lived
    (tmp_path / "b").write_text("precious")
    with pytest.raises(Refused, match="file_exists"):
        backup(home.place, tmp_path / "b", now=home.clock())
    assert (tmp_path / "b").read_text() == "precious"


def test_a_role_that_sees_one_program_at_a_time_makes_no_backup(
    lived: tuple[Home, History], tmp_path: Path
) -> None:
    home, _ = lived
    elsewhere = replace(home.place, everything_url=home.place.owner_url, server_url=None)
    with pytest.raises(Refused, match="BYPASSRLS"):
        backup(elsewhere, tmp_path / "b", now=home.clock())
    assert not list(tmp_path.iterdir())


def test_a_database_of_ones_own_is_filled_if_it_is_empty(
    lived: tuple[Home, History], other: Place, saved: Path
) -> None:
    home, past = lived
    elsewhere = replace(other, everything_url=other.owner_url, server_url=None)
    with pytest.raises(Refused, match="not_empty"):
        restore(elsewhere, saved, ring=RING, now=home.clock())
    with psycopg.connect(other.owner_url) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    done = restore(elsewhere, saved, ring=RING, now=home.clock())
    assert [found.problems for found in done.audits.values()] == [[]]
    assert Home(other, home.clock).balances(past.program_id) == home.balances(past.program_id)


def test_the_backup_holds_no_key(lived: tuple[Home, History], saved: Path) -> None:
    home, _ = lived
    with psycopg.connect(home.place.everything_url) as connection:
        password = connection.info.password
    assert password.encode() not in (saved).read_bytes()
    assert b"k" * 32 not in (saved).read_bytes()

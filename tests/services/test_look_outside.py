"""What `laurel doctor` sees by asking others: each thing once right, and broken one by one."""

import base64
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask, Response

from app.bootstrap import clock as now
from app.db.shops import update_shop
from app.mail import mail_checker
from app.services.look_outside import SOON, look_outside
from app.services.runtime import Runtime
from connectors.http import Http, StandIn
from sandbox.authority import Authority
from sandbox.serve import Served
from tests.conftest import Clock, make_program, unique
from tests.services.houses import make_shop

HOSTS = ("laurel.example", "shop.example")


class Outside:
    """A shop and our own public address over TLS, which answer as they are told."""

    def __init__(self, rt: Runtime, clock: Clock, tmp_path: Path) -> None:
        self.authority, self.clock = Authority(), clock
        self.status = 200
        clock.at = now()  # the server that answers has no other
        self._file = tmp_path / "authority.pem"
        self._file.write_bytes(self.authority.pem())
        self.rt, self.key = rt, ""

    def app(self) -> Flask:
        app = Flask(unique("outside"))

        @app.get("/")
        @app.get("/healthz")
        def answer() -> Response:
            return Response("", self.status)

        return app

    def look(
        self, certificate: tuple[str, ...] = HOSTS, ends_at: datetime | None = None
    ) -> dict[str, str | None]:
        """Name -> problem, for our address and the shop."""
        tls = self.authority.server_context(*certificate, ends_at=ends_at)
        with Served(self.app(), tls=tls) as served:
            port = int(served.address.rpartition(":")[2])
            there = StandIn("127.0.0.1", port, str(self._file))
            rt = replace(self.rt, http=Http(dict.fromkeys(HOSTS, there)))
            found = {one.name: one.problem for one in look_outside(rt)}
        return {"public": found["public address"], "shop": found[f"shop {self.key} from here"]}


@pytest.fixture
def outside(rt: Runtime, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Outside:
    made = Outside(rt, clock, tmp_path)
    program_id = make_program(rt)
    # Other tests' shops are in this database too, and lead nowhere.
    monkeypatch.setattr("app.services.look_outside.slices", lambda _: [[program_id]])
    shop = make_shop(rt, program_id, currency="EUR")
    with rt.db.begin(program_id) as session:
        update_shop(session, shop.shop_id, url="https://shop.example")
    made.key = shop.key
    return made


def test_what_is_well_is_said_to_be(outside: Outside) -> None:
    assert outside.look() == {"public": None, "shop": None}


def test_a_shop_whose_clock_is_not_ours(outside: Outside, clock: Clock) -> None:
    clock.forward(hours=1)
    told = outside.look()
    assert told["public"] is None
    assert re.fullmatch(
        r"its clock is -3[56]\d\d s from this machine's: set the time by NTP, here first", str(told["shop"])
    )


def test_a_certificate_that_ends_soon_is_named_with_its_day(outside: Outside, clock: Clock) -> None:
    assert outside.look(ends_at=clock.at + SOON + timedelta(days=1)) == {"public": None, "shop": None}
    ends_at = clock.at + timedelta(days=5)
    for problem in outside.look(ends_at=ends_at).values():
        assert str(problem).startswith(f"its certificate ends on {ends_at:%Y-%m-%d}: renew it")


def test_a_certificate_of_somebody_else_is_not_valid(outside: Outside) -> None:
    for problem in outside.look(certificate=("other.example",)).values():
        assert problem is not None
        assert "its certificate is not valid" in problem


def test_a_proxy_that_leads_nowhere_and_a_shop_that_is_down(outside: Outside) -> None:
    outside.status = 502
    told = outside.look()
    assert (
        told["public"] == "https://laurel.example/healthz answers 502: does the proxy lead to `laurel serve`?"
    )
    assert told["shop"] == "answers 502: ask who runs it"


def test_nobody_there(outside: Outside) -> None:
    nowhere = StandIn("127.0.0.1", 1)
    rt = replace(outside.rt, http=Http(dict.fromkeys(HOSTS, nowhere)))
    problems = {one.name: one.problem for one in look_outside(rt)}
    for name in ("public address", f"shop {outside.key} from here"):
        assert "cannot be reached from here (ConnectError)" in str(problems[name])


# --- The mail server ---------------------------------------------------------------------------------------------


@contextmanager
def mail_server(authority: Authority, *, knows: str) -> Iterator[int]:
    """Speaks as much SMTP over TLS as signing in takes, to one visitor. Gives its port."""
    listening = socket.create_server(("127.0.0.1", 0))
    right = base64.b64encode(b"\0mailer\0" + knows.encode()).decode()

    def serve() -> None:
        plain, _ = listening.accept()
        with authority.server_context().wrap_socket(plain, server_side=True) as visitor:
            lines = visitor.makefile("rwb")
            lines.write(b"220 mail.example\r\n")
            lines.flush()
            for line in lines:
                word = line.decode().split()
                answers = {"EHLO": "250-mail.example\r\n250 AUTH PLAIN", "NOOP": "250 ok", "QUIT": "221 bye"}
                answer = answers.get(word[0].upper(), "502 no")
                if word[0].upper() == "AUTH":
                    answer = "235 in" if word[-1] == right else "535 no"
                lines.write(f"{answer}\r\n".encode())
                lines.flush()
                if word[0].upper() == "QUIT":
                    return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    with listening:
        yield listening.getsockname()[1]


@pytest.mark.parametrize(("password", "said"), [("right", None), ("wrong", "knows no such user or password")])
def test_the_mail_server_lets_us_in_or_says_why_not(
    rt: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, password: str, said: str | None
) -> None:
    authority, trusted = Authority(), tmp_path / "authority.pem"
    trusted.write_bytes(authority.pem())
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    with mail_server(authority, knows="right") as port:
        check = mail_checker(f"smtps://mailer:{password}@localhost:{port}")
        problem = mail_problem(replace(rt, check_mail=check))
    assert (problem is None) if said is None else (said in str(problem))


def test_a_mail_server_that_is_not_there_and_one_that_was_never_set(rt: Runtime) -> None:
    gone = mail_problem(replace(rt, check_mail=mail_checker("smtps://mailer:pw@localhost:1")))
    assert gone == (
        "localhost: no way in (ConnectionRefusedError): check SMTP_URL, and that this machine may call out "
        "on that port"
    )
    assert mail_problem(replace(rt, check_mail=mail_checker(None), sends_mail=False)) is None


def mail_problem(rt: Runtime) -> str | None:
    return next(one.problem for one in look_outside(replace(rt, public_url="")) if one.name == "mail")

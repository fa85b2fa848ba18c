"""A canary of every secret goes through the log, the traceback included; none comes out."""

import io
import logging
import sys

import pytest
import structlog

from app import logs
from app.domain.redacting import redacted

CANARIES = {
    "token": "shpat_0123456789abcdef0123456789abcdef",
    "app secret": "shpss_0123456789abcdef",
    "key": "ck_0123456789abcdef0123456789abcdef01234567",
    "key's secret": "cs_0123456789abcdef0123456789abcdef01234567",
    "header": "Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.abc.def",
    "basic": "Basic dXNlcjpwYXNzd29yZA==",
    "query": "https://shop.example/x?code=abcdef&hmac=123456",
    "address": "Ada.Lovelace+shop@mail.example",
    "database": "postgresql://laurel:s3cr3tword@db/laurel",
    "code": "LRL-0123456789ABCDEF",
    "field": "client_secret=verysecretvalue",
    "json": '"access_token": "verysecretvalue"',
}
PARTS = {
    "header": "eyJhbGciOiJIUzI1NiJ9",
    "basic": "dXNlcjpwYXNzd29yZA",
    "query": "abcdef&hmac",
    "database": "s3cr3tword",
    "field": "verysecretvalue",
    "json": "verysecretvalue",
}


@pytest.mark.parametrize("name", CANARIES)
def test_nothing_secret_is_left_in_a_line(name: str) -> None:
    line = redacted(f"something_happened detail={CANARIES[name]} shop_id=7")
    assert PARTS.get(name, CANARIES[name]) not in line
    assert line.startswith("something_happened")
    assert line.endswith("shop_id=7")


@pytest.mark.parametrize(
    "line",
    ["drained done=3 failed=1", "job_done job=issue_code job_id=7 attempt=1", "GET /webhooks/x 200", "why?"],
)
def test_what_is_not_secret_stays(line: str) -> None:
    assert redacted(line) == line


def test_our_lines_the_libraries_and_tracebacks_are_all_redacted(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    before = logging.getLogger().handlers[:]
    try:
        logs.configure()
        structlog.get_logger().warning("told", detail=CANARIES["token"], shop_id=7)
        logging.getLogger("library").warning("saw %s", CANARIES["address"])
        try:
            int(CANARIES["key"])
        except ValueError:
            structlog.get_logger().exception("failed")
    finally:
        logging.getLogger().handlers[:] = before
        structlog.reset_defaults()
    text = written.getvalue()
    assert "warning told detail=shp… shop_id=7" in text
    assert "Traceback" in text
    for name in ("token", "address", "key"):
        assert CANARIES[name] not in text

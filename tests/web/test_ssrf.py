"""A stranger's address is called nowhere but out on the internet: each place that takes one, and each trick."""

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from flask.testing import FlaskClient

from app.domain.errors import Refused
from app.services.connect_shop import ask_shop
from app.services.runtime import Runtime
from app.web import create_app
from connectors.http import Http
from connectors.shopify.install import client_credentials
from connectors.woocommerce.install import site_address

KEYS = {"consumer_key": "ck_" + "a" * 40, "consumer_secret": "cs_" + "b" * 40}

# What somebody may type where a shop's address is asked for.
TYPED = [
    "http://127.0.0.1",
    "https://127.0.0.1",
    "127.0.0.1",
    "127.0.0.1:5432",
    "127.1",
    "127.0.1",
    "0",
    "0.0.0.0",  # noqa: S104
    "0x7f000001",
    "0x7f.0.0.1",
    "0177.0.0.1",
    "017700000001",
    "2130706433",
    "127.0.0.1.",
    "①②⑦.⓪.⓪.①",
    "127。0。0。1",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:7f00:1]",
    "[64:ff9b::7f00:1]",
    "[fe80::1%25eth0]",
    "[fd00:ec2::254]",
    "[::127.0.0.1]",
    "[2002:7f00:1::]",
    "169.254.169.254",
    "https://169.254.169.254/latest/meta-data/",
    "0xa9fea9fe",
    "2852039166",
    "0251.0376.0251.0376",
    "169.254.43518",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.0.1",
    "100.64.0.1",
    "localhost",
    "localhost.",
    "LOCALHOST",
    "localhost:80",
    "ip6-localhost",
    "metadata",
    "intranet",
    "router",
    "postgres",
    "shop.example:22",
    "shop.example:80",
    "shop.example:8443",
    "shop.example:0",
    "shop.example:65536",
    "shop.example:-1",
    "user@shop.example",
    "user:secret@shop.example",
    "shop.example@127.0.0.1",
    "127.0.0.1#@shop.example",
    "127.0.0.1\\@shop.example",
    "shop.example\\@127.0.0.1",
    "127.0.0.1?@shop.example/",
    "127.0.0.1%2f@shop.example",
    "ftp://shop.example",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_x",
    "dict://127.0.0.1:11211",
    "ldap://127.0.0.1",
    "jar:https://127.0.0.1!/",
    "javascript:alert(1)",
    "data:text/html,x",
    "unix:/run/postgres",
    "//127.0.0.1",
    "\\\\127.0.0.1",
    "shop.example/..%2f..%2f",
    "shop.example/%2e%2e/",
    "shop.example/\r\nHost: evil",
    "shop.example%0d%0a",
    "shop example",
    "",
    ".",
    "..",
    "-",
    "a" * 300,
    "a." * 200,
    "xn--",
    "１２７.0.0.1",
    "127.0.0.1.1.1",
    "1.2.3",
    "256.256.256.256",
]
# Where the name of an address that looks like a shop's may lead once it is called.
INSIDE = [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",  # noqa: S104
    "10.1.2.3",
    "172.20.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "198.18.0.1",
    "192.0.0.8",
    "224.0.0.1",
    "255.255.255.255",
    "240.0.0.1",
    "::1",
    "::",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::127.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::7f00:1",
    "2002:7f00:1::",
    "2001:0:7f00:1::",
    "fe80::1",
    "fe80::1%lo",
    "fc00::1",
    "fd00:ec2::254",
    "fec0::1",
    "ff02::1",
    "100.100.100.200",
    "not an address",
]

_connected: list[Any] = []
_watching = False


def _watch(event: str, args: tuple[Any, ...]) -> None:
    """Python tells of every connection that is begun; PostgreSQL's own library does not go through Python."""
    if _watching and event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        _connected.append(args[1:] if event != "socket.getaddrinfo" else args)


sys.addaudithook(_watch)


@pytest.fixture
def connections() -> Iterator[list[Any]]:
    """Every name that was looked up and every connection that was begun meanwhile."""
    global _watching
    _connected.clear()
    _watching = True
    yield _connected
    _watching = False


def browser(rt: Runtime, *addresses: str) -> FlaskClient:
    """An installation to which every name leads to these."""
    return create_app(replace(rt, http=Http(resolve=lambda host, port: addresses))).test_client()


def test_there_are_enough_of_them() -> None:
    assert len(set(TYPED)) + len(set(INSIDE)) >= 100


@pytest.mark.parametrize("way", ["form", "link"])
def test_what_is_no_shops_address_is_refused_where_it_is_typed(
    rt: Runtime, connections: list[Any], way: str
) -> None:
    client = browser(rt, "127.0.0.1")
    for typed in TYPED:
        if way == "form":
            answer = client.post("/install/woocommerce", data={"url": typed}, headers={"Accept": "text/html"})
        else:
            query = {"url": typed}
            answer = client.get("/install/woocommerce", query_string=query, headers={"Accept": "text/html"})
        assert answer.status_code in (400, 422), (typed, answer.status_code, answer.headers.get("Location"))
        assert "Type your shop" in answer.text, typed
        assert "secret" not in answer.text
    assert connections == []


def test_no_such_address_is_called_by_any_other_way(rt: Runtime, connections: list[Any]) -> None:
    """Written into the table by hand, say: the way out refuses them once more."""
    hostile = replace(rt, http=Http(resolve=lambda host, port: ["127.0.0.1"]))
    for typed in TYPED:
        with pytest.raises(Refused):
            site_address(typed)
        for shop_ref in {typed, f"https://{typed}"}:
            with pytest.raises((Refused, ValueError, httpx.InvalidURL)):  # some are no URL at all
                ask_shop(hostile, "woocommerce", shop_ref, KEYS, allow_private=False)
        with pytest.raises(Refused):
            client_credentials(typed, "id", "secret", hostile.http, rt.now())
    assert connections == []


@pytest.mark.parametrize("address", INSIDE)
def test_a_good_name_that_leads_inside_is_refused_when_its_keys_come(
    rt: Runtime, connections: list[Any], address: str
) -> None:
    """Also among good addresses, and whatever it led to when it was typed."""
    for addresses in ([address], ["93.184.215.14", address], [address, "93.184.215.14"]):
        client = browser(rt, *addresses)
        consent = client.post("/install/woocommerce", data={"url": "shop.example"})
        assert consent.status_code == 303
        state = parse_qs(urlsplit(consent.headers["Location"]).query)["user_id"][0]
        told = {"key_id": 1, "user_id": state, "key_permissions": "read_write", **KEYS}
        answer = client.post(
            "/install/woocommerce/callback", data=json.dumps(told), content_type="application/json"
        )
        assert answer.status_code == 422
        assert "shop.example" in answer.text
        assert KEYS["consumer_secret"] not in answer.text
    assert connections == []

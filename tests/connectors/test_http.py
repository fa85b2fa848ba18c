"""Where a call may go, how long it may take, how much it may bring, and what its answer means."""

import gzip
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest
import trustme

from app.domain.errors import AccessLost, Refused, Retryable
from connectors import http
from connectors.http import Http, StandIn, is_public, send

OUT_THERE = "93.184.215.14"

HOSTILE_URLS = [
    "http://shop.example/",
    "http://shop.example:443/",
    "https://shop.example:8443/",
    "https://shop.example:22/",
    "https://shop.example:80/",
    "https://user@shop.example/",
    "https://user:password@shop.example/",
    "https://shop.example@127.0.0.1/",
    "https://127.0.0.1/",
    "https://127.1/",
    "https://127.0.0.1./",
    "https://0/",
    "https://0.0.0.0/",
    "https://0x7f.0.0.1/",
    "https://0x7f000001/",
    "https://0177.0.0.1/",
    "https://2130706433/",
    "https://134744072/",
    "https://8.8.8.8/",
    "https://169.254.169.254/latest/meta-data/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[2606:4700::1111]/",
    "https://[fd00:ec2::254]/",
    "https://localhost/",
    "https://intranet/",
    "https://shop.example./",
    "https://shop..example/",
    "https://.example/",
    "https://shop.example.123/",
    "https://shop.0x7f/",
    "https://-/",
    "https://shop_example/",
    "https://shop-.example/",
    "ftp://shop.example/",
    "gopher://shop.example/",
    "ws://shop.example/",
    "file:///etc/passwd",
]
NOT_PUBLIC = [
    *(
        str(ip_address(0)),
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",
        "100.127.255.254",
        "127.0.0.1",
        "127.255.255.254",
    ),
    *("169.254.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.254", "192.0.0.1", "192.0.0.170"),
    *("192.0.2.1", "192.88.99.1", "192.168.0.1", "198.18.0.1", "198.19.255.254", "198.51.100.1"),
    *("203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255"),
    *(
        "::",
        "::1",
        "::127.0.0.1",
        "::8.8.8.8",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "::ffff:169.254.169.254",
    ),
    *("64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::1", "100::1", "2001::1", "2001:0:7f00:1::"),
    *("2001:10::1", "2001:20::1", "2001:db8::1", "2002:7f00:1::", "2002:808:808::1", "3fff::1", "5f00::1"),
    *("fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%1", "fec0::1", "ff02::1"),
]
PUBLIC = [OUT_THERE, "1.1.1.1", "8.8.8.8", "2606:4700:4700::1111", "2a00:1450:4001:81b::200e"]


@pytest.mark.parametrize("url", HOSTILE_URLS)
def test_a_hostile_url_is_refused_before_its_name_is_looked_up(url: str) -> None:
    def resolve(host: str, port: int) -> list[str]:
        pytest.fail(f"{host} was looked up")

    # Some are no URL at all: httpx says so before anything else is done.
    with pytest.raises((Refused, httpx.InvalidURL)) as caught:
        _get(Http(resolve=resolve), url)
    if isinstance(caught.value, Refused):
        assert caught.value.code == "address_refused"
        assert "password" not in str(caught.value)


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_a_name_that_leads_inside_is_refused(address: str) -> None:
    assert not is_public(ip_address(address))
    with pytest.raises(Refused, match="not out on the internet"):
        _get(Http(resolve=lambda host, port: [address]), "https://shop.example/")


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_one_address_inside_among_good_ones_is_enough(address: str) -> None:
    with pytest.raises(Refused, match="not out on the internet"):
        _get(Http(resolve=lambda host, port: [*PUBLIC, address]), "https://shop.example/")


@pytest.mark.parametrize("address", PUBLIC)
def test_addresses_out_on_the_internet_pass(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "address",
    ["169.254.169.254", "100.100.100.200", "fd00:ec2::254", "fe80::1", "0.0.0.1", "::ffff:127.0.0.1"],
)
def test_what_is_nobodys_own_network_stays_refused_when_private_hosts_are_allowed(address: str) -> None:
    with pytest.raises(Refused, match="not out on the internet"):
        _get(Http(resolve=lambda host, port: [address]), "https://shop.local/", allow_private=True)


def test_http_goes_to_private_hosts_only() -> None:
    with pytest.raises(Refused, match="only https"):
        _get(Http(resolve=lambda host, port: [OUT_THERE]), "http://shop.example/", allow_private=True)


def test_a_private_host_that_may_be_called_is_called() -> None:
    with _server(_plain(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")) as port:
        answer = _get(Http(), f"http://127.0.0.1:{port}/", allow_private=True)
    assert answer.content == b"{}"


def test_the_address_that_was_checked_is_the_one_that_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that changes its mind after the check changes nothing: it is asked once a connection."""
    asked: list[str] = []
    called: list[tuple[str, int]] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return [OUT_THERE] if len(asked) == 1 else ["127.0.0.1"]

    def connect(address: tuple[str, int], *args: object, **kwargs: object) -> socket.socket:
        called.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(Retryable) as caught:
        _get(Http(resolve=resolve), "https://shop.example/")
    assert not caught.value.maybe_applied
    assert called == [(OUT_THERE, 443)]
    with pytest.raises(Refused):
        _get(Http(resolve=resolve), "https://shop.example/")
    assert called == [(OUT_THERE, 443)]
    assert asked == ["shop.example", "shop.example"]


def test_a_name_that_is_not_known_is_no_connection() -> None:
    def resolve(host: str, port: int) -> list[str]:
        raise socket.gaierror

    with pytest.raises(Retryable) as caught:
        _get(Http(resolve=resolve), "https://shop.example/")
    assert not caught.value.maybe_applied


def test_a_stand_in_is_called_by_its_name_over_tls(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    seen: list[bytes] = []
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("shop.example").configure_cert(tls)
    names: list[str | None] = []
    tls.sni_callback = lambda _, name, __: names.append(name)

    def serve(connection: socket.socket) -> None:
        with tls.wrap_socket(connection, server_side=True) as secure:
            seen.append(secure.recv(65536))
            secure.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")

    with _server(serve) as port:
        stand_in = StandIn("127.0.0.1", port, str(tmp_path / "ca.pem"))
        answer = _get(Http({"shop.example": stand_in}), "https://shop.example/x")
    assert answer.status_code == 200
    assert names == ["shop.example"]
    assert b"host: shop.example\r\n" in seen[0].lower()


def test_a_stand_ins_authority_is_trusted_for_no_other_host(tmp_path: Path) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "ca.pem")
    authority = trustme.CA()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("shop.example").configure_cert(tls)

    def serve(connection: socket.socket) -> None:
        with pytest.raises(OSError), tls.wrap_socket(connection, server_side=True):
            pass

    with _server(serve) as port, pytest.raises(Retryable, match="certificate is not valid") as caught:
        _get(
            Http({"shop.example": StandIn("127.0.0.1", port, str(tmp_path / "ca.pem"))}),
            "https://shop.example/",
        )
    assert not caught.value.maybe_applied


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    head = f"HTTP/1.1 {status} Moved\r\nlocation: https://www.shop.example/x?key=geheim\r\ncontent-length: 0\r\n\r\n"
    with pytest.raises(Refused, match="redirected") as caught:
        _answered(_plain(head.encode()))
    assert "https://www.shop.example;" in caught.value.detail
    assert "geheim" not in str(caught.value)


def test_an_answer_above_the_limit_is_given_up_while_it_comes() -> None:
    sent = 0

    def serve(connection: socket.socket) -> None:
        nonlocal sent
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            while sent < 100 * http.LARGEST_ANSWER:
                sent += connection.send(b"x" * 65536)
        except OSError:
            pass

    with pytest.raises(Refused, match="answer_too_large"):
        _answered(serve)
    assert sent < 10 * http.LARGEST_ANSWER


def test_a_small_answer_that_unpacks_to_a_large_one_is_given_up() -> None:
    packed = gzip.compress(b"0" * (http.LARGEST_ANSWER + 1))
    head = f"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {len(packed)}\r\n\r\n"
    with pytest.raises(Refused, match="answer_too_large"):
        _answered(_plain(head.encode() + packed))


@pytest.mark.parametrize("packing", ["gzip, gzip", "br", "zstd", "compress"])
def test_packing_that_we_did_not_ask_for_is_refused(packing: str) -> None:
    head = f"HTTP/1.1 200 OK\r\ncontent-encoding: {packing}\r\ncontent-length: 2\r\n\r\n{{}}"
    with pytest.raises(Refused, match="answer_refused"):
        _answered(_plain(head.encode()))


def test_an_unreadable_answer_to_a_change_may_have_been_applied() -> None:
    head = f"HTTP/1.1 200 OK\r\ncontent-length: {http.LARGEST_ANSWER + 1}\r\n\r\n"
    with pytest.raises(Retryable) as caught:
        _answered(_plain(head.encode() + b"x" * (http.LARGEST_ANSWER + 1)), method="POST")
    assert caught.value.maybe_applied


def test_gzip_is_unpacked() -> None:
    packed = gzip.compress(b'{"id":1}')
    head = f"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {len(packed)}\r\n\r\n"
    assert _answered(_plain(head.encode() + packed)).content == b'{"id":1}'


@pytest.mark.parametrize(
    "part", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{"]
)
def test_a_shop_that_goes_silent_is_left_at_the_deadline(
    part: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "TOTAL_S", 0.05)
    done = threading.Event()

    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(part)
        done.wait(10)

    with pytest.raises(Retryable, match="no answer") as caught:
        _answered(serve, method="POST", finally_=done.set)
    assert caught.value.maybe_applied


def test_a_shop_that_drips_is_left_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each wait is short; all together are not: the clock moves past the deadline while bytes still come."""
    clock = [0.0]
    monkeypatch.setattr("connectors.http.time.monotonic", lambda: clock[0])
    done = threading.Event()

    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        clock[0] = http.TOTAL_S + 1
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nx")
        done.wait(10)

    with pytest.raises(Retryable, match="no answer"):
        _answered(serve, finally_=done.set)


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({"retry-after": "17"}, 17),
        ({"retry-after": " 3 "}, 3),
        ({"retry-after": "0"}, 0),
        ({"retry-after": "99999999999999999999"}, 24 * 3600),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "1.5"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "٣"}, None),
        ({"retry-after": "Sat, 21 Nov 2026 18:30:45 GMT", "date": "Sat, 21 Nov 2026 18:30:00 GMT"}, 45),
        ({"retry-after": "Sat, 21 Nov 2026 18:29:00 GMT", "date": "Sat, 21 Nov 2026 18:30:00 GMT"}, 0),
        ({"retry-after": "Sat, 21 Nov 2026 18:30:45 GMT"}, None),
        ({"retry-after": "Sat, 99 Nov 2026 18:30:45 GMT", "date": "x"}, None),
        ({}, None),
    ],
)
@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_retry_after_is_read_in_both_forms(headers: dict[str, str], wait_s: int | None, status: int) -> None:
    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
    with pytest.raises(Retryable) as caught:
        _mocked(httpx.Response(status, headers=encoded))
    assert caught.value.retry_after_s == wait_s


def test_a_429_surely_did_nothing_and_a_500_perhaps() -> None:
    with pytest.raises(Retryable) as limited:
        _mocked(httpx.Response(429), method="POST")
    with pytest.raises(Retryable) as broken:
        _mocked(httpx.Response(500), method="POST")
    assert (limited.value.maybe_applied, broken.value.maybe_applied) == (False, True)


@pytest.mark.parametrize("status", [401, 403])
def test_no_access_is_access_lost(status: int) -> None:
    with pytest.raises(AccessLost):
        _mocked(httpx.Response(status))


def test_a_refusal_carries_the_shops_own_word() -> None:
    with pytest.raises(Refused) as named:
        _mocked(httpx.Response(400, content=b"too_much"))
    with pytest.raises(Refused) as unnamed:
        _mocked(httpx.Response(404))
    assert (named.value.code, unnamed.value.code) == ("too_much", "http_404")


@pytest.mark.parametrize("status", [302, 400, 401, 404, 422, 429, 500])
def test_errors_name_host_status_and_request_and_nothing_that_is_secret(status: int) -> None:
    headers = {"x-request-id": "a1b2-c3", "set-cookie": "geheim", "location": "/?geheim=1"}
    with pytest.raises((Refused, Retryable)) as caught:
        _mocked(httpx.Response(status, headers=headers, content=b""))
    text = str(caught.value)
    assert "shop.example" in text
    assert str(status) in text
    assert "request a1b2-c3" in text
    assert "geheim" not in text
    assert "alice" not in text


def _mocked(response: httpx.Response, method: str = "GET") -> httpx.Response:
    url = "https://shop.example/wp-json?consumer_secret=geheim&email=alice@example.test"
    with httpx.Client(transport=httpx.MockTransport(lambda _: response)) as client:
        request = client.build_request(method, url, headers={"authorization": "geheim"})
        return send(client, request, error_code=lambda body: body.decode() or None)


def _get(seam: Http, url: str, *, allow_private: bool = False, method: str = "GET") -> httpx.Response:
    with seam.client(allow_private=allow_private) as client:
        return send(client, client.build_request(method, url), error_code=lambda body: None)


def _answered(
    serve: Callable[[socket.socket], None],
    *,
    method: str = "GET",
    finally_: Callable[[], None] = lambda: None,
) -> httpx.Response:
    with _server(serve) as port:
        try:
            return _get(
                Http({"shop.example": StandIn("127.0.0.1", port)}), "http://shop.example/", method=method
            )
        finally:
            finally_()


def _plain(answer: bytes) -> Callable[[socket.socket], None]:
    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        with suppress(OSError):
            connection.sendall(answer)

    return serve


@contextmanager
def _server(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """One connection is served, on a port of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def accept() -> None:
            connection, _ = listening.accept()
            with connection:
                serve(connection)

        thread = threading.Thread(target=accept)
        thread.start()
        yield int(listening.getsockname()[1])
        thread.join(timeout=10)

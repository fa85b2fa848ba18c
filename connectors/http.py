"""Every call to a shop goes through here: where it may connect, how long it may take, what its answer means.

A shop's address is typed by a person, so each connection resolves the name once, refuses it if any of its addresses
is not out on the internet, and connects to that very address with the name kept for TLS and Host. Redirects are
not followed, proxies of the environment are not used.
"""

import re
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

import httpcore
import httpx

from app.domain.errors import AccessLost, Refused, Retryable

CONNECT_S = 5
TOTAL_S = 15
LARGEST_ANSWER = 5 * 1024 * 1024
_LONGEST_WAIT_S = 24 * 3600

_READING = ("GET", "HEAD")
_OF_THE_TRANSFER = (b"content-encoding", b"content-length", b"transfer-encoding")

# A chunk read from the network. gzip grows at most some thousandfold, so a chunk becomes 17 MB at worst before it
# is counted.
_CHUNK = 16 * 1024

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Sequence[str]]

# What `is_global` lets through, or did in a supported Python, and is not a host on the internet: tunnels and
# translations with another address inside (6to4, Teredo, NAT64, mapped and compatible IPv4), shared and reserved.
_NOT_PUBLIC = tuple(
    ip_network(net)
    for net in (
        "0.0.0.0/8 100.64.0.0/10 192.0.0.0/24 192.88.99.0/24 198.18.0.0/15 224.0.0.0/4 240.0.0.0/4 "
        "::/96 ::ffff:0:0/96 64:ff9b::/96 64:ff9b:1::/48 100::/64 2001::/23 2001:db8::/32 2002::/16 3fff::/20 "
        "5f00::/16 fc00::/7 fe80::/10 fec0::/10 ff00::/8"
    ).split()
)
# What a self-hoster may allow: own networks and this machine; never link-local, where clouds keep their secrets.
_PRIVATE = tuple(
    ip_network(net)
    for net in "10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 172.16.0.0/12 192.168.0.0/16 ::1/128 fc00::/7".split()
)
_CLOUD_SECRETS = (ip_address("100.100.100.200"), ip_address("fd00:ec2::254"))

_NAME = re.compile(r"(?=.{1,253}\Z)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")


@dataclass(frozen=True, slots=True)
class StandIn:
    """Where a host of demo or tests really is. `ca_file`: its own authority, trusted for this host alone."""

    address: str
    port: int
    ca_file: str | None = None


class Http:
    """Makes the HTTP clients of all connectors (`HttpSeam`). Hosts in `stand_ins` go there and nowhere else."""

    def __init__(
        self, stand_ins: Mapping[str, StandIn] | None = None, resolve: Resolve | None = None
    ) -> None:
        self._stand_ins = dict(stand_ins or {})
        self._resolve = resolve or _resolve
        self._tls = _tls()

    def client(self, *, allow_private: bool) -> httpx.Client:
        """For one shop, one thread: its deadline is that of the request under way."""
        guard = _guard(self._resolve, allow_private=allow_private)
        return httpx.Client(
            transport=_Transport(self._tls, guard, allow_private=allow_private),
            mounts={f"all://{host}": self._towards(stand_in) for host, stand_in in self._stand_ins.items()},
            headers={"user-agent": "Laurel", "accept": "application/json", "accept-encoding": "gzip"},
            timeout=httpx.Timeout(TOTAL_S, connect=CONNECT_S),
            follow_redirects=False,
            trust_env=False,
        )

    def _towards(self, stand_in: StandIn) -> "_Transport":
        tls = ssl.create_default_context(cafile=stand_in.ca_file) if stand_in.ca_file else self._tls
        there = [(stand_in.address, stand_in.port)]
        return _Transport(tls, lambda *_: there, allow_private=True)


def send(
    client: httpx.Client, request: httpx.Request, *, error_code: Callable[[bytes], str | None]
) -> httpx.Response:
    """The shop's answer, read in full; anything but success becomes what it means for us.

    `error_code` finds the shop's own word for an error in the body of a 4xx.

    Raises: AccessLost (401, 403); Retryable (408, 429, 5xx, no answer); Refused with the shop's code or "http_<status>".
    """
    host = _host(request.url)
    changes = request.method not in _READING
    try:
        response = _read(client, request)
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        raise Retryable(f"{host}: no connection{_why(error)}", maybe_applied=False) from error
    except (httpx.TransportError, httpx.DecodingError) as error:
        raise Retryable(f"{host}: no answer ({type(error).__name__})", maybe_applied=changes) from error
    status = response.status_code
    shown = f"{host}: {status}{_request_id(response)}"
    if 200 <= status < 300:
        return response
    if status in (408, 429) or status >= 500:
        wait_s = _wait_s(response.headers)
        raise Retryable(shown, retry_after_s=wait_s, maybe_applied=changes and status != 429)
    if status < 400:
        raise Refused(
            "redirected", f"{shown}: the shop lives at {_target(response)}; connect it by that address."
        )
    code = (error_code(response.content) or "")[:80]
    if status in (401, 403):
        raise AccessLost(f"{shown} {code}".rstrip())
    raise Refused(code or f"http_{status}", shown)


@contextmanager
def may_be_there() -> Iterator[None]:
    """Around whatever is asked of a shop after something was made there: however that fails, it may be there.

    To be turned away now says nothing of what was done before. Raises: Retryable, as of unknown outcome.
    """
    try:
        yield
    except Retryable as error:
        error.maybe_applied = True
        raise
    except Refused as refused:
        raise Retryable(refused.detail) from refused


def check_url(url: httpx.URL, *, allow_private: bool) -> None:
    """Refuse a URL that no shop has. Where its name leads is checked at each connection.

    Raises: Refused("address_refused").
    """
    _host(url)
    host = url.raw_host.decode("ascii").lower()
    if url.userinfo:
        raise _refused(host, "an address must name nobody before the host")
    if allow_private:
        if url.scheme not in ("https", "http") or not host:
            raise _refused(host, "only https and http are spoken")
        return
    if url.scheme != "https":
        raise _refused(host, "only https is spoken")
    if url.port not in (None, 443):
        raise _refused(host, "only port 443 is called")
    if not _NAME.fullmatch(host):
        raise _refused(host, "a shop has a name such as shop.example, not a number")


@cache
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context()  # reads a file of 300 kB: once


# --- Where a connection may go -------------------------------------------------------------------------------


# (host, port, over TLS) -> where to connect, in turn.
Find = Callable[[str, int, bool], Sequence[tuple[str, int]]]


def _guard(resolve: Resolve, *, allow_private: bool) -> Find:
    def find(host: str, port: int, tls: bool) -> Sequence[tuple[str, int]]:
        try:
            addresses = [_address(text, host) for text in resolve(host, port)]
        except OSError as error:
            raise httpcore.ConnectError("the name is not known") from error
        if not (allow_private and addresses and all(_is_private(address) for address in addresses)):
            if not tls or port != 443:
                raise _refused(host, "only https on port 443 is called out on the internet")
            if not all(is_public(address) for address in addresses):
                raise _refused(host, "it leads to an address that is not out on the internet")
        return [(str(address), port) for address in addresses]

    return find


def is_public(address: Address) -> bool:
    """Is it an address out on the internet, whatever is wrapped in it?"""
    return address.is_global and not any(
        address in net for net in _NOT_PUBLIC if net.version == address.version
    )


def _is_private(address: Address) -> bool:
    inside = any(address in net for net in _PRIVATE if net.version == address.version)
    return inside and address not in _CLOUD_SECRETS


def _address(text: str, host: str) -> Address:
    try:
        return ip_address(text)
    except ValueError:
        raise _refused(host, "it leads to no address that can be checked") from None


def _resolve(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


def _refused(host: str, why: str) -> Refused:
    return Refused("address_refused", f"{host[:80] or 'the address'}: {why}.")


# --- How long, how much --------------------------------------------------------------------------------------


class _UnderWay:
    """The request a client is busy with: over TLS or not, and until when."""

    def __init__(self) -> None:
        self.tls = True
        self._until = 0.0

    def start(self, url: httpx.URL) -> None:
        self.tls = url.scheme == "https"
        self._until = time.monotonic() + TOTAL_S

    def left(self, timeout: float | None) -> float:
        """Seconds that may still be spent waiting; raises when there are none."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the answer took too long")
        return left if timeout is None else min(timeout, left)


class _Transport(httpx.HTTPTransport):
    """httpx's own, with connections from our backend and each request held to its deadline."""

    def __init__(self, tls: ssl.SSLContext, find: Find, *, allow_private: bool) -> None:
        super().__init__(verify=tls, trust_env=False)
        self._allow_private = allow_private
        self._under_way = _UnderWay()
        # httpx has no door for a backend; its pool is what it calls, and nothing else is replaced.
        self._pool = httpcore.ConnectionPool(
            ssl_context=tls, network_backend=_Backend(find, self._under_way), max_keepalive_connections=4
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        check_url(request.url, allow_private=self._allow_private)
        self._under_way.start(request.url)
        return super().handle_request(request)


class _Backend(httpcore.NetworkBackend):
    """Connects to the very address that was checked, so a name cannot change its mind in between."""

    def __init__(self, find: Find, under_way: _UnderWay) -> None:
        self._find = find
        self._under_way = under_way
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        failure: Exception = httpcore.ConnectError("the name has no address")
        for address, its_port in self._find(host, port, self._under_way.tls):
            try:
                wait_s = self._under_way.left(timeout)
                stream = self._sockets.connect_tcp(address, its_port, wait_s, local_address, socket_options)
                return _TimedStream(stream, self._under_way)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure


class _TimedStream(httpcore.NetworkStream):
    """Never waits past the deadline: a byte every few seconds does not keep us."""

    def __init__(self, stream: httpcore.NetworkStream, under_way: _UnderWay) -> None:
        self._stream = stream
        self._under_way = under_way

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(min(max_bytes, _CHUNK), self._under_way.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._under_way.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, self._under_way.left(timeout))
        return _TimedStream(stream, self._under_way)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _read(client: httpx.Client, request: httpx.Request) -> httpx.Response:
    """The answer with its body unpacked, never more of it than LARGEST_ANSWER."""
    response = client.send(request, stream=True)
    try:
        if response.headers.get("content-encoding", "identity").lower() not in (
            "identity",
            "gzip",
            "deflate",
        ):
            raise _unusable(request, "answer_refused", "packed in a way we did not ask for")
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > LARGEST_ANSWER:
                raise _unusable(request, "answer_too_large", "an answer above 5 MB")
    finally:
        response.close()
    headers = [pair for pair in response.headers.raw if pair[0].lower() not in _OF_THE_TRANSFER]
    return httpx.Response(response.status_code, headers=headers, content=bytes(body), request=request)


def _unusable(request: httpx.Request, code: str, why: str) -> Refused | Retryable:
    """An answer that we do not read. The request may have taken effect all the same: then it is not refused."""
    detail = f"{request.url.host}: {why}"
    return Refused(code, detail) if request.method in _READING else Retryable(detail)


# --- What an answer says -------------------------------------------------------------------------------------


def _wait_s(headers: httpx.Headers) -> int | None:
    """Retry-After in whole seconds, its date form measured by the shop's own clock."""
    asked = headers.get("retry-after", "").strip()
    if asked.isdecimal() and asked.isascii():
        return min(int(asked[:9]), _LONGEST_WAIT_S)
    try:
        wait = parsedate_to_datetime(asked) - parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, TypeError):
        return None
    return min(max(0, int(wait.total_seconds())), _LONGEST_WAIT_S)


def _host(url: httpx.URL) -> str:
    """As people read it; httpx decodes a foreign name only now."""
    try:
        return url.host
    except UnicodeError:
        raise _refused(url.raw_host.decode("ascii"), "it is no name") from None


def _why(error: httpx.TransportError) -> str:
    return " (its certificate is not valid)" if "CERTIFICATE_VERIFY_FAILED" in str(error) else ""


def _request_id(response: httpx.Response) -> str:
    found = re.fullmatch(r"[\w-]{1,64}", response.headers.get("x-request-id", ""), re.ASCII)
    return f" (request {found[0]})" if found else ""


def _target(response: httpx.Response) -> str:
    """Scheme and host of where a redirect leads; its path and query may hold secrets."""
    try:
        url = response.request.url.join(response.headers.get("location", ""))
    except (httpx.InvalidURL, ValueError):
        return "another address"
    return f"{url.scheme}://{url.host[:80]}"

"""What can only be seen by asking others: our own public address, each shop's, and the mail server. For `doctor`."""

import ssl
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx

from app.db import shops
from app.db.shops import ShopRow
from app.domain.errors import Refused, Retryable
from app.services.check_health import Check, slices
from app.services.runtime import Runtime

SOON = timedelta(days=14)
"""A certificate that ends sooner should have been renewed: those of a month are renewed after two thirds."""

APART = timedelta(seconds=30)
"""Times of orders and holds are the shop's, those of windows ours; signed links of platforms live for minutes."""


_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    date: datetime | None  # the other side's clock
    ends_at: datetime | None  # its certificate's; None: not over TLS


def look_outside(rt: Runtime) -> Iterator[Check]:
    """One short request each, without anybody's credentials. `problem` says what to do."""
    yield Check("public address", _public(rt))
    yield Check("mail", _mail(rt))
    found: list[ShopRow] = []
    for part in slices(rt):
        with rt.db.begin(*part) as session:
            found += [one for one in shops.find_shops(session).values() if one.state == "connected"]
    with ThreadPoolExecutor(_AT_ONCE) as pool:  # one that hangs keeps nobody waiting
        problems = pool.map(lambda shop: _shop(rt, shop), found)
        yield from (
            Check(f"shop {shop.key} from here", one) for shop, one in zip(found, problems, strict=True)
        )


def _public(rt: Runtime) -> str | None:
    if not rt.public_url:
        return "PUBLIC_URL is missing"

    def judge(answer: Answer) -> str | None:
        if answer.status != 200:
            return f"{rt.public_url}/healthz answers {answer.status}: does the proxy lead to `laurel serve`?"
        return _certificate(rt, answer)

    # Our own: it may well lie in a private network, as seen from here.
    return _asked(rt, f"{rt.public_url}/healthz", judge, allow_private=True)


def _shop(rt: Runtime, shop: ShopRow) -> str | None:
    def judge(answer: Answer) -> str | None:
        if answer.status >= 500:
            return f"answers {answer.status}: ask who runs it"
        return _certificate(rt, answer) or _clock(rt, answer)

    return _asked(rt, shop.url, judge, allow_private=shop.allow_private)


def _certificate(rt: Runtime, answer: Answer) -> str | None:
    if answer.ends_at is None or answer.ends_at - rt.now() > SOON:
        return None
    return f"its certificate ends on {answer.ends_at:%Y-%m-%d}: renew it, or find out why it is not renewed by itself"


def _clock(rt: Runtime, answer: Answer) -> str | None:
    if answer.date is None or abs(answer.date - rt.now()) <= APART:
        return None
    seconds = (answer.date - rt.now()).total_seconds()
    return f"its clock is {seconds:+.0f} s from this machine's: set the time by NTP, here first"


def _mail(rt: Runtime) -> str | None:
    """None too where no mail is sent, which is a choice: `laurel staff invite` prints its link."""
    if not rt.sends_mail:
        return None
    try:
        rt.check_mail()
    except (Refused, Retryable) as error:
        return f"{error}: check SMTP_URL, and that this machine may call out on that port"
    return None


def _asked(
    rt: Runtime, url: str, judge: Callable[[Answer], str | None], *, allow_private: bool
) -> str | None:
    try:
        with rt.http.client(allow_private=allow_private) as client, client.stream("GET", url) as response:
            return judge(Answer(response.status_code, _date(response), _ends_at(response)))
    except Refused as refused:
        return refused.detail
    except httpx.HTTPError as error:
        why = "its certificate is not valid" if "CERTIFICATE" in str(error) else type(error).__name__
        return f"{url} cannot be reached from here ({why}): check name, certificate and firewall"


def _date(response: httpx.Response) -> datetime | None:
    try:
        return parsedate_to_datetime(response.headers.get("date", "")).astimezone(UTC)
    except ValueError:
        return None


def _ends_at(response: httpx.Response) -> datetime | None:
    stream = response.extensions.get("network_stream")
    tls = stream.get_extra_info("ssl_object") if stream is not None else None
    if tls is None:
        return None
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(tls.getpeercert()["notAfter"]), UTC)

"""Mail, by SMTP, one message at a time."""

import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from urllib.parse import SplitResult, unquote, urlsplit

from app.domain.errors import Refused, Retryable
from app.services.runtime import SendMail

_TIMEOUT_S = 20


def mail_sender(smtp_url: str | None, public_url: str) -> SendMail:
    """What sends mail through `smtp_url`; without one, what says how to set it."""
    if smtp_url is None:
        return _no_mail
    url = urlsplit(smtp_url)
    host = url.hostname or "localhost"
    user = unquote(url.username) if url.username else None
    sender = user if user and "@" in user else f"laurel@{urlsplit(public_url).hostname or host}"

    def send(to: str, subject: str, text: str) -> None:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = sender, to, subject
        message.set_content(text)
        try:
            with _signed_in(url) as connection:
                connection.send_message(message)
        except smtplib.SMTPRecipientsRefused:
            # Without the answer: it repeats the address.
            raise Refused("mail_refused", f"{host} does not take mail for this address.") from None
        except (OSError, smtplib.SMTPException) as error:
            raise Retryable(f"{host}: mail could not be sent ({type(error).__name__})") from None

    return send


def mail_checker(smtp_url: str | None) -> Callable[[], None]:
    """What signs in at the mail server and goes again. It raises Retryable, with what stood in the way."""
    url = urlsplit(smtp_url or "")

    def check() -> None:
        if smtp_url is None:
            _no_mail("", "", "")
        try:
            with _signed_in(url) as connection:
                connection.noop()
        except smtplib.SMTPAuthenticationError:
            raise Retryable(f"{url.hostname}: the mail server knows no such user or password") from None
        except (OSError, smtplib.SMTPException) as error:
            raise Retryable(f"{url.hostname}: no way in ({type(error).__name__})") from None

    return check


@contextmanager
def _signed_in(url: SplitResult) -> Iterator[smtplib.SMTP]:
    """A connection on which mail can be sent, encrypted as the address says."""
    host = url.hostname or "localhost"
    tls = ssl.create_default_context()
    if url.scheme == "smtps":
        connection: smtplib.SMTP = smtplib.SMTP_SSL(host, url.port or 465, timeout=_TIMEOUT_S, context=tls)
    else:
        connection = smtplib.SMTP(host, url.port or 587, timeout=_TIMEOUT_S)
    with connection:
        if url.scheme == "smtp":
            connection.starttls(context=tls)
        if url.username:
            connection.login(unquote(url.username), unquote(url.password or ""))
        yield connection


def _no_mail(to: str, subject: str, text: str) -> None:
    raise Refused("no_mail", "This installation sends no mail: set SMTP_URL.")

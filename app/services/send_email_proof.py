"""One mail with a link: whoever follows it owns the address. At most one an hour for each identity."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

import structlog

from app.db import directory, members, programs, shops
from app.db.directory import Kind
from app.domain.errors import Refused, Retryable
from app.services.runtime import Runtime
from app.services.wording import words_for

LIVES = timedelta(hours=48)
NOT_BEFORE = timedelta(hours=1)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Letter:
    identity_id: int
    to: str
    subject: str
    text: str
    token_key: str
    before: datetime | None  # when the last one was sent


def send_email_proof(
    rt: Runtime,
    program_id: int,
    identity_id: int,
    *,
    language: str | None = None,
    asked_at_page: bool = False,
) -> bool:
    """Mail the link to the address that the shop told us. False: it is proven already, or there is none.

    `language`: a tag; one that is not ours, or None, as in the job that asks people: the program's own.
    `asked_at_page`: by somebody at our own page, who is not signed in: whoever made the account may be somebody else.

    Raises: Refused("too_many") within an hour of the last, Refused("no_mail") where no mail can be sent, Retryable.
    """
    text = "proof.mail.text.asked" if asked_at_page else "proof.mail.text"
    letter = _write(rt, program_id, identity_id, text, language)
    if letter is None:
        return False
    try:
        rt.send_mail(letter.to, letter.subject, letter.text)
    except Refused as refused:
        _undo(rt, program_id, letter)
        log.warning("email_proof_not_sent", identity=identity_id, why=refused.code)
        raise Refused(
            "no_mail", "The e-mail could not be sent. Ask the shop to confirm your address instead."
        ) from None
    except Retryable:
        _undo(rt, program_id, letter)
        raise
    log.info("email_proof_sent", identity=identity_id)
    return True


def _write(rt: Runtime, program_id: int, identity_id: int, text: str, language: str | None) -> _Letter | None:
    """Take the right to mail now, and store the link's hash; both are committed before anything is sent."""
    now = rt.now()
    token = secrets.token_urlsafe(32)
    key = rt.vault.token_hash(token)
    with rt.db.begin(program_id) as session:
        session.run("SELECT 1 FROM identities WHERE {fence} AND id = :id FOR UPDATE", id=identity_id)
        person = members.find_person(session, rt.vault, identity_id)
        if person is None or person.email is None or person.email_verified:
            return None
        if person.proof_sent_at is not None and now - person.proof_sent_at < NOT_BEFORE:
            wait_s = ceil((person.proof_sent_at + NOT_BEFORE - now).total_seconds())
            said = "We have sent you a link less than an hour ago. Look into your mail."
            raise Refused("too_many", said, retry_after_s=wait_s)
        members.note_proof_sent(session, identity_id, now)
        directory.put(
            session.connection,
            Kind.EMAIL_PROOF,
            key,
            program_id,
            identity_id,
            details={"email_hash": rt.vault.email_hash(person.email).hex()},
            expires_at=now + LIVES,
        )
        shop = shops.get_shop(session, person.shop_id)
        program = programs.load_versions(session)[program_id].live
    until, words, name = (
        (now + LIVES).astimezone(program.zone),
        words_for(program, language),
        _one_line(shop.name),
    )
    return _Letter(
        identity_id=identity_id,
        to=person.email,
        subject=words.say("proof.mail.subject", shop=name),
        text=words.say(
            text,
            shop=name,
            link=f"\n\n{rt.public_url}/confirm/{token}\n\n",
            until=f"{words.day(until.date())}, {until:%H:%M}",
        ),
        token_key=key,
        before=person.proof_sent_at,
    )


def _undo(rt: Runtime, program_id: int, letter: _Letter) -> None:
    """It never left the house: it may be tried again at once."""
    with rt.db.begin(program_id) as session:
        directory.take(session.connection, Kind.EMAIL_PROOF, letter.token_key, now=rt.now())
        members.note_proof_sent(session, letter.identity_id, letter.before)


def _one_line(text: str) -> str:
    return " ".join(text.split())[:100]

"""Somebody wants to sign in to a shop's page at ours: one link by mail, to an address that is proven.

Whoever asks learns nothing: not whether the address is known, nor whether it is proven.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from app.db import directory, members
from app.db.directory import Kind
from app.db.session import Session
from app.domain.errors import Refused, Retryable
from app.services.find_words import find_words
from app.services.runtime import Runtime
from app.services.send_email_proof import send_email_proof
from app.services.shop_memory import KnownShop

LIVES = timedelta(minutes=30)
ONE_IN = timedelta(minutes=1)
_MOST_PROOFS = 3  # customers of one shop with one address that nobody proved

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Letter:
    identity_id: int
    to: str
    subject: str
    text: str
    token_key: str
    before: datetime | None  # when the last one was sent


def request_member_link(rt: Runtime, shop: KnownShop, email: str, language: str | None) -> None:
    """Mail the link; to an address that nobody proved yet, the link that proves it. Nothing where nobody is known.

    A member whose proven address is with another shop of the program gets the link to that shop's page.
    """
    email_hash = rt.vault.email_hash(email)
    with rt.db.begin(shop.program_id) as session:
        proven, unproven = _known(session, shop.shop_id, email_hash)
        letter = _write(rt, session, proven, email_hash, language) if proven is not None else None
    if letter is not None:
        _send(rt, shop.program_id, letter)
    for identity_id in unproven if proven is None else ():
        try:
            send_email_proof(rt, shop.program_id, identity_id, language=language, asked_at_page=True)
        except (Refused, Retryable) as error:  # one was sent within the hour, or no mail goes out
            log.info("email_proof_not_sent", identity=identity_id, why=type(error).__name__)


def _known(session: Session, shop_id: int, email_hash: bytes) -> tuple[int | None, list[int]]:
    """The customer who proved the address, of this shop if there is one; and this shop's members who did not."""
    rows = session.rows(
        "SELECT i.id, i.shop_id, i.member_id, i.email_verified FROM identities i JOIN shops s "
        "ON s.program_id = i.program_id AND s.id = i.shop_id "
        "WHERE {fence:i} AND {fence:s} AND i.email_hash = CAST(:hash AS bytea) AND i.gone_at IS NULL "
        "AND s.state <> 'uninstalled' ORDER BY i.shop_id <> :shop, i.member_id IS NULL, i.id LIMIT 100",
        hash=email_hash,
        shop=shop_id,
    )
    proven = next((row.id for row in rows if row.email_verified), None)
    unproven = [
        row.id
        for row in rows
        if row.shop_id == shop_id and row.member_id is not None and not row.email_verified
    ]
    return proven, unproven[:_MOST_PROOFS]


def _write(
    rt: Runtime, session: Session, identity_id: int, email_hash: bytes, language: str | None
) -> _Letter | None:
    """Take the right to mail now, in the same statement that looks: two who ask at once get one mail."""
    now, token = rt.now(), secrets.token_urlsafe(32)
    row = session.first(
        "UPDATE identities i SET sign_in_sent_at = :now FROM identities b, shops s WHERE {fence:i} AND {fence:b} "
        "AND {fence:s} AND i.id = :id AND b.id = i.id AND s.id = i.shop_id "
        "AND (i.sign_in_sent_at IS NULL OR i.sign_in_sent_at <= :least) "
        "RETURNING b.sign_in_sent_at AS before, s.key, s.name",
        id=identity_id,
        now=now,
        least=now - ONE_IN,
    )
    person = members.find_person(session, rt.vault, identity_id)
    if row is None or person is None or person.email is None:
        return None
    key = rt.vault.token_hash(token)
    directory.put(
        session.connection,
        Kind.MEMBER_SIGN_IN,
        key,
        session.program_id,
        identity_id,
        details={"email_hash": email_hash.hex()},
        expires_at=now + LIVES,
    )
    words, shop = find_words(session, language), " ".join(row.name.split())[:100]
    link = f"{page_address(rt, row.key)}sign-in/{token}"
    return _Letter(
        identity_id=identity_id,
        to=person.email,
        subject=words.say("page.mail.subject", shop=shop),
        text=words.say("page.mail.text", shop=shop, link=f"\n\n{link}\n\n", minutes=str(LIVES.seconds // 60)),
        token_key=key,
        before=row.before,
    )


def page_address(rt: Runtime, shop_key: str) -> str:
    """Where a shop's page at ours is."""
    return f"{rt.public_url}/my/{shop_key}/"


def _send(rt: Runtime, program_id: int, letter: _Letter) -> None:
    try:
        rt.send_mail(letter.to, letter.subject, letter.text)
    except (Refused, Retryable) as error:
        log.warning("member_link_not_mailed", identity=letter.identity_id, why=type(error).__name__)
        with rt.db.begin(program_id) as session:  # it never left the house: it may be tried again at once
            directory.take(session.connection, Kind.MEMBER_SIGN_IN, letter.token_key, now=rt.now())
            session.run(
                "UPDATE identities SET sign_in_sent_at = :at WHERE {fence} AND id = :id",
                id=letter.identity_id,
                at=letter.before,
            )
    else:
        log.info("member_link_mailed", identity=letter.identity_id)

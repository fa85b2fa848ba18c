"""Somebody is to help run a program: written down with a role, and given a link that signs them in once."""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from app.db import directory
from app.db.directory import Kind
from app.db.session import Session
from app.domain.errors import Refused, Retryable
from app.domain.staff import Role
from app.services.runtime import Runtime
from app.services.staff_tokens import LINK_DAYS, staff_tokens

_EMAIL = re.compile(r"[^@\s\x00-\x1f<>\"]{1,64}@[^@\s\x00-\x1f<>\"]{1,190}")
MAX_NAME = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Invited:
    """`link` signs in once, within 7 days. `mailed`: it was sent; otherwise hand it over yourself."""

    staff_id: int
    link: str
    mailed: bool


def invite_staff(rt: Runtime, program_id: int, *, email: str, name: str, role: Role) -> Invited:
    """Write the person down (again: with the new name and role) and make a link.

    Raises: Refused("bad_email"), Refused("bad_name"), Refused("last_owner").
    """
    address = email.strip().casefold()
    if not _EMAIL.fullmatch(address):
        raise Refused("bad_email", "This is no e-mail address, such as ada@shop.example.")
    said = name_of(name)
    with rt.db.begin(program_id) as session:
        known = session.first("SELECT id, role FROM staff WHERE {fence} AND email = :email", email=address)
        if known is not None and role is not Role.OWNER:
            keep_an_owner(session, known.id)
        staff_id = int(
            session.scalar(
                "INSERT INTO staff (program_id, email, name, role, invited_at) "
                "VALUES (:program_id, :email, :name, :role, :now) ON CONFLICT (program_id, email) DO UPDATE SET "
                "name = excluded.name, role = excluded.role, invited_at = excluded.invited_at, removed_at = NULL "
                "RETURNING id",
                email=address,
                name=said,
                role=role.value,
                now=rt.now(),
            )
        )
    link = make_link(rt, program_id, staff_id)
    return Invited(staff_id=staff_id, link=link, mailed=mail_link(rt, program_id, address, link))


def name_of(typed: str) -> str:
    """What stands beside what they do. Raises: Refused("bad_name")."""
    said = " ".join(typed.split())
    if not 0 < len(said) <= MAX_NAME:
        raise Refused("bad_name", f"A name has 1 to {MAX_NAME} characters.")
    return said


def keep_an_owner(session: Session, staff_id: int) -> None:
    """Raises: Refused("last_owner") if nobody else could invite people any more."""
    owners: list[Any] = list(
        session.rows(
            "SELECT id FROM staff WHERE {fence} AND role = 'owner' AND removed_at IS NULL FOR UPDATE"
        )
    )
    if [row.id for row in owners] == [staff_id]:
        raise Refused("last_owner", "This is the only owner: make somebody else an owner first.")


def make_link(rt: Runtime, program_id: int, staff_id: int) -> str:
    """A link that signs this person in once. Earlier ones go on working: asking for a link costs nobody theirs."""
    token, stored = staff_tokens()
    with rt.db.outside() as connection:
        directory.put(
            connection,
            Kind.SIGN_IN,
            stored,
            program_id,
            staff_id,
            details={"made_at": rt.now().isoformat()},
            expires_at=rt.now() + timedelta(days=LINK_DAYS),
        )
    return f"{rt.public_url}/admin/sign-in/{token}"


def mail_link(rt: Runtime, program_id: int, address: str, link: str) -> bool:
    """Whether the mail went out."""
    with rt.db.begin(program_id) as session:
        name = session.scalar("SELECT name FROM programs WHERE {fence}")
    text = (
        f"With this link you sign in to Laurel, to look after “{name}”:\n\n{link}\n\n"
        f"It works once, within {LINK_DAYS} days. If you did not expect it, delete this mail: nothing happens.\n"
    )
    try:
        rt.send_mail(address, f"Sign in to Laurel: {name}"[:150].replace("\n", " "), text)
    except (Refused, Retryable):
        return False
    return True

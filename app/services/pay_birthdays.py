"""Whose birthday it is, by the program's own days; what was missed is made up for, and nothing is given twice."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from app.db import activities, birthdays, blocks, members, programs
from app.db.activities import ActivityRow
from app.db.programs import Versions
from app.db.session import Session
from app.domain.activities import ActivityKind, ActivityRule, slot_of
from app.domain.awarding import Withheld, birthdays_on, is_birthday_too_soon
from app.domain.calendar import end_of_day, local_time
from app.domain.program import Program
from app.services.activity_targets import persons
from app.services.runtime import Runtime
from app.services.settle_activities import settle_activities

BATCH = 500
LONGEST = timedelta(days=366)  # nobody has two birthdays to be made up for


def pay_birthdays(rt: Runtime, program_id: int) -> int:
    """Look at every day since the last that was looked at, today again. Returns how many birthdays were written down."""
    now = rt.now()
    with rt.db.begin(program_id) as session:
        versions = programs.load_versions(session)[program_id]
        first = _first_with_rule(versions)
        if first is None:
            return 0
        zone = versions.live.zone
        today = now.astimezone(zone).date()
        day = max(birthdays.looked_until(session) or first.astimezone(zone).date(), today - LONGEST)
    count = 0
    while day <= today:
        count += _pay_day(rt, program_id, day)
        day += timedelta(days=1)
    with rt.db.begin(program_id) as session:
        programs.lock_settling(session)
        birthdays.note_looked(session, max(today, birthdays.looked_until(session) or today))
    return count


def _first_with_rule(versions: Versions) -> datetime | None:
    """Since when birthdays are given at all."""
    both = zip(versions.programs, versions.published, strict=True)
    return next((since for program, since in both if program.activity_of(ActivityKind.BIRTHDAY)), None)


def _pay_day(rt: Runtime, program_id: int, day: date) -> int:
    count = after = 0
    while True:
        now = rt.now()
        with rt.db.begin(program_id) as session:
            programs.lock_settling(session)
            known = programs.load_versions(session)
            ends = end_of_day(day, known[program_id].live.zone)
            program = known[program_id].at(min(now, ends - timedelta(microseconds=1)))
            rule = program.activity_of(ActivityKind.BIRTHDAY)
            if rule is None:
                return count
            hashes = [rt.vault.day_hash(program_id, one) for one in birthdays_on(day)]
            page = birthdays.find_members_born(session, hashes, told_before=ends, after=after, limit=BATCH)
            if not page:
                return count
            after = page[-1]
            starts = end_of_day(day - timedelta(days=1), program.zone)
            count += _pay(rt, session, page, program, rule, starts, known, now)


def _pay(
    rt: Runtime,
    session: Session,
    page: Sequence[int],
    program: Program,
    rule: ActivityRule,
    starts: datetime,
    known: Mapping[int, Versions],
    now: datetime,
) -> int:
    winners = members.find_winners(session, page)
    people = sorted({winners.get(one, one) for one in page})
    root = persons(session, people)
    year = starts.astimezone(program.zone).year
    had: set[int] = set()  # one this year, whatever it was worth
    last: dict[int, datetime] = {}
    for account_id, at, counts in birthdays.find_given(session, sorted(root), ActivityKind.BIRTHDAY.value):
        person = root[account_id]
        if at.astimezone(program.zone).year == year:
            had.add(person)
        if counts:
            last[person] = max(at, last.get(person, at))
    blocked = blocks.find_blocks(session, people)
    rows = []
    for person in people:
        if person in had:
            continue
        zero = None
        if any(one.covers(starts) for one in blocked.get(person, ())):
            zero = Withheld.BLOCKED
        elif is_birthday_too_soon(last.get(person), starts, program):
            zero = Withheld.TOO_SOON
        elif not rule.during.covers(local_time(starts, program.zone)):
            zero = Withheld.NOT_NOW
        rows.append(
            ActivityRow(
                program_id=session.program_id,
                activity_id=0,
                member_id=person,
                key=rule.key,
                kind=rule.kind.value,
                version=program.version,
                occurred_at=starts,
                recorded_at=now,
                actor="laurel",
                slot=None if zero else slot_of(rule, starts, program.zone),
                request_key=rt.vault.request_hash(f"birthday:{person}:{year}"),
                zero=zero,
            )
        )
    for row, activity_id in zip(rows, activities.new_ids(session, len(rows)), strict=True):
        row.activity_id = activity_id
    activities.add_activities(session, rows)
    settle_activities(session, rows, known, now=now)
    return len(rows)

"""What publishing a draft would do: which orders that wait would count, and who would come to another tier.

Counted as the change itself counts, and nothing is written. In steps: the first counts the orders that wait, in a
transaction that is rolled back; each further one only reads, some thousand members at a time, so that nobody's orders
wait for a large program's preview. What a step leaves is plain, so that a job can put it away and go on later.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from app.db import auditing, programs, recounts, tiers
from app.db.orders import find_orders
from app.db.session import Session
from app.domain.errors import Refused
from app.domain.program import decode
from app.domain.tiers import same_levels
from app.services.check_document import check_document
from app.services.diff_documents import Change, diff_documents
from app.services.findings import Watch
from app.services.publish_program import require_possible
from app.services.recount import all_to_recount
from app.services.runtime import Runtime
from app.services.settle_orders import settle_orders
from app.services.tier_moves import Moves, TierMoves, add_moves, count_moves, moves_to

BATCH = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishPreview:
    """What publishing would do. `orders`: held ones that would count at once, with their `points`.

    `tiers`: those that somebody would come to because of it.
    """

    live_version: int
    changes: tuple[Change, ...]
    orders: int
    points: int
    tiers: tuple[TierMoves, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SoFar:
    """How far a preview is: `done` of `total` members, up to `after`. `counted`: members looked at in the first step."""

    live_version: int
    at: datetime
    orders: int
    points: int
    counted: tuple[int, ...]
    after: int = 0
    done: int = 0
    total: int
    moves: Moves


def preview_program(
    rt: Runtime, program_id: int, document: Mapping[str, Any], watch: Watch | None = None
) -> PublishPreview:
    """All of it at once. Raises: WrongDocument, Refused("overtaken").

    `watch` is told how many members were looked at, of how many.
    """
    found = begin_preview(rt, program_id, document)
    while (further := go_on(rt, program_id, document, found)) is not None:
        found = further
        if watch is not None:
            watch(found.done, found.total)
    return what_it_does(rt, program_id, document, found)


def begin_preview(rt: Runtime, program_id: int, document: Mapping[str, Any]) -> SoFar:
    """The orders that wait, counted, and the tiers of those whose they are. Raises: WrongDocument."""
    check_document(document)
    now = rt.now()
    with rt.db.trial(program_id) as session:
        live = programs.find_documents(session)[0]
        require_possible(rt, session, live.document, document)
        before = recounts.find_points(session)
        programs.add_version(session, document, by="preview", note="", now=now)
        orders, whose = 0, set[int]()
        for batch in all_to_recount(session, None):
            settle_orders(session, rt.vault, [], now=now, recount=batch)
            orders += len(batch)
            owners = (row.member_id for row in find_orders(session, batch).values())
            whose.update(one for one in owners if one is not None)
        after = recounts.find_points(session)
        versions = programs.load_versions(session)[program_id]
        moves: Moves = {}
        total = 0
        if not same_levels(versions.programs[-2], versions.live):
            total = auditing.count(session, "members")
            for ids in _slices(sorted(whose)):
                moves = add_moves(moves, count_moves(session, ids, versions, at=now))
    return SoFar(
        live_version=live.version,
        at=now,
        orders=orders,
        points=sum(after.values()) - sum(before.values()),
        counted=tuple(sorted(whose)),
        total=total,
        moves=moves,
    )


def go_on(rt: Runtime, program_id: int, document: Mapping[str, Any], found: SoFar) -> SoFar | None:
    """One step further; None: everybody was looked at. Raises: Refused("overtaken")."""
    if not found.total:
        return None
    with rt.db.snapshot(program_id) as session:
        ids = tiers.next_members(session, after=found.after, limit=BATCH)
        if not ids:
            return None
        versions = programs.load_versions(session)[program_id]
        _require_live(versions.live.version, found)
        draft = programs.with_draft(versions, decode(document, versions.live.version + 1), now=found.at)
        known = set(found.counted)
        moves = count_moves(session, [one for one in ids if one not in known], draft, at=found.at)
    done = found.done + len(ids)
    return replace(
        found,
        after=ids[-1],
        done=done,
        total=max(found.total, done),
        moves=add_moves(found.moves, moves),
    )


def what_it_does(rt: Runtime, program_id: int, document: Mapping[str, Any], found: SoFar) -> PublishPreview:
    """Raises: Refused("overtaken")."""
    with rt.db.begin(program_id) as session:
        live = _live(session, found)
    return PublishPreview(
        live_version=found.live_version,
        changes=tuple(diff_documents(live, document)),
        orders=found.orders,
        points=found.points,
        tiers=moves_to(decode(document, found.live_version + 1), found.moves),
    )


def _live(session: Session, found: SoFar) -> Mapping[str, Any]:
    live = programs.find_documents(session)[0]
    _require_live(live.version, found)
    document: Mapping[str, Any] = live.document
    return document


def _require_live(version: int, found: SoFar) -> None:
    if version != found.live_version:
        raise Refused("overtaken", f"Version {version} was published meanwhile: compare with it first.")


def _slices(ids: list[int]) -> Iterable[list[int]]:
    return (ids[first : first + BATCH] for first in range(0, len(ids), BATCH))

"""What a shop shows of a member at its own record of the customer: what should stand there, what does, the difference.

The shop's themes, segments and staff read it without asking us. A state, never a step: written twice, it is the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

TAG_PREFIX = "laurel-tier-"
"""Begins every tag of ours; one without it is never touched, and neither is one that we do not remember having set."""


class ProfilePart(StrEnum):
    """What a merchant switches on and off, each by itself."""

    FIELDS = "fields"
    TAGS = "tags"


class ProfileField(StrEnum):
    """A value of its own at the customer's record. The names stand in merchants' themes and segments: they stay."""

    POINTS = (
        "points"  # available, in the program's unit: points, or minor units of its currency; never below 0
    )
    PENDING = "pending"  # not yet available
    TIER = "tier"  # its key
    TIER_NAME = "tier_name"
    UNIT = "unit"  # what points and pending count: "points", or the currency whose smallest unit they are


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What should stand at a shop of one customer. Empty: nothing of ours."""

    fields: Mapping[ProfileField, str]
    tag: str | None


NOTHING = Profile(fields={}, tag=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldProfile:
    """What stands there, as far as we know. Not `known`: a try of unknown outcome may have changed it.

    `tags`: every tag of ours that may be there.
    """

    known: bool
    fields: Mapping[ProfileField, str]
    tags: frozenset[str]

    @property
    def is_empty(self) -> bool:
        return self.known and not self.fields and not self.tags


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileChange:
    """What is to be written at one customer: no more than differs."""

    customer_ref: str
    put: Mapping[ProfileField, str]
    drop: frozenset[ProfileField]
    add_tag: str | None
    drop_tags: frozenset[str]


class ProfileEnding(StrEnum):
    """What became of a change."""

    WRITTEN = "written"
    GONE = "gone"  # the shop has no such customer
    REJECTED = "rejected"  # the shop has the customer, and does not take it


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundProfile:
    """What the shop says stands there: fields of ours, and tags that begin with our prefix, in small letters."""

    fields: Mapping[ProfileField, str]
    tags: frozenset[str]


def profile_of(
    *, available: int, pending: int, unit: str, tier_key: str, tier_name: str, parts: frozenset[ProfilePart]
) -> Profile:
    """What should stand at a shop that shows `parts`. A debt shows as 0, as on every page for shoppers."""
    fields = {
        ProfileField.POINTS: str(max(available, 0)),
        ProfileField.PENDING: str(pending),
        ProfileField.TIER: tier_key,
        ProfileField.TIER_NAME: tier_name,
        ProfileField.UNIT: unit,
    }
    return Profile(
        fields=fields if ProfilePart.FIELDS in parts else {},
        tag=tag_of(tier_key) if ProfilePart.TAGS in parts else None,
    )


def change_to_reach(target: Profile, held: HeldProfile, customer_ref: str) -> ProfileChange | None:
    """What is still to be written; None: what stands there is right."""
    put = {
        name: value
        for name, value in target.fields.items()
        if not held.known or held.fields.get(name) != value
    }
    may_be_there = held.fields.keys() if held.known else set(ProfileField)
    drop = frozenset(may_be_there - target.fields.keys())
    wanted = frozenset({target.tag} if target.tag else ())
    add = target.tag if wanted and not (held.known and wanted <= held.tags) else None
    gone = held.tags - wanted
    if not (put or drop or add or gone):
        return None
    return ProfileChange(customer_ref=customer_ref, put=put, drop=drop, add_tag=add, drop_tags=gone)


def reached(target: Profile) -> HeldProfile:
    """What stands there once `target` was written."""
    return HeldProfile(known=True, fields=target.fields, tags=frozenset({target.tag} if target.tag else ()))


def tag_of(tier_key: str) -> str:
    return f"{TAG_PREFIX}{tier_key}"


def is_ours(tag: str) -> bool:
    return tag.casefold().startswith(TAG_PREFIX)

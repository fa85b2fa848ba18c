"""What is to be written of a member at a shop's customer: the difference, and no more."""

from hypothesis import given
from hypothesis import strategies as st

from app.domain.profiles import (
    NOTHING,
    HeldProfile,
    Profile,
    ProfileField,
    ProfilePart,
    change_to_reach,
    is_ours,
    profile_of,
    reached,
)

TAGS = st.sampled_from(["laurel-tier-gold", "laurel-tier-silver", "laurel-tier-member"])
FIELDS = st.dictionaries(st.sampled_from(list(ProfileField)), st.sampled_from(["0", "5", "gold"]))
TARGETS = st.builds(Profile, fields=FIELDS, tag=st.none() | TAGS)


def seen(fields: dict[ProfileField, str], tags: frozenset[str]) -> HeldProfile:
    return HeldProfile(known=True, fields=fields, tags=tags)


SEEN = st.builds(seen, FIELDS, st.frozensets(TAGS))


def gold(**changes: object) -> Profile:
    told = {
        "available": 5,
        "pending": 2,
        "unit": "points",
        "tier_key": "gold",
        "tier_name": "Gold",
        "parts": frozenset(ProfilePart),
    }
    return profile_of(**(told | changes))  # type: ignore[arg-type]


def written(target: Profile, held: HeldProfile, there: HeldProfile) -> HeldProfile:
    """What stands at a shop where `there` stood, once the change for what we held was written."""
    change = change_to_reach(target, held, "7")
    if change is None:
        return there
    fields = {name: value for name, value in there.fields.items() if name not in change.drop} | dict(
        change.put
    )
    tags = (there.tags | ({change.add_tag} if change.add_tag else set())) - change.drop_tags
    return HeldProfile(known=True, fields=fields, tags=frozenset(tags))


@given(TARGETS, SEEN)
def test_what_is_written_reaches_the_target_and_then_nothing_is(target: Profile, held: HeldProfile) -> None:
    after = written(target, held, held)
    assert after == reached(target)
    assert change_to_reach(target, after, "7") is None


@given(TARGETS, SEEN, FIELDS, TARGETS)
def test_whatever_a_try_left_behind_is_put_right(
    target: Profile, before: HeldProfile, half: dict[ProfileField, str], tried: Profile
) -> None:
    """Of an earlier try nobody knows what came of it: some fields, the tag or not."""
    wanted = frozenset({tried.tag} if tried.tag else ())
    unknown = HeldProfile(known=False, fields=before.fields, tags=before.tags | wanted)
    for there in (before.tags, before.tags | wanted):
        stands = HeldProfile(known=True, fields={**before.fields, **half}, tags=there)
        assert written(target, unknown, stands) == reached(target)


@given(SEEN)
def test_a_tag_that_we_do_not_remember_is_never_taken_away(held: HeldProfile) -> None:
    change = change_to_reach(NOTHING, held, "7")
    assert (change.drop_tags if change else frozenset()) == held.tags


def test_only_what_differs_is_written() -> None:
    change = change_to_reach(gold(), reached(gold(available=4, tier_name="Golden")), "7")
    assert change is not None
    assert dict(change.put) == {ProfileField.POINTS: "5", ProfileField.TIER_NAME: "Gold"}
    assert (change.drop, change.add_tag, change.drop_tags) == (frozenset(), None, frozenset())


def test_a_part_that_is_not_shown_is_empty() -> None:
    assert gold(parts=frozenset({ProfilePart.TAGS})) == Profile(fields={}, tag="laurel-tier-gold")
    assert gold(parts=frozenset({ProfilePart.FIELDS})).tag is None
    assert gold(parts=frozenset()) == NOTHING


def test_a_debt_is_shown_as_nothing() -> None:
    assert gold(available=-12).fields[ProfileField.POINTS] == "0"


def test_a_tag_is_ours_by_its_beginning() -> None:
    assert [is_ours(tag) for tag in ("laurel-tier-gold", "Laurel-Tier-Gold", "laurel", "vip")] == [
        True,
        True,
        False,
        False,
    ]

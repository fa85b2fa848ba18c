"""What stands at Shopify's own customers: metafields of the app, and a tag for the level."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from app.domain.errors import AccessLost, Refused, Retryable
from app.domain.profiles import FoundProfile, ProfileChange, ProfileEnding, ProfileField, is_ours
from app.domain.redacting import cleared
from connectors.base import Absent
from connectors.shopify.client import facts
from connectors.shopify.client.admin_api import AdminApi, Errors, UserError, as_shape, failure_of, gid, sound

NAMESPACE = "$app:laurel"  # the app's own: no other app writes there, and staff only read
_TEXT, _WHOLE = "single_line_text_field", "number_integer"
_PROFILE_FIELDS = {
    ProfileField.POINTS: ("Points", _WHOLE),
    ProfileField.PENDING: ("Pending points", _WHOLE),
    ProfileField.TIER: ("Level", _TEXT),
    ProfileField.TIER_NAME: ("Name of the level", _TEXT),
    ProfileField.UNIT: ("What points count", _TEXT),
}

DEFINE_FIELD = """
mutation DefineField($definition: MetafieldDefinitionInput!) {
  told: metafieldDefinitionCreate(definition: $definition) { userErrors { field message code } }
}"""
UNDEFINE_FIELD = """
mutation UndefineField($field: MetafieldDefinitionIdentifierInput!) {
  told: metafieldDefinitionDelete(identifier: $field, deleteAllAssociatedMetafields: true) {
    userErrors { field message code }
  }
}"""
SET_FIELDS = """
mutation SetFields($fields: [MetafieldsSetInput!]!) {
  told: metafieldsSet(metafields: $fields) { userErrors { field message code elementIndex } }
}"""
DROP_FIELDS = """
mutation DropFields($fields: [MetafieldIdentifierInput!]!) {
  told: metafieldsDelete(metafields: $fields) { userErrors { field message } }
}"""
READ_PROFILES = """
query ReadProfiles($ids: [ID!]!, $namespace: String!) {
  nodes(ids: $ids) {
    ... on Customer { id tags metafields(first: 10, namespace: $namespace) { nodes { key value } } }
  }
}"""


def change_tags(acts: Sequence[str]) -> str:
    """A mutation that does each of `acts` ("tagsAdd", "tagsRemove") to a customer and tags of its own."""
    given = ", ".join(f"$id{n}: ID!, $tags{n}: [String!]!" for n in range(len(acts)))
    done = " ".join(
        f"a{n}: {act}(id: $id{n}, tags: $tags{n}) {{ userErrors {{ field message }} }}"
        for n, act in enumerate(acts)
    )
    return f"mutation ChangeTags({given}) {{ {done} }}"


OPERATIONS = (
    *(DEFINE_FIELD, UNDEFINE_FIELD, SET_FIELDS, DROP_FIELDS, READ_PROFILES),
    change_tags(("tagsAdd", "tagsRemove")),
)

_PROFILES_AT_ONCE = 50
_FIELDS_AT_ONCE = 25  # no more are taken. Source: Admin API 2026-10, metafieldsSet
_TAGS_AT_ONCE = 10  # customers; a mutation each, 10 points of the bucket
_NO_FILTER_LEFT = frozenset({"OWNER_TYPE_LIMIT_EXCEEDED_FOR_USE_AS_ADMIN_FILTERS", "INVALID_CAPABILITY"})


def prepare_profiles(api: AdminApi) -> None:
    for name, (title, kind) in _PROFILE_FIELDS.items():
        wanted: dict[str, Any] = {
            "name": f"Loyalty: {title}",
            "namespace": NAMESPACE,
            "key": name.value,
            "ownerType": "CUSTOMER",
            "type": kind,
            "access": {"admin": "MERCHANT_READ", "storefront": "PUBLIC_READ", "customerAccount": "READ"},
            "capabilities": {"adminFilterable": {"enabled": True}},
        }
        errors = _told_errors(api, DEFINE_FIELD, {"definition": wanted})
        if any(error.code in _NO_FILTER_LEFT for error in errors):
            # The shop has as many filters as it may: then staff cannot search by it, all else works.
            del wanted["capabilities"]
            errors = _told_errors(api, DEFINE_FIELD, {"definition": wanted})
        _require_none(error for error in errors if error.code != "TAKEN")


def write_profiles(api: AdminApi, changes: Sequence[ProfileChange]) -> Mapping[str, ProfileEnding]:
    put = [
        (
            one.customer_ref,
            {**_field(one.customer_ref, name), "type": _PROFILE_FIELDS[name][1], "value": value},
        )
        for one in changes
        for name, value in one.put.items()
    ]
    drop = [
        (one.customer_ref, _field(one.customer_ref, name)) for one in changes for name in sorted(one.drop)
    ]
    doubtful = (
        _in_parts(api, SET_FIELDS, put) | _in_parts(api, DROP_FIELDS, drop) | _change_tags(api, changes)
    )
    there = facts.read_tags(api, sorted(doubtful)) if doubtful else {}
    missing = {ref: ProfileEnding.REJECTED if ref in there else ProfileEnding.GONE for ref in doubtful}
    return {one.customer_ref: missing.get(one.customer_ref, ProfileEnding.WRITTEN) for one in changes}


def read_profiles(api: AdminApi, customer_refs: Sequence[str]) -> Mapping[str, FoundProfile]:
    more = {"namespace": NAMESPACE}
    found = api.nodes(READ_PROFILES, "Customer", customer_refs, _PROFILES_AT_ONCE, more)
    return {
        ref: _found_profile(as_shape(sound(node), _ProfileNode))
        for ref, node in found
        if node is not Absent.GONE
    }


def remove_profiles(api: AdminApi) -> None:
    for name in _PROFILE_FIELDS:
        field = {"namespace": NAMESPACE, "key": name.value, "ownerType": "CUSTOMER"}
        errors = _told_errors(api, UNDEFINE_FIELD, {"field": field})
        _require_none(error for error in errors if error.code != "NOT_FOUND")


def _field(customer_ref: str, name: ProfileField) -> dict[str, str]:
    return {"ownerId": gid("Customer", customer_ref), "namespace": NAMESPACE, "key": name.value}


def _in_parts(api: AdminApi, operation: str, fields: Sequence[tuple[str, Mapping[str, str]]]) -> set[str]:
    """Do it to as many fields a time as may be; the customers of whom the shop did not take one.

    A call is done as a whole or not at all, so one that is refused is done again without those; where it does not
    say which, in halves.
    """
    doubtful: set[str] = set()
    waiting = [fields[at : at + _FIELDS_AT_ONCE] for at in range(0, len(fields), _FIELDS_AT_ONCE)]
    while waiting:
        part = [one for one in waiting.pop(0) if one[0] not in doubtful]
        if not part:
            continue
        errors = _told_errors(api, operation, {"fields": [field for _, field in part]})
        named = {part[error.at][0] for error in errors if error.at is not None and error.at < len(part)}
        if errors and not named and len(part) > 1:
            middle = len(part) // 2
            waiting += [part[:middle], part[middle:]]
        elif errors:
            doubtful |= named or {part[0][0]}
            waiting.append(part)
    return doubtful


def _change_tags(api: AdminApi, changes: Sequence[ProfileChange]) -> set[str]:
    """The customers at whom the shop did not take it."""
    wanted = [(one.customer_ref, "tagsAdd", [one.add_tag]) for one in changes if one.add_tag]
    wanted += [(one.customer_ref, "tagsRemove", sorted(one.drop_tags)) for one in changes if one.drop_tags]
    doubtful: set[str] = set()
    for start in range(0, len(wanted), _TAGS_AT_ONCE):
        part = wanted[start : start + _TAGS_AT_ONCE]
        variables: dict[str, Any] = {}
        for n, (ref, _, tags) in enumerate(part):
            variables |= {f"id{n}": gid("Customer", ref), f"tags{n}": tags}
        answer = api.ask_apart(change_tags([act for _, act, _ in part]), variables)
        for error in answer.errors:  # that one customer is unknown may be told either way
            failure = failure_of(error, changes=True)
            if not isinstance(failure, Refused) or isinstance(failure, AccessLost):
                raise failure
        told = as_shape(answer.data, dict[str, Errors | None])
        for n, (ref, _, _) in enumerate(part):
            its = told.get(f"a{n}")
            if its is None or its.user_errors:
                doubtful.add(ref)
    return doubtful


def _told_errors(api: AdminApi, operation: str, variables: Mapping[str, Any]) -> "tuple[UserError, ...]":
    told = as_shape(api.data(operation, variables, granted_apart=True), _ToldAnswer).told
    if told is None:
        raise Retryable("the shop did not say what became of it")
    if any(error.code == "INTERNAL_ERROR" for error in told.user_errors):
        raise Retryable("the shop failed at it")
    return told.user_errors


def _require_none(errors: "Iterable[UserError]") -> None:
    if wrong := "; ".join(f"{cleared(error.code or '', 60)} {cleared(error.message)}" for error in errors):
        raise Refused("rejected", wrong)


def _found_profile(node: "_ProfileNode") -> FoundProfile:
    """What stands there of ours; a field that an older version of ours made is nobody's business any more."""
    known = {name.value: name for name in ProfileField}
    return FoundProfile(
        fields={known[one.key]: one.value for one in node.metafields.nodes if one.key in known},
        tags=frozenset(tag.casefold() for tag in node.tags if is_ours(tag)),
    )


class _ToldAnswer(Struct, frozen=True):
    told: Errors | None


class _Metafield(Struct, frozen=True):
    key: str
    value: str


class _Metafields(Struct, frozen=True):
    nodes: tuple[_Metafield, ...]


class _ProfileNode(Struct, frozen=True):
    metafields: _Metafields
    tags: tuple[str, ...] = ()

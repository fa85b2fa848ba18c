"""The storefront API as an OpenAPI document: docs/storefront-api.md once more, in the form that requests are made from.

It tells programs what the page tells people; the widget is its only client, so that it is published nowhere.
"""

from typing import Any

Json = dict[str, Any]


def _object(optional: Json | None = None, /, **required: Json) -> Json:
    return {"type": "object", "required": sorted(required), "properties": {**required, **(optional or {})}}


def _or_null(schema: Json) -> Json:
    return {"anyOf": [schema, {"type": "null"}]}


def _list(schema: Json) -> Json:
    return {"type": "array", "items": schema}


WHOLE: Json = {"type": "integer"}
FLAG: Json = {"type": "boolean"}
TEXT: Json = {"type": "string"}
MAYBE_TEXT: Json = {"type": ["string", "null"]}
MOMENT: Json = {"type": "string", "format": "date-time"}
MONEY = _object(minor=WHOLE, currency=TEXT)
DUE = _object(points=WHOLE, text=TEXT, at=MOMENT)
COLOURS = _object(light=TEXT, dark=TEXT)

BALANCE = _object(
    available=WHOLE,
    available_text=TEXT,
    pending=WHOLE,
    pending_text=TEXT,
    pending_next=_or_null(DUE),
    deficit=WHOLE,
    deficit_text=TEXT,
    worth=_or_null(MONEY),
    expiring=_or_null(DUE),
)
NEXT_TIER = _object(
    key=TEXT,
    name=TEXT,
    threshold=_or_null(MONEY),
    spent=_or_null(MONEY),
    missing=_or_null(MONEY),
    sentence=MAYBE_TEXT,
    progress_percent={"type": ["integer", "null"], "minimum": 0, "maximum": 100},
)
MEMBER = _object(
    id=TEXT,
    joined_on={"type": "string", "format": "date"},
    name=MAYBE_TEXT,
    balance=BALANCE,
    tier=_object(key=TEXT, name=TEXT, earn_percent=WHOLE, since=_or_null(MOMENT)),
    next_tier=_or_null(NEXT_TIER),
    email_proof={"enum": [None, "wanted", "sent"]},
    stopped=_or_null(
        _object(reason={"enum": ["frozen", "blocked", "being_checked"]}, title=TEXT, sentence=TEXT)
    ),
)
PROGRAM = _object(
    name=TEXT,
    currency=TEXT,
    unit=TEXT,
    timezone=TEXT,
    points_name=_or_null({"type": "object"}),
    earn_sentence=TEXT,
    tier_period=MAYBE_TEXT,
    tiers=_list(_object(key=TEXT, name=TEXT, earn_percent=WHOLE, **{"from": _or_null(MONEY)})),
    referral=FLAG,
    ways=_or_null(_list(_object(kind=TEXT, title=TEXT, sentence=TEXT))),
)
LOOK = _object(
    accent=COLOURS,
    on_accent=COLOURS,
    accent_text=COLOURS,
    radius=WHOLE,
    position={"enum": ["start", "end"]},
    font={"enum": ["shop", "system"]},
)
ME = _object(signed_in=FLAG, server_time=MOMENT, member=_or_null(MEMBER), program=PROGRAM, look=LOOK)
STEPS = _object(points=WHOLE, amount=_or_null(MONEY), minimum=WHOLE, maximum={"type": ["integer", "null"]})
REWARD = _object(
    key=TEXT,
    title=TEXT,
    cost=WHOLE,
    cost_text=TEXT,
    state={"enum": ["ready", "short", "locked"]},
    missing=WHOLE,
    reason=MAYBE_TEXT,
    barrier=MAYBE_TEXT,
    kind=TEXT,
    has_code=FLAG,
    minimum_spend=_or_null(MONEY),
    left={"type": ["integer", "null"]},
    steps=_or_null(STEPS),
    valid_days={"type": ["integer", "null"]},
    returns_unused=FLAG,
)
REDEMPTION = _object(
    id=TEXT,
    state={"enum": ["requested", "issued", "used", "cancelling", "cancelled", "expired", "failed"]},
    code=MAYBE_TEXT,
    cost=WHOLE,
    cost_text=TEXT,
    expires_at=MOMENT,
    reward=_object(key=TEXT, title=TEXT, kind=TEXT, minimum_spend=_or_null(MONEY), returns_unused=FLAG),
    left=_or_null(MONEY),
    left_text=MAYBE_TEXT,
    back={"type": ["integer", "null"]},
    detail=MAYBE_TEXT,
)
ITEM = _object(
    id=TEXT,
    kind=TEXT,
    points=WHOLE,
    points_text=TEXT,
    title=TEXT,
    at=MOMENT,
    available_at=_or_null(MOMENT),
    state={"enum": ["done", "pending"]},
    sentence=TEXT,
    facts=_list(_object(label=TEXT, value=TEXT)),
)
CARD = _object(code=TEXT, qr=_object(size=WHOLE, path=TEXT))
ESTIMATE = _object(points={"type": ["integer", "null"]}, text=MAYBE_TEXT, about=FLAG)
BASKET: tuple[Json, ...] = (
    {
        "name": "currency",
        "in": "query",
        "required": True,
        "schema": {"type": "string", "pattern": "^[A-Z]{3}$"},
    },
    {"name": "lines", "in": "query", "required": True, "schema": TEXT},
    *(
        {"name": name, "in": "query", "schema": TEXT}
        for name in ("fees", "delivery", "delivery_tax", "channel")
    ),
)
PROBLEM = _object({"ref": TEXT}, type=TEXT, title=TEXT, status=WHOLE, code=TEXT, detail=TEXT)

_LANG = {"name": "lang", "in": "query", "schema": TEXT}
_REF = {
    "name": "redemption_ref",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "pattern": "^r_[1-9][0-9]{0,17}$"},
}
_IDEMPOTENCY = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string", "pattern": "^[!-~]{1,60}$"},
}


def describe(shop_key: str) -> Json:
    """The document for one shop, whose key is the only one that is made up into requests."""
    key = {"name": "key", "in": "query", "required": True, "schema": {"type": "string", "enum": [shop_key]}}
    shop = {"type": "string", "enum": [shop_key]}

    def operation(
        name: str, answers: dict[int, Json], errors: str, *more: Json, body: Json | None = None
    ) -> Json:
        found: Json = {
            "operationId": name,
            "parameters": [key, _LANG, *more],
            "responses": {
                **{str(status): _answer(schema, "application/json") for status, schema in answers.items()},
                **{one: _answer(PROBLEM, "application/problem+json") for one in errors.split()},
            },
        }
        if body is not None:
            schema = {**body, "additionalProperties": True}
            found["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
        return found

    only_shop = _object({"shop": shop})
    wish = _object(
        {"shop": shop, "points": _or_null({"type": "integer", "minimum": 1}), "request_key": TEXT},
        reward=TEXT,
    )
    return {
        "openapi": "3.1.0",
        "info": {"title": "Laurel storefront", "version": "1"},
        "paths": {
            "/storefront/v1/me": {"get": operation("me", {200: ME}, "400 401 404")},
            "/storefront/v1/join": {
                "post": operation("join", {200: ME, 201: ME}, "400 401 404 422", body=only_shop)
            },
            "/storefront/v1/rewards": {
                "get": operation("rewards", {200: _object(rewards=_list(REWARD))}, "400 401 403 404")
            },
            "/storefront/v1/estimate": {
                "get": operation("estimate", {200: ESTIMATE}, "400 401 404 422", *BASKET)
            },
            "/storefront/v1/history": {
                "get": operation(
                    "history",
                    {200: _object(items=_list(ITEM), next=MAYBE_TEXT)},
                    "400 401 403 404",
                    {"name": "cursor", "in": "query", "schema": TEXT},
                )
            },
            "/storefront/v1/referral-code": {
                "post": operation(
                    "own_referral_code",
                    {200: _object(code=TEXT, link=TEXT)},
                    "400 401 403 404 422",
                    body=only_shop,
                )
            },
            "/storefront/v1/referrals": {
                "post": operation(
                    "came_by_code",
                    {200: _object(known=FLAG), 201: _object(known=FLAG)},
                    "400 401 403 404 409 422",
                    body=_object({"shop": shop}, code=TEXT),
                )
            },
            "/storefront/v1/card": {
                "get": operation("card", {200: CARD}, "400 401 403 404"),
                "post": operation("new_card", {201: CARD}, "400 401 403 404 422", body=only_shop),
            },
            "/storefront/v1/redemptions": {
                "get": operation(
                    "redemptions", {200: _object(redemptions=_list(REDEMPTION))}, "400 401 403 404"
                ),
                "post": operation(
                    "buy",
                    {201: REDEMPTION, 202: REDEMPTION},
                    "400 401 403 404 409 422",
                    _IDEMPOTENCY,
                    body=wish,
                ),
            },
            "/storefront/v1/redemptions/{redemption_ref}": {
                "get": operation("redemption", {200: REDEMPTION}, "400 401 403 404", _REF)
            },
            "/storefront/v1/redemptions/{redemption_ref}/cancel": {
                "post": operation("give_back", {200: REDEMPTION}, "400 401 403 404 422", _REF, body=only_shop)
            },
            "/storefront/v1/email-proof": {
                "post": operation(
                    "prove_email",
                    {202: _object(email_proof={"enum": ["sent"]})},
                    "400 401 403 404 422 429",
                    body=only_shop,
                )
            },
        },
    }


def _answer(schema: Json, content_type: str) -> Json:
    return {"description": "", "content": {content_type: {"schema": schema}}}

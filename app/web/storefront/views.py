"""GET and POST /storefront/v1/…: each parses, calls one service or two, and answers in the shapes of `present`.

Everything here is the shopper's own: whose it is comes from the proof of who asks, never from the request.
"""

import re
from collections.abc import Callable

import msgspec
from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

from app.domain.errors import Refused
from app.services.await_code import await_code
from app.services.cancel_redemption import cancel_redemption
from app.services.enrol_customer import enrol_customer
from app.services.estimate_order import estimate_order
from app.services.find_member import ById
from app.services.find_redemptions import RedemptionView, find_redemption, find_redemptions
from app.services.find_words import program_words
from app.services.list_rewards import list_rewards
from app.services.member_card import member_card, replace_card
from app.services.open_panel import open_panel
from app.services.prove_shopper import Shopper
from app.services.redeem import RedeemRequest, redeem
from app.services.refer_friend import MAX_REFERRAL_CODE, friend_link, refer_friend, referral_code
from app.services.send_email_proof import send_email_proof
from app.services.shopper_history import shopper_history
from app.web.clean import read_json, refuse_unclean
from app.web.errors import speaking
from app.web.here import runtime
from app.web.languages import language
from app.web.limits import limited
from app.web.policy import Guarded, Policy
from app.web.storefront import present
from app.web.storefront.basket import read_basket
from app.web.storefront.limits import counts
from app.web.storefront.who import allow_own_pages, customer, member, shopper, words_for_errors
from app.web.storefront.wish import read_wish

PREFIX = "/storefront/v1"
_OUR_ID = re.compile(r"r_([1-9][0-9]{0,17})", re.ASCII)

blueprint = Guarded("storefront", __name__, policy=Policy.SHOPPER, url_prefix=PREFIX)
blueprint.after_request(allow_own_pages)
speaking(blueprint, words_for_errors)
limited(blueprint, counts)

View = Callable[..., ResponseReturnValue]
_VIEWS: list[tuple[str, str, View]] = []


def _view(method: str, path: str) -> Callable[[View], View]:
    def declared(view: View) -> View:
        _VIEWS.append((method, path, view))
        return view

    return declared


def put_views(on: Blueprint) -> None:
    """Every view of this page on a blueprint that has found out who asks: the shop's pages', or our own page's."""
    for method, path, view in _VIEWS:
        on.add_url_rule(path, view_func=view, methods=[method])


@blueprint.before_request
def prove() -> None:
    """Nothing is read before it is known who asks. A browser's question about CORS carries no proof."""
    if request.method == "OPTIONS":
        return
    refuse_unclean()
    refuse_other_shops()


def refuse_other_shops() -> None:
    who = shopper()
    if request.method == "POST" and read_json().get("shop", who.shop.key) != who.shop.key:
        raise Refused("invalid", "Address and body name different shops.")


@_view("GET", "/me")
def get_me() -> Response:
    # Read all the time: by a quicker encoder than Flask's, and not sorted.
    return Response(msgspec.json.encode(_me(shopper(), asked=False)), mimetype="application/json")


@_view("POST", "/join")
def join() -> tuple[Response, int]:
    who, customer_ref = customer()
    before = enrol_customer(runtime(), who.shop.program_id, who.shop.shop_id, customer_ref, asked=False)
    is_member = before is not None and before.member_id is not None
    return jsonify(_me(who, asked=True)), 200 if is_member else 201


@_view("GET", "/rewards")
def get_rewards() -> Response:
    who, member_id = member()
    found = list_rewards(
        runtime(), who.shop.program_id, member_id=member_id, shop_id=who.shop.shop_id, language=language()
    )
    return jsonify(rewards=[present.reward(one) for one in found])


@_view("GET", "/history")
def get_history() -> Response:
    who, member_id = member()
    page = shopper_history(
        runtime(), who.shop.program_id, member_id, cursor=request.args.get("cursor"), language=language()
    )
    return jsonify(present.history(page.items, page.next))


@_view("GET", "/estimate")
def get_estimate() -> Response:
    rt, who = runtime(), shopper()
    words = program_words(rt, who.shop.program_id, language())
    return jsonify(present.estimate(estimate_order(rt, who, read_basket()), words))


@_view("POST", "/referral-code")
def post_referral_code() -> Response:
    who, member_id = member()
    code = referral_code(runtime(), who.shop.program_id, member_id)
    return jsonify(code=code, link=friend_link(who.shop.url, code))


@_view("POST", "/referrals")
def post_referral() -> tuple[Response, int]:
    code = read_json().get("code")
    if not isinstance(code, str) or not 0 < len(code) <= MAX_REFERRAL_CODE:
        raise Refused("invalid", "Say by whose code: “code” is what the friend handed on.")
    who, member_id = member()
    done = refer_friend(runtime(), who.shop.program_id, code, ById(member_id), actor="shopper")
    return jsonify(known=True), 201 if done.is_new else 200


@_view("GET", "/card")
def get_card() -> Response:
    who, member_id = member()
    return jsonify(present.card(member_card(runtime(), who.shop.program_id, member_id)))


@_view("POST", "/card")
def post_card() -> tuple[Response, int]:
    """A new one: the card before stops working."""
    who, member_id = member()
    return jsonify(present.card(replace_card(runtime(), who.shop.program_id, member_id))), 201


@_view("GET", "/redemptions")
def get_redemptions() -> Response:
    who, member_id = member()
    found = find_redemptions(runtime(), who.shop.program_id, member_id)
    words = program_words(runtime(), who.shop.program_id, language())
    return jsonify(redemptions=[present.redemption(one, words) for one in found])


@_view("GET", "/redemptions/<redemption_ref>")
def get_redemption(redemption_ref: str) -> Response:
    who, member_id = member()
    return jsonify(_redemption(who, _own(who, member_id, redemption_ref)))


@_view("POST", "/redemptions")
def post_redemption() -> tuple[Response, int]:
    wish = read_wish()
    rt = runtime()
    who, member_id = member()
    row = redeem(
        rt,
        RedeemRequest(
            program_id=who.shop.program_id,
            member_id=member_id,
            shop_id=who.shop.shop_id,
            reward_key=wish.reward_key,
            request_key=wish.request_key,
            actor="shopper",
            points=wish.points,
            customer_ref=who.customer_ref,
            language=language(),
        ),
    )
    view = await_code(rt, row.program_id, row.redemption_id)
    return jsonify(_redemption(who, view)), 201 if view.is_ready else 202


@_view("POST", "/redemptions/<redemption_ref>/cancel")
def post_cancel(redemption_ref: str) -> Response:
    who, member_id = member()
    mine = _own(who, member_id, redemption_ref)
    try:
        cancel_redemption(runtime(), who.shop.program_id, mine.redemption_id, account_id=member_id)
    except Refused as refused:  # used or closed meanwhile: its state says so
        if refused.code not in ("already_used", "already_closed"):
            raise
    return jsonify(_redemption(who, _own(who, member_id, redemption_ref)))


@_view("POST", "/email-proof")
def post_email_proof() -> tuple[Response, int]:
    rt = runtime()
    who, customer_ref = customer()
    identity = enrol_customer(rt, who.shop.program_id, who.shop.shop_id, customer_ref, asked=False)
    if identity is None or identity.member_id is None:
        raise Refused("not_a_member", "Join first: it is one click, and free.")
    if not send_email_proof(rt, who.shop.program_id, identity.identity_id, language=language()):
        raise Refused("nothing_to_prove", "Your address is confirmed already, or the shop knows none of you.")
    return jsonify(email_proof="sent"), 202


def _me(who: Shopper, *, asked: bool) -> present.Json:
    """Everything the panel begins with. A customer who is signed in becomes a member here, where that is automatic."""
    panel = open_panel(runtime(), who, asked=asked, language=language())
    return present.me(who, panel, runtime().now())


def _redemption(who: Shopper, view: RedemptionView) -> present.Json:
    return present.redemption(view, program_words(runtime(), who.shop.program_id, language()))


def _own(who: Shopper, member_id: int, redemption_ref: str) -> RedemptionView:
    """Another member's, another program's and none at all look the same."""
    match = _OUR_ID.fullmatch(redemption_ref)
    if match is not None:
        try:
            return find_redemption(runtime(), who.shop.program_id, int(match[1]), member_id=member_id)
        except Refused as refused:
            if refused.code != "unknown_redemption":
                raise
    raise Refused("not_found", "There is no such code of yours.")


put_views(blueprint)

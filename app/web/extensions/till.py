"""/extensions/<platform>/till/v1/…: a member who stands at the till, found by card or by customer, and their codes.

Everything is done by the person who is signed in at the till, and written down under their name, like in the admin.
"""

import re
from collections.abc import Iterator

from flask import Response, current_app, g, jsonify, request

from app.domain.errors import Refused
from app.domain.redeeming import OPEN
from app.domain.staff import Role
from app.services.await_code import await_code
from app.services.cancel_redemption import cancel_redemption
from app.services.check_till import AtTill, check_till
from app.services.enrol_customer import enrol_customer
from app.services.find_by_card import find_by_card
from app.services.find_member import ByCustomer, find_member
from app.services.find_redemptions import RedemptionView, find_redemption, find_redemptions
from app.services.find_words import program_words
from app.services.list_rewards import list_rewards
from app.services.open_panel import panel_of
from app.services.prove_shopper import Shopper
from app.services.redeem import RedeemRequest, redeem
from app.web.admin.guard import needs, role_for
from app.web.asked import asked
from app.web.clean import read_json, refuse_unclean
from app.web.extensions.door import PREFIX, asks_about_cors, open_to_any_origin, platform
from app.web.here import runtime
from app.web.languages import language
from app.web.limits import limited
from app.web.policy import Guarded, Policy
from app.web.storefront import present
from app.web.storefront.wish import read_wish

ASKS = 240  # of one person in a minute
_LONGEST_CARD = 60
_CUSTOMER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}", re.ASCII)

blueprint = Guarded("till", __name__, policy=Policy.STAFF, url_prefix=f"{PREFIX}/till/v1")
open_to_any_origin(blueprint)


def at_till() -> AtTill:
    found: AtTill = g.at_till
    return found


@blueprint.before_request
def let_in() -> None:
    """Nothing is read before it is known who asks, and that they may."""
    if asks_about_cors():
        return
    refuse_unclean()
    g.at_till = check_till(runtime(), platform(), asked())
    if not at_till().visitor.role.may(role_for(current_app, request.endpoint or "", request.method)):
        raise Refused(
            "not_allowed",
            "You may look at points, but not spend them. An owner of the program can change that.",
        )


def _counts() -> Iterator[tuple[str, int]]:
    if not asks_about_cors():
        yield f"till of {at_till().visitor.program_id} {at_till().visitor.staff_id}", ASKS


limited(blueprint, _counts)


@blueprint.post("/find")
@needs(Role.VIEWER)
def find() -> Response:
    """By the member's card, or as the shop's customer. In the body, not the address: cards are people."""
    body, at = read_json(), at_till()
    card = body.get("card")
    if isinstance(card, str) and card:
        return _shown(find_by_card(runtime(), at.shop.program_id, card[:_LONGEST_CARD]))
    member_id = find_member(runtime(), at.shop.program_id, ByCustomer(at.shop.key, _customer(body)))
    if member_id is None:
        raise Refused("not_a_member", "This customer is not a member yet.")
    return _shown(member_id)


@blueprint.post("/join")
def join() -> tuple[Response, int]:
    """The customer says at the till that they want to be a member."""
    at = at_till()
    identity = enrol_customer(
        runtime(), at.shop.program_id, at.shop.shop_id, _customer(read_json()), asked=True
    )
    if identity is None or identity.member_id is None:
        raise Refused("not_a_member", "This customer cannot be made a member.")
    return _shown(identity.member_id), 201


@blueprint.get("/members/<int:member_id>")
def get_member(member_id: int) -> Response:
    return _shown(member_id)


@blueprint.post("/members/<int:member_id>/redemptions")
def post_redemption(member_id: int) -> tuple[Response, int]:
    """A code for the member who is there; with `customer`, for that account of theirs at this shop."""
    rt, wish, body, at = runtime(), read_wish(), read_json(), at_till()
    row = redeem(
        rt,
        RedeemRequest(
            program_id=at.shop.program_id,
            member_id=member_id,
            shop_id=at.shop.shop_id,
            reward_key=wish.reward_key,
            request_key=wish.request_key,
            actor=at.visitor.actor,
            points=wish.points,
            customer_ref=_customer(body) if "customer" in body else None,
            language=language(),
        ),
    )
    view = await_code(rt, row.program_id, row.redemption_id)
    return jsonify(_redemption(view)), 201 if view.is_ready else 202


@blueprint.get("/members/<int:member_id>/redemptions/<int:redemption_id>")
def get_redemption(member_id: int, redemption_id: int) -> Response:
    return jsonify(_redemption(_theirs(member_id, redemption_id)))


@blueprint.post("/members/<int:member_id>/redemptions/<int:redemption_id>/cancel")
def post_cancel(member_id: int, redemption_id: int) -> Response:
    theirs = _theirs(member_id, redemption_id)
    cancel_redemption(runtime(), at_till().shop.program_id, theirs.redemption_id, account_id=theirs.member_id)
    return jsonify(_redemption(_theirs(member_id, redemption_id)))


def _customer(body: present.Json) -> str:
    ref = body.get("customer")
    if not isinstance(ref, str) or not _CUSTOMER.fullmatch(ref):
        raise Refused(
            "invalid", "Say who: “card” is what a card shows, “customer” the shop’s number of somebody."
        )
    return ref


def _shown(member_id: int) -> Response:
    """Everything the till begins with: points, what they buy here, and what was bought and is not used yet."""
    rt, shop = runtime(), at_till().shop
    panel = panel_of(rt, shop, member_id, language=language())
    member = panel.member
    assert member is not None
    here = [one for one in member.identities if one.shop_key == shop.key and one.customer_ref is not None]
    who = Shopper(shop=shop, customer_ref=here[0].customer_ref if here else None)
    rewards = list_rewards(
        rt, shop.program_id, member_id=member.member_id, shop_id=shop.shop_id, language=language()
    )
    mine = [one for one in find_redemptions(rt, shop.program_id, member.member_id) if one.state in OPEN]
    words = panel.front.words
    return jsonify(
        member={
            **present.member(who, panel, member),
            "number": member.member_id,
            "customers": [one.customer_ref for one in here],
        },
        rewards=[present.reward(one) for one in rewards],
        redemptions=[present.redemption(one, words) for one in mine if one.shop_key == shop.key],
        program={"name": panel.front.program.name, "unit": panel.front.program.unit},
    )


def _theirs(member_id: int, redemption_id: int) -> RedemptionView:
    return find_redemption(runtime(), at_till().shop.program_id, redemption_id, member_id=member_id)


def _redemption(view: RedemptionView) -> present.Json:
    return present.redemption(view, program_words(runtime(), at_till().shop.program_id, language()))

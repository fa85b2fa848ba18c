"""Codes at the shop: discounts, gift cards and store credit made, found and ended. `codes` says what is asked for."""

from collections.abc import Sequence
from datetime import timedelta

from app.domain.errors import Refused, Retryable
from connectors.base import CodeKind, CodeSpec, FoundCode, IssuedCode
from connectors.http import may_be_there
from connectors.shopify import codes, mapping
from connectors.shopify.client.admin_api import AdminApi, as_shape, gid, next_page, refusal_of

_CLOCKS_DIFFER = timedelta(minutes=5)


def issue_code(api: AdminApi, spec: CodeSpec) -> IssuedCode:
    match spec.kind:
        case CodeKind.GIFT_CARD:
            return _issue_card(api, spec)
        case CodeKind.STORE_CREDIT:
            return _credit(api, spec)
        case _:
            return _issue_discount(api, spec)


def find_code(api: AdminApi, code: str, spec: CodeSpec | None = None) -> FoundCode | None:
    if spec is not None and spec.kind is CodeKind.GIFT_CARD:
        card = _find_card(api, spec)
        return codes.found_card(spec, card) if card else None
    if spec is not None and spec.kind is CodeKind.STORE_CREDIT:
        credit = _find_credit(api, spec)
        return codes.found_credit(spec, credit) if credit else None
    node = find_discount(api, code)
    return codes.found_code(node, _our_tag(node.code_discount.tags)) if node else None


def withdraw_code(api: AdminApi, code: str, tag: str, spec: CodeSpec | None = None) -> FoundCode | None:
    """As `ShopClient` says. A credit is never taken back: a debit could not be told from another one, and so
    not be made once."""
    if spec is not None and spec.kind is CodeKind.GIFT_CARD:
        return _withdraw_card(api, spec)
    if spec is not None and spec.kind is CodeKind.STORE_CREDIT:
        return find_code(api, code, spec)
    node = find_discount(api, code)
    if node is None:
        return None
    if tag not in node.code_discount.tags:
        raise Refused(
            "not_ours", "a code of that name is at the shop without our tag; nobody but its maker ends it"
        )
    if node.code_discount.status != "EXPIRED":
        _deactivate(api, node.id)
        node = find_discount(api, code)
        if node and node.code_discount.status != "EXPIRED":
            raise Retryable("the code was switched off and is still live", retry_after_s=5)
    return codes.found_code(node, tag) if node else None


def our_codes(
    api: AdminApi, tag_prefix: str, cursor: str | None = None
) -> tuple[Sequence[FoundCode], str | None]:
    # The search takes words apart and looks at their beginnings, so what counts is the tag that comes back.
    query = f"method:code tag:{_escaped(tag_prefix)}*"
    page = as_shape(api.data(codes.OURS, {"query": query, "after": cursor}), codes.OurCodes).page
    ours = []
    for node in page.nodes:
        tag = next((each for each in node.code_discount.tags if each.startswith(tag_prefix)), None)
        if tag is not None:
            ours.append(codes.found_code(node, tag))
    return ours, next_page(page.page_info)


def _issue_discount(api: AdminApi, spec: CodeSpec) -> IssuedCode:
    wanted = codes.body(spec)
    if (node := find_discount(api, spec.code)) is None:
        made = api.made(codes.create_operation(spec), {"input": wanted})
        if any(error.code == "TAKEN" for error in made.user_errors):
            node = find_discount(api, spec.code)
            if node is None:
                raise Retryable("the code is taken, and not to be found yet", retry_after_s=5)
        elif made.user_errors:
            raise refusal_of(made.user_errors)
        else:
            node = as_shape(made.code_discount_node, codes.CodeNode)
    return _accepted(api, spec, node)


def _accepted(api: AdminApi, spec: CodeSpec, node: codes.CodeNode) -> IssuedCode:
    discount = node.code_discount
    if spec.tag not in discount.tags:
        raise Refused("code_taken", "a code of that name is at the shop already, and not ours")
    if different := codes.differences(spec, discount):
        with may_be_there():
            _deactivate(api, node.id)
        raise Refused("differs", f"the shop's code is not what was asked: {', '.join(different)}")
    issued = codes.found_code(node, spec.tag)
    return IssuedCode(code=issued.code, code_ref=issued.code_ref)


def find_discount(api: AdminApi, code: str) -> codes.CodeNode | None:
    return as_shape(api.data(codes.FIND, {"code": code}), codes.Found).node


def _deactivate(api: AdminApi, gid: str) -> None:
    if errors := api.made(codes.DEACTIVATE, {"id": gid}).user_errors:
        raise refusal_of(errors)


def _issue_card(api: AdminApi, spec: CodeSpec) -> IssuedCode:
    wanted = codes.card_body(spec)
    if (card := _find_card(api, spec)) is None:
        made = api.made(codes.CREATE_CARD, {"input": wanted}, granted_apart=True)
        if any(error.code == "TAKEN" for error in made.user_errors):
            # Ours of an earlier try, which the search does not show yet; of 80 random bits nobody has the same.
            raise Retryable("the gift card is made, and not to be found yet", retry_after_s=5)
        if made.user_errors:
            raise refusal_of(made.user_errors)
        card = as_shape(made.gift_card, codes.Card)
    if different := codes.card_differences(spec, card):
        with may_be_there():
            _end_card(api, card)
        raise Refused("differs", f"the shop's gift card is not what was asked: {', '.join(different)}")
    return IssuedCode(code=spec.code, code_ref=str(mapping.ref(card.id)))


def _find_card(api: AdminApi, spec: CodeSpec) -> codes.Card | None:
    """By its id, once that is known: the search may lag behind."""
    if spec.code_ref is not None:
        told = api.data(codes.READ_CARD, {"id": gid("GiftCard", spec.code_ref)}, granted_apart=True)
        return as_shape(told, codes.CardAnswer).gift_card
    told = api.data(codes.FIND_CARDS, {"query": spec.code}, granted_apart=True)
    note = codes.card_note(spec.tag, spec.code)
    return next(
        (card for card in as_shape(told, codes.CardsAnswer).gift_cards.nodes if card.note == note), None
    )


def _withdraw_card(api: AdminApi, spec: CodeSpec) -> FoundCode | None:
    card = _find_card(api, spec)
    if card is None:
        return None
    if card.enabled:
        card = _end_card(api, card)
    return codes.found_card(spec, card)


def _end_card(api: AdminApi, card: codes.Card) -> codes.Card:
    """What is on it then cannot be spent any more, so that its balance is the last word."""
    made = api.made(codes.DEACTIVATE_CARD, {"id": card.id}, granted_apart=True)
    if made.user_errors:
        raise refusal_of(made.user_errors)
    ended = as_shape(made.gift_card, codes.Card)
    if ended.enabled:
        raise Retryable("the gift card was switched off and is still live", retry_after_s=5)
    return ended


def _credit(api: AdminApi, spec: CodeSpec) -> IssuedCode:
    wanted = codes.credit_body(spec)
    if (credit := _find_credit(api, spec)) is None:
        variables = {"id": gid("Customer", spec.customer_ref), "input": wanted}
        made = api.made(codes.CREDIT, variables, granted_apart=True)
        if made.user_errors:
            raise refusal_of(made.user_errors)
        credit = as_shape(made.store_credit_account_transaction, codes.Credited)
    return IssuedCode(code=spec.code, code_ref=str(mapping.ref(credit.id)), handed_over=True)


def _find_credit(api: AdminApi, spec: CodeSpec) -> codes.Credited | None:
    told = api.data(codes.FIND_CREDITS, {"id": gid("Customer", spec.customer_ref)}, granted_apart=True)
    customer = as_shape(told, codes.CreditsAnswer).customer
    if customer is None:
        return None  # of somebody whom the shop has no more, nothing can be spent
    for account in customer.store_credit_accounts.nodes:
        told_credits = account.transactions.nodes
        if found := next((each for each in told_credits if codes.is_credit(spec, each)), None):
            return found
        oldest = told_credits[-1].created_at if told_credits else None
        if len(told_credits) == codes.CREDITS_READ and oldest and oldest >= spec.starts_at - _CLOCKS_DIFFER:
            raise Retryable("more credits since than can be looked through", retry_after_s=3600)
    return None


def _escaped(text: str) -> str:
    return "".join(f"\\{each}" if each in ":\\() '\"" else each for each in text)


def _our_tag(tags: Sequence[str]) -> str | None:
    """The tag to show where nobody said which is ours: staff may have added theirs."""
    return next((tag for tag in tags if tag.startswith("laurel")), tags[0] if tags else None)

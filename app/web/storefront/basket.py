"""A basket in an address, as docs/storefront-api.md writes it: whole numbers and dots, nothing else."""

import re

from flask import request

from app.domain.errors import Refused
from app.domain.money import exponent
from app.domain.orders import OrderLine
from app.services.estimate_order import Basket

_MOST_LINES = 200
_LINE = re.compile(r"(\d{1,19})\.(\d{1,19})\.(\d{1,9})\.(\d{1,15})\.(\d{1,15})\.(\d{1,15})\.([01])", re.ASCII)
_AMOUNT = re.compile(r"\d{1,15}", re.ASCII)
_LONGEST_WORD = 50


def read_basket() -> Basket:
    """Raises: Refused("invalid")."""
    currency = request.args.get("currency", "")
    try:
        exponent(currency)
    except Refused as unknown:
        raise Refused("invalid", "“currency” is an ISO code such as EUR.") from unknown
    texts = request.args.get("lines", "").split(",")
    if len(texts) > _MOST_LINES:
        raise Refused("invalid", f"“lines” holds at most {_MOST_LINES} lines.")
    return Basket(
        currency=currency,
        lines=tuple(_line(number, text) for number, text in enumerate(texts)),
        fees_minor=_amount("fees"),
        shipping_minor=_amount("delivery"),
        shipping_tax_minor=_amount("delivery_tax"),
        channel=request.args.get("channel", "")[:_LONGEST_WORD] or None,
    )


def _line(number: int, text: str) -> OrderLine:
    match = _LINE.fullmatch(text)
    if match is None:
        raise Refused(
            "invalid",
            "Each of “lines” is product.variant.pieces.goods.discount.tax.gift_card, such as 11.0.2.2000.0.200.0",
        )
    product, variant, pieces, goods, discount, tax, gift_card = match.groups()
    return OrderLine(
        line_ref=str(number),
        product_ref=product if int(product) else None,
        variant_ref=variant if int(variant) else None,
        quantity=int(pieces),
        goods_minor=int(goods),
        discount_minor=int(discount),
        tax_minor=int(tax),
        gift_card=gift_card == "1",
    )


def _amount(name: str) -> int:
    text = request.args.get(name, "0")
    if not _AMOUNT.fullmatch(text):
        raise Refused("invalid", f"“{name}” is an amount in the smallest units of the currency.")
    return int(text)

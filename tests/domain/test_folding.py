"""What is kept of an order when another body of it comes: refund lines, and what its lines are of."""

from dataclasses import replace
from datetime import timedelta

from app.domain.folding import Verdict, fold
from app.domain.orders import OrderLine, OrderSnapshot, RefundedLine
from tests.factories import make_order, make_refund

MUGS = OrderLine(line_ref="11", product_ref="7", variant_ref="8", quantity=2, goods_minor=3999)
UNNAMED = replace(MUGS, product_ref=None, variant_ref=None)
ORDER = make_order(lines=(MUGS,))


def later(order: OrderSnapshot) -> OrderSnapshot:
    return replace(order, updated_at=order.updated_at + timedelta(minutes=1))


def test_refund_lines_and_shipping_once_read_are_kept_for_a_body_that_lacks_them() -> None:
    read = make_refund(
        lines=(RefundedLine(line_ref="11", goods_minor=1000, tax_minor=100),), shipping_minor=300
    )
    held = make_order(lines=(MUGS,), refunds=(read,))
    shown = make_refund(exact=False, refunded_at=None)
    folded = fold(held, later(replace(held, refunds=(shown,))), reread=False)
    assert folded.order.refunds == (read,)


def test_refund_lines_that_are_read_again_are_taken_as_they_are_now() -> None:
    read = make_refund(lines=(RefundedLine(line_ref="11", goods_minor=1000),))
    again = make_refund(lines=(RefundedLine(line_ref="11", goods_minor=900),))
    held = make_order(lines=(MUGS,), refunds=(read,))
    assert fold(held, replace(held, refunds=(again,)), reread=True).order.refunds == (again,)


def test_what_a_line_is_of_is_kept_when_its_product_is_gone() -> None:
    folded = fold(ORDER, later(make_order(lines=(UNNAMED,))), reread=False)
    assert (folded.order.lines, folded.verdict) == ((MUGS,), Verdict.NEWER)
    assert fold(ORDER, make_order(lines=(UNNAMED,)), reread=True).order == ORDER


def test_a_body_that_tells_less_of_a_line_is_no_tie() -> None:
    folded = fold(ORDER, make_order(lines=(UNNAMED,)), reread=False)
    assert (folded.order, folded.verdict) == (ORDER, Verdict.SAME)


def test_a_body_that_tells_more_of_a_line_adds_it() -> None:
    more = replace(MUGS, subscription=True)
    folded = fold(make_order(lines=(UNNAMED,)), make_order(lines=(more,)), reread=False)
    assert (folded.order.lines, folded.verdict) == ((more,), Verdict.NEWER)


def test_what_each_of_two_bodies_alone_tells_of_a_line_comes_together() -> None:
    held = make_order(lines=(replace(UNNAMED, subscription=True),))
    folded = fold(held, ORDER, reread=False)
    assert folded.order.lines == (replace(MUGS, subscription=True),)


def test_another_product_or_amount_of_the_same_moment_is_a_tie() -> None:
    for other in (replace(MUGS, product_ref="9"), replace(MUGS, goods_minor=1)):
        assert fold(ORDER, make_order(lines=(other,)), reread=False).verdict is Verdict.TIE


def test_a_line_that_is_new_or_removed_is_taken_from_the_later_body() -> None:
    coffee = replace(MUGS, line_ref="12", product_ref=None)
    assert fold(ORDER, later(make_order(lines=(coffee,))), reread=False).order.lines == (coffee,)

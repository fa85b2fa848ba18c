"""What must hold of any order under any rules: neither a line's place nor a split changes it; nothing is negative."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.domain.counting import count_order
from app.domain.earning import Terms, target_for_order
from app.domain.known import Known
from app.domain.money import Money
from app.domain.orders import OrderLine, OrderSnapshot, RefundedLine
from app.domain.program import Program, decode, default_document
from tests.factories import PROGRAM, make_order, make_refund

Lines = list[OrderLine]
PRODUCTS = ("mug", "tea", "cup")
RULES: list[dict[str, Any]] = [
    {"base": {"tax": True, "shipping": True}},
    {"base": {"before_discounts": True}},
    {"exclude": {"products": ["tea"]}},
    {"rates": [{"key": "a", "name": "Tea", "of": {"products": ["tea"]}, "points": 3, "spend_minor": 700}]},
    {"rates": [{"key": "a", "name": "Cups", "of": {"products": ["cup"]}, "points": 4}]},
    {"campaigns": [{"key": "a", "name": "Tea week", "percent": 133, "of": {"products": ["tea"]}}]},
    {"bonuses": [{"key": "a", "name": "Big", "points": 9, "spend_from_minor": 5000}]},
    {"caps": [{"key": "a", "name": "Limit", "points": 40, "per": "order"}]},
]


def program_of(*rules: dict[str, Any]) -> Program:
    document = default_document("Sprig", "EUR", "UTC")
    for rule in rules:
        document["earn"] |= rule
    return decode(document, 1)


def order_of(lines: list[OrderLine], shipping: int = 490) -> OrderSnapshot:
    goods = Money(sum(line.goods_minor for line in lines), "EUR")
    return make_order(
        goods=goods, lines=tuple(lines), shipping_minor=shipping, shipping_tax_minor=shipping // 5
    )


@st.composite
def some_lines(draw: st.DrawFn) -> list[OrderLine]:
    return [
        OrderLine(
            line_ref=str(number),
            product_ref=draw(st.sampled_from(PRODUCTS)),
            quantity=draw(st.integers(1, 5)),
            goods_minor=draw(st.integers(0, 9000)),
            discount_minor=draw(st.integers(0, 900)),
            tax_minor=draw(st.integers(0, 900)),
        )
        for number in range(draw(st.integers(1, 5)))
    ]


programs = st.lists(st.sampled_from(RULES), min_size=1, unique_by=lambda rule: next(iter(rule))).map(
    lambda rules: program_of(*rules)
)
tiers = st.sampled_from(PROGRAM.tiers)


@given(lines=some_lines(), program=programs, tier=tiers, data=st.data())
def test_the_order_of_lines_changes_nothing(
    lines: Lines, program: Program, tier: Any, data: st.DataObject
) -> None:
    mixed = data.draw(st.permutations(lines))
    assert count_order(order_of(mixed), program, tier, Known()) == count_order(
        order_of(lines), program, tier, Known()
    )


@given(lines=some_lines(), program=programs, tier=tiers, data=st.data())
def test_a_line_split_in_two_earns_as_one(
    lines: Lines, program: Program, tier: Any, data: st.DataObject
) -> None:
    first, *rest = lines
    pieces = data.draw(st.integers(0, first.quantity))
    goods = data.draw(st.integers(0, first.goods_minor))
    off = data.draw(st.integers(0, first.discount_minor))
    tax = data.draw(st.integers(0, first.tax_minor))
    one = replace(first, quantity=pieces, goods_minor=goods, discount_minor=off, tax_minor=tax)
    other = replace(
        first,
        line_ref="other",
        quantity=first.quantity - pieces,
        goods_minor=first.goods_minor - goods,
        discount_minor=first.discount_minor - off,
        tax_minor=first.tax_minor - tax,
    )
    assert count_order(order_of([one, other, *rest]), program, tier, Known()) == count_order(
        order_of(lines), program, tier, Known()
    )


@given(lines=some_lines(), program=programs, tier=tiers)
def test_what_goes_back_entirely_is_worth_nothing_but_its_shipping(
    lines: Lines, program: Program, tier: Any
) -> None:
    bought = order_of(lines, shipping=0)
    if not bought.goods.minor:
        return
    back = make_refund(
        str(bought.goods),
        lines=tuple(RefundedLine(line_ref=line.line_ref, goods_minor=line.goods_minor) for line in lines),
    )
    assert count_order(replace(bought, refunds=(back,)), program, tier, Known()).points == 0
    unread = make_refund(str(bought.goods), exact=False)
    assert count_order(replace(bought, refunds=(unread,)), program, tier, Known()).points == 0


@given(lines=some_lines(), program=programs, tier=tiers, data=st.data())
def test_a_refund_never_adds_points(lines: Lines, program: Program, tier: Any, data: st.DataObject) -> None:
    bought = order_of(lines)
    line = data.draw(st.sampled_from(lines))
    minor = data.draw(st.integers(0, line.goods_minor))
    back = make_refund(
        str(Money(minor, "EUR")), lines=(RefundedLine(line_ref=line.line_ref, goods_minor=minor),)
    )
    left = count_order(replace(bought, refunds=(back,)), program, tier, Known())
    assert 0 <= left.points <= count_order(bought, program, tier, Known()).points


@given(goods=st.integers(0, 100_000), back=st.integers(0, 100_000), tier=tiers)
def test_rules_that_say_nothing_count_as_none(goods: int, back: int, tier: Any) -> None:
    order = make_order(goods=Money(goods, "EUR"), refunds=(make_refund(str(Money(min(back, goods), "EUR"))),))
    idle = program_of({"caps": [{"key": "a", "name": "Far", "points": 10**9, "per": "order"}]})
    plain = target_for_order(order, Terms(program=PROGRAM, tier=tier))
    assert target_for_order(order, Terms(program=idle, tier=tier)).points == plain.points

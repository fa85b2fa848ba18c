"""Every template is a right document in any currency, and does what it says."""

import pytest

from app.domain.program import decode, default_document
from app.services.check_document import check_document
from app.services.describe_rules import describe_rules
from app.services.runtime import Runtime
from app.services.start_from_template import TEMPLATES, YOUR_PRODUCT, start_from_template
from tests.conftest import make_program
from tests.factories import eur, make_order
from tests.services.test_settle_orders import Shop


@pytest.mark.parametrize("currency", ["EUR", "JPY", "KWD"])
@pytest.mark.parametrize("key", list(TEMPLATES))
def test_a_template_is_right_as_it_stands(key: str, currency: str) -> None:
    document = start_from_template(key, like=default_document("Sprig", currency, "Europe/Berlin"))
    check_document(document)
    program = decode(document, 1)
    assert (program.name, program.currency, program.timezone) == ("Sprig", currency, "Europe/Berlin")
    assert describe_rules(program) is not None


def test_what_must_be_put_in_is_named_and_nothing_else_is_open() -> None:
    like = default_document("Sprig", "EUR", "Europe/Berlin")
    for key, template in TEMPLATES.items():
        if YOUR_PRODUCT in str(start_from_template(key, like=like)):
            assert YOUR_PRODUCT in template.next_step


def test_a_stamp_a_visit_whatever_it_costs(rt: Runtime) -> None:
    like = default_document("Sprig", "EUR", "UTC")
    shop = Shop(rt, make_program(rt, document=start_from_template("visits", like=like)))
    shop.see(make_order(order_ref="1", goods=eur("3.20")), make_order(order_ref="2", goods=eur("88.00")))
    assert shop.points() == 2


def test_cashback_is_five_percent_in_the_smallest_unit(rt: Runtime) -> None:
    like = default_document("Sprig", "EUR", "UTC")
    shop = Shop(rt, make_program(rt, document=start_from_template("cashback", like=like)))
    shop.see(make_order(order_ref="1", goods=eur("39.99")))
    assert shop.points() == 199

"""A till at each platform, for the complaints that are about both."""

import pytest

from app.services.runtime import Runtime
from tests.complaints.till import Till, make_till
from tests.conftest import Clock


@pytest.fixture(params=["woocommerce", "shopify"])
def till(request: pytest.FixtureRequest, rt: Runtime, clock: Clock) -> Till:
    return make_till(rt, clock, request.param)


@pytest.fixture
def woo(rt: Runtime, clock: Clock) -> Till:
    return make_till(rt, clock, "woocommerce")


@pytest.fixture
def shopify(rt: Runtime, clock: Clock) -> Till:
    return make_till(rt, clock, "shopify")

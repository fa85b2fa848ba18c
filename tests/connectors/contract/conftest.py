"""Every test here runs for every connector in the registry."""

import pytest

from connectors.base import Connector
from connectors.registry import CONNECTORS
from tests.connectors.platforms import Platform, platform_of


@pytest.fixture(params=sorted(CONNECTORS))
def connector(request: pytest.FixtureRequest) -> Connector:
    return CONNECTORS[request.param]


@pytest.fixture
def platform(connector: Connector) -> Platform:
    return platform_of(connector)

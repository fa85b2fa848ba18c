"""What every platform's installation has in common."""

from datetime import UTC, datetime

import pytest

from connectors.base import AppCredentials, Connector, Consent, Granted, InstallRequest, Page
from connectors.http import Http
from tests.connectors.platforms import Platform

NOW = datetime(2026, 11, 21, 18, 30, tzinfo=UTC)
APP = AppCredentials(client_id="app", secrets=("shpss_app",))


def test_the_state_goes_out_with_the_merchant(connector: Connector) -> None:
    step = connector.begin_install(_begin(), "state-1", "https://laurel.example", APP, Http(), NOW)
    match step:
        case Consent(url=url):
            assert "state-1" in url
            assert url.startswith("https://")
        case Page(status=302, headers=headers):  # the platform has asked already; it proves itself by a token
            assert headers["Location"].startswith("https://laurel.example/install/")
        case _:
            pytest.fail(f"the first step is {step}")


def test_the_state_that_comes_back_is_handed_on_as_it_came(connector: Connector, platform: Platform) -> None:
    """Whoever takes it compares it with those it gave out: a foreign one belongs to no installation."""
    step = connector.finish_install(platform.agreed("foreign"), APP, Http(), NOW)
    match step:
        case Granted(state=state):
            assert state == "foreign"
        case _:  # a platform without a state grants nothing here
            assert isinstance(step, Page)


def _begin() -> InstallRequest:
    query = {"url": ["https://shop.example"], "shop": ["acme.myshopify.com"]}
    return InstallRequest(
        method="GET", url="https://laurel.example/install/x", query=query, headers={}, body=b""
    )

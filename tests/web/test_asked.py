"""The request's headers as connectors see them."""

import pytest
from flask import Flask

from app.web.asked import headers


@pytest.mark.parametrize("odd", ["*", "9", "X--Y", "!"])
def test_headers_are_looked_up_in_lower_case_whatever_they_are_called(odd: str) -> None:
    given = {odd: "odd", "X-WC-Webhook-Topic": "order.updated", "Content-Type": "application/json"}
    with Flask(__name__).test_request_context(headers=given):
        found = headers()
        assert found["x-wc-webhook-topic"] == "order.updated"
        assert found[odd.lower()] == dict(found)[odd.lower()] == "odd"
        assert {"content-type", "x-wc-webhook-topic", odd.lower()} <= set(found)
        assert len(found) == len(list(found)) == len(dict(found))
        assert found.get("X-WC-Webhook-Topic") is found.get("content-length") is None

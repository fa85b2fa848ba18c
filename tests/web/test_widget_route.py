"""The element as shops' pages load it: at its own address, and below a shop's by its platform's proxy."""

from urllib.parse import urljoin

import pytest
from flask.testing import FlaskClient

STABLE = ["/widget/laurel.js", "/storefront/v1/widget/laurel.js"]


def version(client: FlaskClient, stable: str) -> str:
    """The address that the stable one imports."""
    line = client.get(stable).get_data(as_text=True)
    assert 'import("./' in line
    return urljoin(stable, line.split('"')[1])


@pytest.mark.parametrize("stable", STABLE)
def test_the_stable_address_imports_a_version_that_stays(client: FlaskClient, stable: str) -> None:
    newest = client.get(stable)
    assert newest.headers["Cache-Control"] == "public, max-age=300"
    script = client.get(version(client, stable))
    assert script.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert b"customElements.define" in script.data
    for answer in (newest, script):
        assert answer.status_code == 200
        assert answer.content_type == "text/javascript; charset=utf-8"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("stable", STABLE)
def test_words_are_served_beside_it(client: FlaskClient, stable: str) -> None:
    words = client.get(urljoin(version(client, stable), "messages/en.json"))
    assert words.content_type == "application/json; charset=utf-8"
    assert words.get_json()


@pytest.mark.parametrize("stable", STABLE)
@pytest.mark.parametrize("name", ["laurel.js", "messages/en.json"])
def test_another_version_s_file_leads_to_the_one_of_now(client: FlaskClient, stable: str, name: str) -> None:
    old = urljoin(stable, f"0123456789abcdef/{name}")
    led = client.get(old)
    assert (led.status_code, led.headers["Cache-Control"]) == (302, "public, max-age=300")
    assert urljoin(old, led.headers["Location"]) == urljoin(version(client, stable), name)


@pytest.mark.parametrize("stable", STABLE)
def test_an_unknown_file_is_none(client: FlaskClient, stable: str) -> None:
    assert client.get(urljoin(stable, "0123456789abcdef/other.js")).status_code == 404
    assert client.get("/widget/../settings.py").status_code == 404

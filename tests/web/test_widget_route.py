"""The element as shops' pages load it."""

from app.services.runtime import Runtime
from app.web import create_app


def test_the_stable_address_leads_to_a_version_that_stays(rt: Runtime) -> None:
    client = create_app(rt).test_client()
    led = client.get("/widget/laurel.js")
    assert led.status_code == 302
    assert led.headers["Cache-Control"] == "public, max-age=300"
    assert led.headers["Access-Control-Allow-Origin"] == "*"
    script = client.get(led.headers["Location"])
    assert script.status_code == 200
    assert script.content_type == "text/javascript; charset=utf-8"
    assert script.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert script.headers["Access-Control-Allow-Origin"] == "*"
    assert script.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert script.headers["X-Content-Type-Options"] == "nosniff"


def test_words_are_served_beside_it(rt: Runtime) -> None:
    client = create_app(rt).test_client()
    folder = client.get("/widget/laurel.js").headers["Location"].rpartition("/")[0]
    words = client.get(f"{folder}/messages/en.json")
    assert words.content_type == "application/json; charset=utf-8"
    assert words.get_json()


def test_another_version_s_file_leads_to_the_one_of_now_and_an_unknown_one_nowhere(rt: Runtime) -> None:
    client = create_app(rt).test_client()
    newest = client.get("/widget/laurel.js").headers["Location"]
    assert client.get("/widget/0123456789abcdef/laurel.js").headers["Location"] == newest
    assert client.get("/widget/0123456789abcdef/other.js").status_code == 404
    assert client.get("/widget/../settings.py").status_code == 404

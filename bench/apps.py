"""What the bench's web server serves: Laurel, and beside it a bare Flask view that does the least that is honest."""

import hashlib
import hmac
from base64 import b64encode

from flask import Flask, Response, jsonify, request
from psycopg_pool import ConnectionPool

from app.bootstrap import collect_seldom
from app.settings import Settings  # the only reader of the environment
from app.web import create_app, limits
from bench.house import SECRET, runtime

_url = Settings.from_env("migrate").database_url or ""


class Counted(limits.Minute):
    """Counts as ever and refuses nobody: one shop is asked more often here than any may be."""

    def count(self, name: str, second: float) -> int:
        super().count(name, second)
        return 0


collect_seldom()
app = create_app(runtime(_url))
app.extensions[limits.NAME] = Counted()
bare = Flask("bare")
_pool = ConnectionPool(
    _url.replace("postgresql+psycopg://", "postgresql://"),
    min_size=8,
    max_size=16,
    kwargs={"autocommit": True},
)


@bare.post("/bare")
def keep() -> Response:
    """Verify and insert one row: what any receiver that loses nothing must do."""
    body = request.get_data()
    given = request.headers.get("x-wc-webhook-signature", "")
    made = b64encode(hmac.new(SECRET.encode(), body, hashlib.sha256).digest()).decode()
    if not hmac.compare_digest(made.encode(), given.encode()):
        return Response(status=401)
    with _pool.connection() as connection:
        connection.execute(
            "INSERT INTO bare_inbox (topic, body_hash, body) VALUES (%s, %s, %s)",
            [request.headers.get("x-wc-webhook-topic"), hashlib.sha256(body).digest(), body],
        )
    return Response(status=200)


@bare.get("/bare/member/<int:account_id>")
def read(account_id: int) -> Response:
    """One indexed SELECT, answered as JSON."""
    with _pool.connection() as connection:
        row = connection.execute("SELECT points FROM bare_accounts WHERE id = %s", [account_id]).fetchone()
    return jsonify({"points": row[0] if row else 0})


def both(environ: object, start_response: object) -> object:
    """One server for both, so that they are compared and not their servers."""
    path = environ["PATH_INFO"]  # type: ignore[index]
    chosen = bare if path.startswith("/bare") else app
    return chosen(environ, start_response)  # type: ignore[arg-type]

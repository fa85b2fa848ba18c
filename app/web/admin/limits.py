"""How often an address may try to sign in. Counted in each process."""

from flask import Flask
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

from app.web.admin.door import blueprint

TRIES = "20 per minute"


def register(app: Flask) -> None:
    limiter = Limiter(get_remote_address, app=app, storage_uri="memory://", key_prefix="admin")
    limiter.limit(TRIES, methods=["POST"])(blueprint)

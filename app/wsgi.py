"""What a WSGI server serves: `granian --interface wsgi app.wsgi:app`, as `laurel serve` does."""

from app import logs
from app.bootstrap import build, collect_seldom, refuse_unguarded
from app.settings import Settings
from app.web import create_app

logs.configure()
collect_seldom()
_rt = build(Settings.from_env("serve"))
refuse_unguarded(_rt)
app = create_app(_rt)

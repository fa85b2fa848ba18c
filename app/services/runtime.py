"""What every use case is handed: the database, the connectors, a clock, and where we live."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from app.db.inbox import Keeping
from app.db.panel import Panels
from app.db.sealing import Vault
from app.db.session import Database
from app.domain import crockford
from app.domain.program import Program
from app.services.shop_memory import ShopMemory
from app.services.shopfront import FrontMemory
from connectors.base import AppCredentials, Connector, HttpSeam, Pace

SendMail = Callable[[str, str, str], None]
"""(to, subject, text). Raises Retryable."""


def new_code() -> str:
    """A discount code: our prefix and 16 characters of Crockford's base 32, 80 bits that nobody guesses."""
    return "LRL-" + "".join(secrets.choice(crockford.ALPHABET) for _ in range(16))


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    db: Database
    vault: Vault
    connectors: Mapping[str, Connector]
    apps: Mapping[str, AppCredentials]  # the installation's own app on each platform
    http: HttpSeam
    clock: Callable[[], datetime]
    public_url: str
    send_mail: SendMail
    sends_mail: bool = True  # False: `send_mail` refuses
    check_mail: Callable[[], None] = lambda: (
        None
    )  # signs in at the mail server and sends nothing; raises as it does
    new_code: Callable[[], str] = new_code
    shop_memory: ShopMemory = field(default_factory=ShopMemory)
    # Each program's live version as last seen: for those who ask the database whether it still is.
    live_programs: dict[int, Program] = field(default_factory=dict)
    fronts: FrontMemory = field(default_factory=FrontMemory)
    # What each shop may still be asked, as this process was told: (program, shop) -> its pace.
    paces: dict[tuple[int, int], Pace] = field(default_factory=dict)
    received: Callable[[], None] = field(default=lambda: None)  # told after a delivery was kept
    database_folder: Path | None = None  # where the embedded database lies; None: the database is elsewhere
    inbox: Keeping = field(init=False)
    panels: Panels = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "inbox", Keeping(self.db, self.vault))
        object.__setattr__(self, "panels", Panels(self.db, self.vault))

    def now(self) -> datetime:
        return self.clock().astimezone(UTC)

    def own_secrets(self, platform: str) -> tuple[str, ...]:
        """The secrets of the installation's own app on a platform; empty: it has none."""
        app = self.apps.get(platform)
        return app.secrets if app else ()

    def app_of(self, platform: str) -> AppCredentials:
        """The installation's own app on a platform; an empty one: it has none."""
        return self.apps.get(platform) or AppCredentials()

    @property
    def tag(self) -> str:
        """Marks our discount codes at every shop as this installation's."""
        return f"laurel-{self.vault.installation_id}"

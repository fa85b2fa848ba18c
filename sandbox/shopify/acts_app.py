"""The app in the shop: installed, uninstalled, its tokens, its subscriptions, the links that open it."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, timedelta
from typing import Any
from urllib.parse import quote, urlencode

import jwt

from sandbox.deliveries import Job, Message
from sandbox.refusals import Impossible
from sandbox.shopify.acts_refunds import RefundActs
from sandbox.shopify.state import Subscription, Token

COMPLIANCE = ("customers/data_request", "customers/redact", "shop/redact")
_TOKEN_LIFE = timedelta(seconds=3600)
_REFRESH_LIFE = timedelta(days=90)


class AppActs(RefundActs):
    def install(self) -> None:
        """The merchant agrees to the app's scopes; its file's subscriptions are there at once."""
        with self.act():
            self.installed = True
            for topic in (*self.app.topics, "app/uninstalled", *COMPLIANCE):
                if not any(s.topic == topic and not s.by_api for s in self.subscriptions.values()):
                    self.subscribe(topic, self.app.webhook_uri, by_api=False)

    def grant(self, *scopes: str) -> None:
        """The merchant agrees to more; told by app/scopes_update. Tokens that are out have it too."""
        self._set_scopes([*self.app.scopes, *(one for one in scopes if one not in self.app.scopes)])

    def withdraw(self, *scopes: str) -> None:
        """The merchant takes optional scopes back; told likewise."""
        self._set_scopes([one for one in self.app.scopes if one not in scopes])

    def _set_scopes(self, scopes: list[str]) -> None:
        with self.act():
            before, self.app.scopes = self.app.scopes, scopes
            for token in self.tokens.values():
                token.scopes = list(scopes)
            told = {
                "id": 1,
                "shop_id": f"gid://shopify/Shop/{self.id}",
                "previous": before,
                "current": scopes,
                "updated_at": f"{self.now():%Y-%m-%dT%H:%M:%S}.000Z",
            }
            self.emit("app/scopes_update", lambda: told, str(self.id))

    def uninstall(self) -> None:
        """Told by app/uninstalled; every token is dead, every subscription made by API gone."""
        with self.act():
            self.emit("app/uninstalled", self.shop_body, str(self.id))
            self.installed = False
            for token in self.tokens.values():
                token.revoked = True
            for subscription in list(self.subscriptions.values()):
                if subscription.by_api:
                    del self.subscriptions[subscription.id]

    def subscribe(
        self,
        topic: str,
        uri: str,
        *,
        by_api: bool = True,
        name: str | None = None,
        include_fields: list[str] | None = None,
        filter_: str | None = None,
    ) -> Subscription:
        """Raises: Impossible if the same topic goes to the same address already."""
        with self.lock:
            if any(
                s.topic == topic and s.uri == uri and s.by_api == by_api for s in self.subscriptions.values()
            ):
                raise Impossible("Address for this topic has already been taken")
            subscription = Subscription(
                id=self.new_id(),
                topic=topic,
                uri=uri,
                created=self.now(),
                updated=self.now(),
                name=name,
                include_fields=include_fields or [],
                filter=filter_,
                by_api=by_api,
            )
            self.subscriptions[subscription.id] = subscription
            return subscription

    def use_flow(self, handle: str, *, enabled: bool) -> None:
        """The merchant switches the first workflow with this trigger on, or the last one off; the app is told."""
        with self.act():
            (self.flow_enabled.add if enabled else self.flow_enabled.discard)(handle)
            self.deliveries.queue(self.flow_word(handle, enabled=enabled))

    def flow_word(self, handle: str, *, enabled: bool) -> Job:
        """The signed message of the trigger's lifecycle, as it goes out now."""
        told = {
            "flow_trigger_definition_id": handle,
            "has_enabled_flow": enabled,
            "shop_id": str(self.id),
            "shopify_domain": self.domain,
            "timestamp": self.clock().astimezone(UTC).isoformat(timespec="milliseconds"),
        }
        raw = json.dumps(told).encode()
        signature = hmac.new(self.app.secrets[0].encode(), raw, hashlib.sha256).digest()
        headers = {
            "Content-Type": "application/json",
            "X-Shopify-Hmac-Sha256": base64.b64encode(signature).decode(),
            "X-Shopify-Shop-Domain": self.domain,
        }
        message = Message(url=self.app.flow_uri, headers=headers, body=raw)
        return Job(topic="flow", ref=handle, build=lambda: message)

    def issue_token(self, *, expiring: bool = True, life: timedelta = _TOKEN_LIFE) -> Token:
        """An offline token, as token exchange makes it; without `expiring` it lives for ever."""
        with self.lock:
            number = len(self.tokens) + 1
            secret = hashlib.sha256(f"{self.domain}:{self.app.client_id}:{number}".encode()).hexdigest()
            now = self.clock()
            token = Token(
                value=f"shpat_{secret[:32]}",
                expires=now + life if expiring else None,
                scopes=list(self.app.scopes),
                refresh=f"shprt_{secret[32:]}" if expiring else None,
                refresh_expires=now + _REFRESH_LIFE if expiring else None,
            )
            self.tokens[token.value] = token
            return token

    def refresh_token(self, refresh: str) -> Token | None:
        """A new pair for `refresh`; the old refresh token works until the new access token is first used."""
        with self.lock:
            for old in self.tokens.values():
                if refresh == old.refresh and not old.revoked and old.refresh_expires is not None:
                    if old.refresh_expires <= self.clock() or self._replaced(refresh):
                        return None
                    new = self.issue_token()
                    new.previous_refresh = refresh
                    return new
            return None

    def find_token(self, value: str) -> Token | None:
        """The live token of that value, now used; None: 401."""
        with self.lock:
            token = self.tokens.get(value)
            if token is None or token.revoked or not self.installed:
                return None
            if token.expires is not None and token.expires <= self.clock():
                return None
            token.used = True
            return token

    def revoke_tokens(self) -> None:
        for token in self.tokens.values():
            token.revoked = True

    def id_token(self, **claims: Any) -> str:
        """What Shopify gives the app when staff open it; good for a minute. `claims` replace its own, for bad ones."""
        now = int(self.clock().timestamp())
        told = {
            "iss": f"{self.url}/admin",
            "dest": self.url,
            "aud": self.app.client_id,
            "sub": "548380009",
            "exp": now + 60,
            "nbf": now,
            "iat": now,
            "jti": self._uuid("jti"),
            "sid": self._uuid("sid"),
        }
        return jwt.encode(told | claims, self.app.secrets[0], algorithm="HS256")

    def open_app_url(self, path: str = "") -> str:
        """The address that the admin's frame loads when staff open the app."""
        host = base64.b64encode(f"admin.shopify.com/store/{self.handle}".encode()).decode().rstrip("=")
        query = {
            "embedded": "1",
            "host": host,
            "id_token": self.id_token(),
            "locale": "en",
            "session": self._uuid("session").replace("-", ""),
            "shop": self.domain,
            "timestamp": str(int(self.clock().timestamp())),
        }
        return f"{self.app.app_url}{path}?{urlencode(self._with_hmac(query))}"

    def consent_url(self, redirect_uri: str, state: str) -> str:
        """Where the old way of installing sends the merchant back to, with a code."""
        query = {
            "code": self._uuid("code").replace("-", ""),
            "host": base64.b64encode(f"admin.shopify.com/store/{self.handle}".encode()).decode(),
            "shop": self.domain,
            "state": state,
            "timestamp": str(int(self.clock().timestamp())),
        }
        return f"{redirect_uri}?{urlencode(self._with_hmac(query))}"

    def proxied_query(self, query: list[tuple[str, str]], customer_id: int | None) -> str:
        """The query that the app proxy forwards: the shopper's own part first, then Shopify's, then the signature."""
        own = [(name, value) for name, value in query if name != "signature"]
        ours = [
            ("shop", self.domain),
            ("logged_in_customer_id", "" if customer_id is None else str(customer_id)),
            ("path_prefix", f"/apps/{self.app.subpath}"),
            ("timestamp", str(int(self.clock().timestamp()))),
        ]
        values: dict[str, list[str]] = {}
        for name, value in (*own, *ours):
            values.setdefault(name, []).append(value)
        text = "".join(sorted(f"{name}={','.join(group)}" for name, group in values.items()))
        signature = hmac.new(self.app.secrets[0].encode(), text.encode(), hashlib.sha256).hexdigest()
        return urlencode([*own, *ours, ("signature", signature)], quote_via=quote)

    def shop_body(self) -> Mapping[str, Any]:
        """app/uninstalled and shop/update."""
        raise NotImplementedError

    def _replaced(self, refresh: str) -> bool:
        return any(token.previous_refresh == refresh and token.used for token in self.tokens.values())

    def _with_hmac(self, query: dict[str, str]) -> dict[str, str]:
        text = "&".join(f"{name}={value}" for name, value in sorted(query.items()))
        return query | {
            "hmac": hmac.new(self.app.secrets[0].encode(), text.encode(), hashlib.sha256).hexdigest()
        }

"""https for stand-ins: a certificate authority that lives as long as the process."""

import ssl
from datetime import datetime

import trustme


class Authority:
    """Issues certificates for stand-in hosts. `client_context()` trusts them and nobody else."""

    def __init__(self) -> None:
        self._authority = trustme.CA()

    def server_context(self, *hosts: str, ends_at: datetime | None = None) -> ssl.SSLContext:
        """`ends_at` None: never."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        issued = self._authority.issue_cert(*hosts, "127.0.0.1", "localhost", not_after=ends_at)
        issued.configure_cert(context)
        return context

    def client_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._authority.configure_trust(context)
        return context

    def pem(self) -> bytes:
        """The authority's own certificate, for clients that want a file."""
        return self._authority.cert_pem.bytes()

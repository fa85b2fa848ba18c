"""https for stand-ins: a certificate authority that lives as long as the process."""

import ssl

import trustme


class Authority:
    """Issues certificates for stand-in hosts. `client_context()` trusts them and nobody else."""

    def __init__(self) -> None:
        self._authority = trustme.CA()

    def server_context(self, *hosts: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._authority.issue_cert(*hosts, "127.0.0.1", "localhost").configure_cert(context)
        return context

    def client_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._authority.configure_trust(context)
        return context

    def pem(self) -> bytes:
        """The authority's own certificate, for clients that want a file."""
        return self._authority.cert_pem.bytes()

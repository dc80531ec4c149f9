"""TLS for the tests of the simulation: one authority, RSA, made once a session.

RSA because ECDSA signatures differ in length from run to run, and with them the sizes
of TLS records and the digest of a trace.
"""

from __future__ import annotations

import ssl

import trustme


class Certificates:
    """An authority, a certificate for ``server.test`` and contexts for both ends."""

    def __init__(self) -> None:
        self._authority = trustme.CA(key_type=trustme.KeyType.RSA)
        self._leaf = self._authority.issue_cert(
            "server.test", "127.0.0.1", key_type=trustme.KeyType.RSA
        )

    def server(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # trustme types the context as pyOpenSSL's too, which is not installed.
        self._leaf.configure_cert(context)  # pyright: ignore[reportUnknownMemberType]
        return context

    def client(self, *, trusting: bool = True) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if trusting:
            # The same here.
            self._authority.configure_trust(context)  # pyright: ignore[reportUnknownMemberType]
        return context

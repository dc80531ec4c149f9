"""TLS: one certificate authority a process, and certificates for virtual hosts.

Comes in: names that a certificate shall carry. Goes out: SSL contexts for servers,
and the trust root for clients. Must not know: connections, hosts, journals.
Keys are RSA: the length of an ECDSA signature varies, and with it where segments of
a handshake end, so a run would not repeat byte for byte.
"""

from __future__ import annotations

import datetime
import functools
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    import trustme


@dataclass(frozen=True, slots=True)
class Tls:
    """What certificate a host shows.

    Attributes:
        names: DNS names or IP addresses; empty takes the name of the host.
        common_name: Subject common name; clients of today must not look at it.
        trusted: False takes a second authority that nobody trusts.
        expired: True makes it end in the past, by the real calendar.
    """

    names: tuple[str, ...] = ()
    common_name: str | None = None
    trusted: bool = True
    expired: bool = False

    def __init__(
        self,
        names: Iterable[str] = (),
        common_name: str | None = None,
        *,
        trusted: bool = True,
        expired: bool = False,
    ) -> None:
        if isinstance(names, str):
            msg = f"Tls(names={names!r}): give a list of names"
            raise TypeError(msg)
        object.__setattr__(self, "names", tuple(names))
        object.__setattr__(self, "common_name", common_name)
        object.__setattr__(self, "trusted", trusted)
        object.__setattr__(self, "expired", expired)


class Authority:
    """A certificate authority that lives as long as the process.

    Nothing is made before it is needed: RSA keys cost tenths of a second.
    """

    def __init__(self) -> None:
        self._leaves: dict[Tls, trustme.LeafCert] = {}

    @functools.cached_property
    def _trusted(self) -> trustme.CA:
        return _new_ca()

    @functools.cached_property
    def _stranger(self) -> trustme.CA:
        return _new_ca()

    @functools.cached_property
    def ca_pem(self) -> str:
        """The root certificate, PEM text."""
        return self._trusted.cert_pem.bytes().decode("ascii")

    def client_context(self) -> ssl.SSLContext:
        """Return a new client context that trusts this authority and no other."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=self.ca_pem)
        return context

    def server_context(self, tls: Tls, host: str) -> ssl.SSLContext:
        """Return a new server context with a certificate; equal names share keys.

        Args:
            tls: What to put into the certificate.
            host: The name that is used when ``tls`` has none.
        """
        names = tls.names or (host,)
        wanted = Tls(names, tls.common_name, trusted=tls.trusted, expired=tls.expired)
        leaf = self._leaves.get(wanted)
        if leaf is None:
            leaf = self._leaves[wanted] = self._issue(wanted)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(["http/1.1"])
        leaf.configure_cert(context)  # pyright: ignore[reportUnknownMemberType]  # optional pyOpenSSL
        return context

    def _issue(self, tls: Tls) -> trustme.LeafCert:
        import trustme  # an extra; only TLS needs it

        ca = self._trusted if tls.trusted else self._stranger
        start = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)
        end = datetime.datetime(2001, 1, 1, tzinfo=datetime.UTC)
        return ca.issue_cert(
            *tls.names,
            common_name=tls.common_name,
            key_type=trustme.KeyType.RSA,
            not_before=start if tls.expired else None,
            not_after=end if tls.expired else None,
        )


def _new_ca() -> trustme.CA:
    try:
        import trustme  # an extra; only TLS needs it
    except ImportError as exc:
        msg = "TLS hosts need the trustme package: pip install 'windtunnel[pytest]'"
        raise RuntimeError(msg) from exc
    return trustme.CA(key_type=trustme.KeyType.RSA)


@functools.cache
def process_authority() -> Authority:
    """Return the one authority of this process."""
    return Authority()

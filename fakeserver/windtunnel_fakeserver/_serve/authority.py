"""TLS: one certificate authority a process, certificates for virtual hosts and clients.

Comes in: names that a certificate shall carry. Goes out: SSL contexts for servers,
and for clients the trust root and their certificates. Must not know: connections,
hosts, journals.
Keys are RSA: the length of an ECDSA signature varies, and with it where segments of
a handshake end, so a run would not repeat byte for byte.
"""

from __future__ import annotations

import datetime
import functools
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from windtunnel_fakeserver._wire.compat import override

if TYPE_CHECKING:
    from collections.abc import Iterable

    import trustme

ClientCertificates: TypeAlias = Literal["none", "optional", "required"]

_VERIFY: dict[ClientCertificates, ssl.VerifyMode] = {
    "none": ssl.CERT_NONE,
    "optional": ssl.CERT_OPTIONAL,
    "required": ssl.CERT_REQUIRED,
}


class AskingContext(ssl.SSLContext):
    """A server's context that tells clients why it does not take their certificate.

    One for each connection.

    Attributes:
        failure: What was wrong with a client, None if nothing was so far.
    """

    failure: ssl.SSLError | None = None


class _AskingObject(ssl.SSLObject):
    """Gets the alert of a failed handshake out, which asyncio would drop."""

    @override
    def do_handshake(self) -> None:
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError as exc:
            context = self.context
            assert isinstance(context, AskingContext)
            if context.failure is not None:
                raise
            context.failure = exc
            # Then asyncio sends what there is, and waits for the client to leave.
            raise ssl.SSLWantReadError from exc


@dataclass(frozen=True, slots=True)
class Tls:
    """What certificate a host shows, and whether it wants to see the client's.

    Attributes:
        names: DNS names or IP addresses; empty takes the name of the host.
        common_name: Subject common name; clients of today must not look at it.
        trusted: False takes a second authority that nobody trusts.
        expired: True makes it end in the past, by the real calendar.
        clients: "required" asks clients for a certificate and takes those of this
            process's authority alone, as ``Identity`` makes them; "optional" also takes
            clients that show none. TLS 1.3 lets a client find out only when it reads.

    Raises:
        TypeError: ``names`` is one text.
        ValueError: ``clients`` is another word.
    """

    names: tuple[str, ...] = ()
    common_name: str | None = None
    trusted: bool = True
    expired: bool = False
    clients: ClientCertificates = "none"

    def __init__(
        self,
        names: Iterable[str] = (),
        common_name: str | None = None,
        *,
        trusted: bool = True,
        expired: bool = False,
        clients: ClientCertificates = "none",
    ) -> None:
        if isinstance(names, str):
            msg = f"Tls(names={names!r}): give a list of names"
            raise TypeError(msg)
        if clients not in _VERIFY:
            allowed = ", ".join(get_args(ClientCertificates))
            msg = f"Tls(clients={clients!r:.40}): must be one of {allowed}"
            raise ValueError(msg)
        object.__setattr__(self, "names", tuple(names))
        object.__setattr__(self, "common_name", common_name)
        object.__setattr__(self, "trusted", trusted)
        object.__setattr__(self, "expired", expired)
        object.__setattr__(self, "clients", clients)


@dataclass(frozen=True, slots=True)
class Identity:
    """A client's certificate, for ``Authority.client_context``.

    Attributes:
        name: Subject common name; the journal has it as ``client_name``.
        trusted: False takes a second authority that no host trusts.
        expired: True makes it end in the past, by the real calendar.
    """

    name: str = "client"
    trusted: bool = True
    expired: bool = False


class Authority:
    """A certificate authority that lives as long as the process.

    Nothing is made before it is needed: RSA keys cost tenths of a second.
    """

    def __init__(self) -> None:
        self._leaves: dict[Tls | Identity, trustme.LeafCert] = {}

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

    def client_context(self, identity: Identity | None = None) -> ssl.SSLContext:
        """Return a new client context that trusts this authority and no other.

        Args:
            identity: The certificate to show to servers that ask; None for none.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=self.ca_pem)
        if identity is not None:
            _load(context, self._client_leaf(identity))
        return context

    def client_pem(self, identity: Identity) -> str:
        """Return a client's private key and certificate, PEM text.

        For clients in other languages, and for ``SSLContext.load_cert_chain``, both of
        which read it from a file.
        """
        leaf = self._client_leaf(identity)
        return leaf.private_key_and_cert_chain_pem.bytes().decode("ascii")

    def server_context(self, tls: Tls, host: str) -> ssl.SSLContext:
        """Return a new server context with a certificate; equal names share keys.

        It is for one connection if it asks for certificates.

        Args:
            tls: What to put into the certificate, and what to ask clients for.
            host: The name that is used when ``tls`` has none.
        """
        names = tls.names or (host,)
        wanted = Tls(names, tls.common_name, trusted=tls.trusted, expired=tls.expired)
        leaf = self._leaves.get(wanted)
        if leaf is None:
            leaf = self._leaves[wanted] = self._issue(
                names, tls.common_name, trusted=tls.trusted, expired=tls.expired
            )
        asks = tls.clients != "none"
        kind = AskingContext if asks else ssl.SSLContext
        context = kind(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(["http/1.1"])
        _load(context, leaf)
        if asks:
            context.sslobject_class = _AskingObject
            context.verify_mode = _VERIFY[tls.clients]
            context.load_verify_locations(cadata=self.ca_pem)
        return context

    def _client_leaf(self, identity: Identity) -> trustme.LeafCert:
        leaf = self._leaves.get(identity)
        if leaf is None:
            leaf = self._leaves[identity] = self._issue(
                (),
                identity.name,
                trusted=identity.trusted,
                expired=identity.expired,
            )
        return leaf

    def _issue(
        self,
        names: tuple[str, ...],
        common_name: str | None,
        *,
        trusted: bool,
        expired: bool,
    ) -> trustme.LeafCert:
        import trustme  # an extra; only TLS needs it

        ca = self._trusted if trusted else self._stranger
        start = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)
        end = datetime.datetime(2001, 1, 1, tzinfo=datetime.UTC)
        return ca.issue_cert(
            *names,
            common_name=common_name,
            key_type=trustme.KeyType.RSA,
            not_before=start if expired else None,
            not_after=end if expired else None,
        )


def _load(context: ssl.SSLContext, leaf: trustme.LeafCert) -> None:
    leaf.configure_cert(context)  # pyright: ignore[reportUnknownMemberType]  # optional pyOpenSSL


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

"""Reading ``[origins]`` and ``[[peer]]``: who answers, and how.

Comes in: nodes. Goes out: ``Origin`` and ``PeerScript`` values. Must not know: what the
client is asked to do.
"""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Literal, TypeAlias
from urllib.parse import urlsplit

from windtunnel_conformance.case import (
    Close,
    HalfClose,
    Origin,
    Pause,
    PeerScript,
    Read,
    Resume,
    Send,
    Signal,
    StartTls,
    TlsSettings,
    Upgrade,
    Wait,
    WaitFor,
)
from windtunnel_conformance.frames import frame_bytes
from windtunnel_conformance.values import resolve_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from windtunnel_conformance.case import Step
    from windtunnel_conformance.reading import Node
    from windtunnel_conformance.values import Lets

_How: TypeAlias = Literal["fin", "rst", "tls-no-notify"]
_HOWS: Final[tuple[_How, ...]] = ("fin", "rst", "tls-no-notify")
_ENDS: Final[tuple[Literal["open", "close"], ...]] = ("open", "close")
_CONNECTS: Final[tuple[Literal["accept", "refuse", "hang"], ...]] = (
    "accept", "refuse", "hang",
)  # fmt: skip
_AUTHORITIES: Final[tuple[Literal["trusted", "untrusted"], ...]] = (
    "trusted", "untrusted",
)  # fmt: skip
_WHATS: Final[tuple[Literal["head", "request", "eof", "ws"], ...]] = (
    "head", "request", "eof", "ws",
)  # fmt: skip
_ACCEPTED: Final = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
    b"Connection: Upgrade\r\nSec-WebSocket-Accept: @accept@\r\n\r\n"
)
_NAME = re.compile(r"[a-z][a-z0-9]{0,15}")
DEFAULT_URL: Final = "http://a.test"
"""Where the origin ``a`` is if a case says nothing."""


# --- origins ---------------------------------------------------------------------


def read_origins(node: Node | None) -> dict[str, Origin]:
    """Read ``[origins]``; without it there is ``a`` at ``http://a.test``."""
    if node is None:
        return {"a": Origin("a", "http", "a.test", 80)}
    return {name: _origin(name, value) for name, value in node.table(None).items()}


def with_tls(origins: Mapping[str, Origin], tls: bool) -> dict[str, Origin]:
    """Return origins that all have TLS, or none; default ports follow the scheme."""
    changed: dict[str, Origin] = {}
    for name, origin in origins.items():
        standard = origin.port == _default_port(origin.scheme)
        scheme: Literal["http", "https"] = "https" if tls else "http"
        changed[name] = replace(
            origin,
            scheme=scheme,
            port=_default_port(scheme) if standard else origin.port,
            tls=(origin.tls or TlsSettings((origin.host,))) if tls else None,
        )
    return changed


def _default_port(scheme: str) -> int:
    return 443 if scheme == "https" else 80


def _origin(name: str, node: Node) -> Origin:
    if not _NAME.fullmatch(name):
        raise node.error(f"{name!r} is no name (lower-case letters and digits)")
    table = node.table(("url", "tls", "connect"), required=("url",))
    url = table["url"]
    parts = urlsplit(url.text())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise url.error(f"is {url.text()!r}, but must be http://host or https://host")
    if parts.path or parts.query or parts.fragment or parts.username is not None:
        raise url.error(f"is {url.text()!r}, but an origin has no path or user")
    scheme: Literal["http", "https"] = "https" if parts.scheme == "https" else "http"
    if scheme == "http" and "tls" in table:
        raise table["tls"].error("an http origin has no certificate")
    tls = TlsSettings((parts.hostname,)) if scheme == "https" else None
    return Origin(
        name,
        scheme,
        parts.hostname,
        parts.port or _default_port(scheme),
        _certificate(table["tls"]) if "tls" in table else tls,
        table["connect"].choice(_CONNECTS) if "connect" in table else "accept",
    )


def _certificate(node: Node) -> TlsSettings:
    table = node.table(("names", "ca", "common_name"), required=("names",))
    return TlsSettings(
        table["names"].texts(),
        table["ca"].choice(_AUTHORITIES) if "ca" in table else "trusted",
        table["common_name"].text() if "common_name" in table else None,
    )


# --- scripts ---------------------------------------------------------------------


def read_peers(
    node: Node, origins: Mapping[str, Origin], lets: Lets
) -> tuple[PeerScript, ...]:
    """Read ``[[peer]]`` of one variant, with TLS first where the origin has it."""
    return tuple(_peer(item, origins, lets) for item in node.items())


def _peer(node: Node, origins: Mapping[str, Origin], lets: Lets) -> PeerScript:
    table = node.table(("on", "steps", "optional", "end", "plain"), required=("steps",))
    on = table["on"].choice(origins) if "on" in table else "a"
    if on not in origins:
        raise node.error("there is no origin 'a'; say 'on' with the name of one")
    if origins[on].connect != "accept":
        raise node.error(f"the origin {on!r} accepts no connection")
    steps = [_step(item, lets) for item in table["steps"].items()]
    explicit = any(isinstance(step, StartTls) for step in steps[:1])
    if any(isinstance(step, StartTls) for step in steps[1:]):
        raise table["steps"].error("tls can only be the first step")
    plain = "plain" in table and table["plain"].flag()
    if plain and explicit:
        raise table["plain"].error("the first step is tls")
    if origins[on].tls is None:
        steps = steps[1:] if explicit else steps
    elif not (explicit or plain):
        steps = [StartTls(), *steps]
    return PeerScript(
        on,
        tuple(steps),
        "optional" in table and table["optional"].flag(),
        table["end"].choice(_ENDS) if "end" in table else "open",
    )


def _step(node: Node, lets: Lets) -> Step:
    verb, value = node.single(_STEPS)
    return _STEPS[verb](value, lets)


def _read(node: Node, lets: Lets) -> Step:
    del lets
    counted = re.fullmatch(r"bytes:([1-9][0-9]{0,8})", node.text())
    if counted:
        return Read("bytes", int(counted[1]))
    if node.text() not in _WHATS:
        raise node.error(
            f"is {node.text()!r} (allowed: {', '.join(_WHATS)} and bytes:N)"
        )
    return Read(node.choice(_WHATS))


def _send(node: Node, lets: Lets) -> Step:
    data = resolve_bytes(node, lets)
    if not data:
        raise node.error("sends nothing")
    return Send((data,))


def _wait(node: Node, lets: Lets) -> Step:
    del lets
    return Wait(math.inf if node.value == "forever" else node.seconds())


def _close(node: Node, lets: Lets) -> Step:
    del lets
    return Close(node.choice(_HOWS))


def _upgrade(node: Node, lets: Lets) -> Step:
    if node.value == "accept":
        return Upgrade(_ACCEPTED)
    return Upgrade(resolve_bytes(node, lets))


def _frame(node: Node, lets: Lets) -> Step:
    return Send((frame_bytes(node, lets),))


def _tls(node: Node, lets: Lets) -> Step:
    del lets
    node.choice(("server",))
    return StartTls()


def _bare(step: Step) -> Callable[[Node, Lets], Step]:
    """Return a reader for a step that has no argument and is written ``= true``."""

    def read(node: Node, lets: Lets) -> Step:
        del lets
        if not node.flag():
            raise node.error("is false; leave the step out instead")
        return step

    return read


_STEPS: Final[Mapping[str, Callable[[Node, Lets], Step]]] = {
    "tls": _tls,
    "read": _read,
    "send": _send,
    "wait": _wait,
    "wait_for": lambda node, _: WaitFor(node.text()),
    "signal": lambda node, _: Signal(node.text()),
    "close": _close,
    "half_close": _bare(HalfClose()),
    "pause": _bare(Pause()),
    "resume": _bare(Resume()),
    "upgrade": _upgrade,
    "frame": _frame,
}

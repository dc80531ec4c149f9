"""Reading ``[[client]]`` and ``[session]``: what the client is asked to do.

Comes in: filled nodes. Goes out: ``Action`` values whose arguments are the JSON of the
adapter protocol. Must not know: peers and expectations.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, get_args

from windtunnel_conformance.case import Action, Verb
from windtunnel_conformance.values import Lets, resolve_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from windtunnel_conformance.case import Json
    from windtunnel_conformance.reading import Node

VERBS: Final[tuple[Verb, ...]] = get_args(Verb)
"""Every verb of a client action."""

_REQUEST_KEYS: Final = (
    "method", "url", "params", "headers", "body", "timeout", "decode", "read_as",
    "stream", "cookies", "auth",
)  # fmt: skip
_BODY_KINDS: Final = ("text", "bytes", "json", "form", "chunks", "multipart")
TIMEOUT_KEYS: Final = (
    "total", "connect", "sock_connect", "sock_read", "pool", "ceil_threshold",
)  # fmt: skip
"""Every deadline that a case can set."""

_ON_KEYS: Final[dict[str, tuple[str, ...]]] = {
    "read": ("on", "size"),
    "close": ("on", "code", "reason"),
    "send": ("on", "text", "bytes"),
    "recv": ("on", "until"),
}
_NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")


@dataclass(slots=True)
class ActionReader:
    """Reads the actions of one variant and remembers their names.

    Attributes:
        lets: Named byte values, for bodies.
        names: Names of actions so far.
        streamed: Names of streamed requests so far.
        sockets: Names of WebSockets so far.
    """

    lets: Lets
    names: list[str] = field(default_factory=list[str])
    streamed: list[str] = field(default_factory=list[str])
    sockets: list[str] = field(default_factory=list[str])

    def read_all(self, node: Node) -> tuple[Action, ...]:
        """Read a list of actions.

        Raises:
            CaseError: The list is empty, or an action is wrong.
        """
        actions = tuple(self._read(item) for item in node.items())
        if not actions:
            raise node.error("has no actions")
        return actions

    def _read(self, node: Node) -> Action:
        table = node.table(("as", *VERBS))
        verbs: list[Verb] = [verb for verb in VERBS if verb in set(table)]
        if len(verbs) != 1:
            raise node.error(
                f"needs exactly one verb of: {', '.join(VERBS)}; it has {len(verbs)}"
            )
        verb = verbs[0]
        name = self._name(node, table, verb)
        argument = self._argument(verb, table[verb], name)
        return Action(name, verb, argument)

    def _name(self, node: Node, table: Mapping[str, Node], verb: Verb) -> str:
        if "as" in table:
            name = table["as"].text()
            if not _NAME.fullmatch(name):
                raise table["as"].error(
                    f"{name!r} is no name (lower-case letters, digits and _)"
                )
        elif verb in ("request", "read", "ws", "recv"):
            raise node.error("the key 'as' is missing; it names the result")
        else:
            name = f"{verb}_{len(self.names)}"
        if name in self.names:
            raise node.error(f"a second action is named {name!r}")
        self.names.append(name)
        return name

    def _argument(self, verb: Verb, node: Node, name: str) -> Json:
        match verb:
            case "request":
                return self._request(node, name)
            case "ws":
                return self._socket(node, name)
            case "read" | "close" | "send" | "recv":
                return self._on(node, verb)
            case "sleep":
                return node.seconds()
            case "wait_for" | "signal":
                return node.text()
            case "group":
                return [
                    [action.to_json() for action in self.read_all(branch)]
                    for branch in node.items()
                ]

    def _socket(self, node: Node, name: str) -> Json:
        table = node.table(
            ("url", "headers", "protocols", "compress", "max_size"), required=("url",)
        )
        found: dict[str, Json] = {"url": table["url"].text()}
        if "headers" in table:
            found["headers"] = _pairs(table["headers"], latin1=True)
        if "protocols" in table:
            found["protocols"] = list(table["protocols"].texts())
        if "compress" in table:
            found["compress"] = table["compress"].flag()
        if "max_size" in table:
            found["max_size"] = table["max_size"].integer(low=1)
        self.sockets.append(name)
        return found

    def _on(self, node: Node, verb: Literal["read", "close", "send", "recv"]) -> Json:
        table = node.table(_ON_KEYS[verb], required=("on",))
        name = table["on"].text()
        is_socket = verb in ("send", "recv") or name in self.sockets
        table["on"].choice(self.sockets if is_socket else self.streamed)
        found: dict[str, Json] = {"on": name}
        for key in ("size", "code"):
            if key in table:
                found[key] = table[key].integer(low=0 if key == "code" else 1)
        for key in ("text", "reason"):
            if key in table:
                found[key] = table[key].text()
        if "bytes" in table:
            found["bytes"] = base64_object(resolve_bytes(table["bytes"], self.lets))
        if "until" in table:
            found["until"] = table["until"].choice(("closed",))
        if verb == "send" and ("text" in table) == ("bytes" in table):
            raise node.error("needs exactly one of text and bytes")
        return found

    def _request(self, node: Node, name: str) -> Json:
        table = node.table(_REQUEST_KEYS, required=("method", "url"))
        found: dict[str, Json] = {
            "method": table["method"].text(),
            "url": table["url"].text(),
        }
        for key in ("params", "headers", "cookies"):
            if key in table:
                found[key] = _pairs(table[key], latin1=key == "headers")
        if "auth" in table:
            kind, value = table["auth"].single(("basic", "digest"))
            found["auth"] = {kind: list(value.texts())}
        if "body" in table:
            found["body"] = self._body(table["body"])
        if "timeout" in table:
            found["timeout"] = {
                key: value.seconds()
                for key, value in table["timeout"].table(TIMEOUT_KEYS).items()
            }
        for key in ("decode", "stream"):
            if key in table:
                found[key] = table[key].flag()
        if "read_as" in table:
            found["read_as"] = table["read_as"].choice(("text", "json"))
        if found.get("stream"):
            self.streamed.append(name)
        return found

    def _body(self, node: Node) -> Json:
        kind, value = node.single(_BODY_KINDS)
        match kind:
            case "text":
                return {kind: value.text()}
            case "json":
                return {kind: value.json()}
            case "form":
                return {kind: _pairs(value)}
            case "chunks":
                return {kind: [self._chunk(item) for item in value.items()]}
            case "multipart":
                return {kind: [self._part(item) for item in value.items()]}
            case _:
                return {kind: base64_object(resolve_bytes(value, self.lets))}

    def _part(self, node: Node) -> Json:
        table = node.table(
            ("name", "content", "filename", "type"), required=("name", "content")
        )
        content = resolve_bytes(table["content"], self.lets)
        found: dict[str, Json] = {
            "name": table["name"].text(),
            "content": base64_object(content),
        }
        for key in ("filename", "type"):
            if key in table:
                found[key] = table[key].text()
        return found

    def _chunk(self, node: Node) -> Json:
        if node.is_table and "wait" in node.table(None):
            return {"wait": node.table(("wait",))["wait"].seconds()}
        return base64_object(resolve_bytes(node, self.lets))


def read_session(node: Node) -> dict[str, Json]:
    """Read ``[session]``."""
    table = node.table(
        ("keepalive", "decode", "limit", "cookies", "redirects", "proxy")
    )
    found: dict[str, Json] = {}
    for key in ("keepalive", "decode", "cookies"):
        if key in table:
            found[key] = table[key].flag()
    if "redirects" in table:
        found["redirects"] = table["redirects"].integer(low=0)
    if "proxy" in table:
        found["proxy"] = table["proxy"].text()
    if "limit" in table:
        found["limit"] = table["limit"].integer(low=1)
    return found


def base64_object(data: bytes) -> dict[str, Json]:
    """Return bytes as the adapter protocol and ``corpus.json`` write them."""
    return {"b64": base64.b64encode(data).decode("ascii")}


def _pairs(node: Node, *, latin1: bool = False) -> list[Json]:
    found: list[Json] = []
    for item in node.items():
        parts = item.items()
        if len(parts) != 2:
            raise item.error(f"has {len(parts)} parts, but must be [name, value]")
        found.append([part.latin1() if latin1 else part.text() for part in parts])
    return found

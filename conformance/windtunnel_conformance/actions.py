"""Reading ``[[client]]`` and ``[session]``: what the client is asked to do.

Comes in: filled nodes. Goes out: ``Action`` values whose arguments are the JSON of the
adapter protocol. Must not know: peers and expectations.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

from windtunnel_conformance.case import Action
from windtunnel_conformance.values import Lets, resolve_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from windtunnel_conformance.case import Json
    from windtunnel_conformance.reading import Node

_Verb: TypeAlias = Literal[
    "request", "read", "close", "sleep", "wait_for", "signal", "group"
]
VERBS: Final[tuple[_Verb, ...]] = get_args(_Verb)
"""Every verb of a client action."""

_REQUEST_KEYS: Final = (
    "method", "url", "params", "headers", "body", "timeout", "decode", "read_as",
    "stream",
)  # fmt: skip
_BODY_KINDS: Final = ("text", "bytes", "json", "form", "chunks")
TIMEOUT_KEYS: Final = (
    "total", "connect", "sock_connect", "sock_read", "pool", "ceil_threshold",
)  # fmt: skip
"""Every deadline that a case can set."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")


@dataclass(slots=True)
class ActionReader:
    """Reads the actions of one variant and remembers their names.

    Attributes:
        lets: Named byte values, for bodies.
        names: Names of actions so far.
        streamed: Names of streamed requests so far.
    """

    lets: Lets
    names: list[str] = field(default_factory=list[str])
    streamed: list[str] = field(default_factory=list[str])

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
        verbs: list[_Verb] = [verb for verb in VERBS if verb in set(table)]
        if len(verbs) != 1:
            raise node.error(
                f"needs exactly one verb of: {', '.join(VERBS)}; it has {len(verbs)}"
            )
        verb = verbs[0]
        name = self._name(node, table, verb)
        argument = self._argument(verb, table[verb], name)
        return Action(name, verb, argument)

    def _name(self, node: Node, table: Mapping[str, Node], verb: _Verb) -> str:
        if "as" in table:
            name = table["as"].text()
            if not _NAME.fullmatch(name):
                raise table["as"].error(
                    f"{name!r} is no name (lower-case letters, digits and _)"
                )
        elif verb in ("request", "read"):
            raise node.error("the key 'as' is missing; it names the result")
        else:
            name = f"{verb}_{len(self.names)}"
        if name in self.names:
            raise node.error(f"a second action is named {name!r}")
        self.names.append(name)
        return name

    def _argument(self, verb: _Verb, node: Node, name: str) -> Json:
        match verb:
            case "request":
                return self._request(node, name)
            case "read" | "close":
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

    def _on(self, node: Node, verb: Literal["read", "close"]) -> Json:
        allowed = ("on", "size") if verb == "read" else ("on",)
        table = node.table(allowed, required=("on",))
        table["on"].choice(self.streamed)
        found: dict[str, Json] = {"on": table["on"].text()}
        if "size" in table:
            found["size"] = table["size"].integer(low=1)
        return found

    def _request(self, node: Node, name: str) -> Json:
        table = node.table(_REQUEST_KEYS, required=("method", "url"))
        found: dict[str, Json] = {
            "method": table["method"].text(),
            "url": table["url"].text(),
        }
        if "params" in table:
            found["params"] = _pairs(table["params"])
        if "headers" in table:
            found["headers"] = _pairs(table["headers"], latin1=True)
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
            case _:
                return {kind: base64_object(resolve_bytes(value, self.lets))}

    def _chunk(self, node: Node) -> Json:
        if node.is_table and "wait" in node.table(None):
            return {"wait": node.table(("wait",))["wait"].seconds()}
        return base64_object(resolve_bytes(node, self.lets))


def read_session(node: Node) -> dict[str, Json]:
    """Read ``[session]``."""
    table = node.table(("keepalive", "decode", "limit"))
    found: dict[str, Json] = {}
    for key in ("keepalive", "decode"):
        if key in table:
            found[key] = table[key].flag()
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

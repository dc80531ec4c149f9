"""Reading ``[[expect]]``: the acceptable outcomes of a variant.

Comes in: filled nodes. Goes out: ``Alternative`` values with every operator typed. Must
not know: how they are compared (``judge`` does that).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from windtunnel_conformance.acceptable import (
    Absent,
    Alternative,
    AnyOf,
    Capture,
    CaptureRef,
    Digest,
    Equal,
    EqualJson,
    Fields,
    Items,
    OptionalHeaders,
    Pattern,
    Prefix,
    SentFrame,
    SentRequest,
)
from windtunnel_conformance.case import Verdict
from windtunnel_conformance.errors import ERROR_CLASSES, suggestion
from windtunnel_conformance.frames import OPCODES
from windtunnel_conformance.reading import CAPTURE_CLOSE, CAPTURE_OPEN
from windtunnel_conformance.values import Lets, is_byte_table, resolve_bytes

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from windtunnel_conformance.acceptable import BodyPart, Matcher
    from windtunnel_conformance.case import Scalar
    from windtunnel_conformance.reading import Node

Kind: TypeAlias = Literal["bytes", "text", "latin1", "error", "status", "lists", "json"]
"""What a compared value is; decides how its expectation is written."""

GOT_KINDS: Final[Mapping[str, Kind]] = {
    "status": "status",
    "reason": "latin1",
    "http": "text",
    "url": "text",
    "history": "lists",
    "headers": "lists",
    "trailers": "lists",
    "raw_headers": "lists",
    "body": "bytes",
    "partial": "bytes",
    "text": "text",
    "json": "json",
    "error": "error",
    "messages": "json",
    "close_code": "json",
    "protocol": "text",
}
"""Every result key that an expectation can compare."""

_OPERATORS: Final = ("re", "prefix", "sha256", "any_of", "capture", "absent")
_VERDICTS: Final[Mapping[str, Literal[Verdict.PASS, Verdict.LENIENT, Verdict.INFO]]] = {
    "pass": Verdict.PASS,
    "lenient": Verdict.LENIENT,
    "info": Verdict.INFO,
}
_KEYS: Final = (
    "verdict", "note", "when", "at", "within", "got", "sent", "connections", "reused",
    "bytes_after", "extra_connections", "frames",
)  # fmt: skip
_SENT_KEYS: Final = (
    "peer", "line", "method", "target", "headers", "once", "absent", "body",
    "body_like", "raw",
)  # fmt: skip
_POINTS: Final = ("tls",)
_FIELD_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+")
_CAPTURED = re.compile(f"{CAPTURE_OPEN}([^{CAPTURE_CLOSE}]*){CAPTURE_CLOSE}")


def applies(node: Node, values: Mapping[str, Scalar], used: set[str]) -> bool:
    """Say whether the ``when`` of one alternative holds for a row.

    Args:
        node: The whole alternative.
        values: Columns of the row.
        used: Gets the names of the columns that ``when`` looks at.

    Raises:
        CaseError: ``when`` names no column, or compares with another type.
    """
    table = node.table(_KEYS, required=("verdict",))
    if "when" not in table:
        return True
    holds = True
    for name, wanted in table["when"].table(None).items():
        if name not in values:
            raise wanted.error(
                f"{name!r} is no column of [vary]{suggestion(name, values)} "
                f"(there: {', '.join(values) or 'none'})"
            )
        used.add(name)
        options = wanted.items() if wanted.is_array else [wanted]
        for option in options:
            if type(option.value) is not type(values[name]):
                raise option.error(f"is of another type than {values[name]!r}")
        if values[name] not in [option.value for option in options]:
            holds = False
    return holds


class AlternativeReader:
    """Reads the alternatives of one variant.

    Args:
        lets: Named byte values.
        actions: Names of all actions.
        origins: Names of all origins.
    """

    def __init__(
        self, lets: Lets, actions: Collection[str], origins: Collection[str]
    ) -> None:
        self._lets = lets
        self._actions = actions
        self._origins = origins

    def read(self, node: Node) -> Alternative:
        """Read one alternative.

        Raises:
            CaseError: A key, operator or name is wrong, a needed note is missing, or
                nothing is compared at all.
        """
        table = node.table(_KEYS, required=("verdict",))
        verdict = _VERDICTS[table["verdict"].choice(_VERDICTS)]
        note = table["note"].text() if "note" in table else ""
        if verdict is not Verdict.PASS and not note:
            raise node.error(f"a {verdict} alternative needs a 'note' that says why")
        if not {"got", "sent", "frames"} & table.keys():
            raise node.error("compares nothing; it needs 'got', 'sent' or 'frames'")
        if "within" in table and "at" not in table:
            raise table["within"].error("needs 'at'")
        return Alternative(
            verdict=verdict,
            note=note,
            at=table["at"].seconds() if "at" in table else None,
            within=table["within"].seconds() if "within" in table else 0.0,
            got=self._got(table["got"]) if "got" in table else {},
            sent=self._sent_list(table["sent"]) if "sent" in table else None,
            connections=table["connections"].integer(low=0)
            if "connections" in table
            else None,
            reused=table["reused"].flag() if "reused" in table else None,
            bytes_after={
                point: count.integer(low=0)
                for point, count in table["bytes_after"].table(_POINTS).items()
            }
            if "bytes_after" in table
            else {},
            extra_connections="extra_connections" in table
            and table["extra_connections"].flag(),
            frames=tuple(self._frame(item) for item in table["frames"].items())
            if "frames" in table
            else None,
        )

    def _frame(self, node: Node) -> SentFrame:
        table = node.table(("op", "fin", "rsv", "masked", "payload"), required=("op",))
        payload = table.get("payload")
        return SentFrame(
            table["op"].choice(OPCODES),
            table["fin"].flag() if "fin" in table else None,
            table["rsv"].integer(low=0, high=7) if "rsv" in table else None,
            table["masked"].flag() if "masked" in table else None,
            None if payload is None else self._matcher(payload, "bytes"),
        )

    def _got(self, node: Node) -> dict[str, Mapping[str, Matcher]]:
        found: dict[str, Mapping[str, Matcher]] = {}
        for name, result in node.table(None).items():
            if name not in self._actions:
                raise result.error(
                    f"no action is named {name!r}{suggestion(name, self._actions)} "
                    f"(there: {', '.join(self._actions)})"
                )
            found[name] = {
                key: self._got_value(key, value)
                for key, value in result.table(GOT_KINDS).items()
            }
        return found

    def _got_value(self, key: str, node: Node) -> Matcher:
        if key in ("headers", "trailers") and not _is_operator(node):
            return Fields(self._fields(node))
        return self._matcher(node, GOT_KINDS[key])

    def _fields(self, node: Node) -> dict[str, Matcher]:
        found: dict[str, Matcher] = {}
        for name, value in node.table(None).items():
            if not _FIELD_NAME.fullmatch(name):
                raise value.error(f"{name!r} is no field name in lower case")
            found[name] = self._matcher(value, "latin1")
        return found

    # --- requests on the wire ------------------------------------------------------

    def _sent_list(self, node: Node) -> tuple[SentRequest, ...]:
        return tuple(self._sent(item) for item in node.items())

    def _sent(self, node: Node) -> SentRequest:
        table = node.table(_SENT_KEYS)

        def optional(key: str, kind: Kind) -> Matcher | None:
            return self._matcher(table[key], kind) if key in table else None

        if "body" in table and "body_like" in table:
            raise table["body_like"].error("'body' is there already")
        return SentRequest(
            peer=table["peer"].choice(self._origins) if "peer" in table else None,
            line=optional("line", "latin1"),
            method=optional("method", "latin1"),
            target=optional("target", "latin1"),
            headers=self._fields(table["headers"]) if "headers" in table else {},
            once=self._fields(table["once"]) if "once" in table else {},
            absent=tuple(field_name(item) for item in table["absent"].items())
            if "absent" in table
            else (),
            body=optional("body", "bytes"),
            body_like=self._template(table["body_like"])
            if "body_like" in table
            else (),
            raw=optional("raw", "bytes"),
        )

    def _template(self, node: Node) -> tuple[BodyPart, ...]:
        parts: list[BodyPart] = []
        for item in node.items():
            if isinstance(item.value, str):
                parts.extend(_split_captures(item))
            elif item.is_table and not is_byte_table(item.value):
                kind, value = item.single(("optional_headers", "re"))
                if kind == "re":
                    parts.append(_pattern(value))
                else:
                    parts.append(OptionalHeaders(value.texts()))
            else:
                parts.append(resolve_bytes(item, self._lets))
        if not parts:
            raise node.error("is empty")
        return tuple(parts)

    # --- operators -------------------------------------------------------------------

    def _matcher(self, node: Node, kind: Kind) -> Matcher:
        if kind == "json" and not _is_operator(node):
            return EqualJson(node.json())
        if _is_operator(node):
            return self._operator(node, kind)
        if node.is_array and kind in ("lists", "latin1"):
            return Items(tuple(self._matcher(item, kind) for item in node.items()))
        return self._plain(node, kind)

    def _plain(self, node: Node, kind: Kind) -> Matcher:
        match kind:
            case "bytes":
                return Equal(resolve_bytes(node, self._lets))
            case "latin1":
                value: int | str = self._latin1(node)
            case "text":
                value = node.text()
            case "error":
                value = error_class(node)
            case "status":
                value = node.integer(low=0, high=99999)
            case _:
                value = _number_or_text(node)
        return Equal(value)

    def _latin1(self, node: Node) -> str:
        if is_byte_table(node.value):
            return resolve_bytes(node, self._lets).decode("latin-1")
        return node.latin1()

    def _operator(self, node: Node, kind: Kind) -> Matcher:
        table = node.table((*_OPERATORS, "len"))
        names = [name for name in _OPERATORS if name in table]
        if len(names) != 1 or ("len" in table) != (names == ["sha256"]):
            raise node.error(
                f"needs exactly one of {', '.join(_OPERATORS)}; sha256 goes with len"
            )
        value = table[names[0]]
        match names[0]:
            case "re":
                return _pattern(value)
            case "prefix":
                return Prefix(resolve_bytes(value, self._lets))
            case "sha256":
                return _digest(value, table["len"])
            case "any_of":
                options = tuple(self._matcher(item, kind) for item in value.items())
                if not options:
                    raise value.error("has no options")
                return AnyOf(options)
            case "capture":
                return Capture(value.text())
            case _:
                if not value.flag():
                    raise value.error("is false; leave the key out instead")
                return Absent()


def field_name(node: Node) -> str:
    """Read a field name in lower case."""
    name = node.text()
    if not _FIELD_NAME.fullmatch(name):
        raise node.error(f"{name!r} is no field name in lower case")
    return name


def error_class(node: Node) -> str:
    """Read a class of the error tree."""
    name = node.text()
    if name not in ERROR_CLASSES:
        raise node.error(
            f"{name!r} is no class of the error tree{suggestion(name, ERROR_CLASSES)} "
            f"(allowed: {', '.join(sorted(ERROR_CLASSES))})"
        )
    return name


def _number_or_text(node: Node) -> int | str:
    value = node.json()
    if isinstance(value, int | str):
        return value
    raise node.error("must be a number, a string or a list of them")


def _is_operator(node: Node) -> bool:
    return node.is_table and not set(_OPERATORS).isdisjoint(node.table(None))


def _pattern(node: Node) -> Pattern:
    text = node.latin1()
    try:
        # It is matched against bytes, where \u and \N are no escapes.
        re.compile(text.encode("latin-1"))
    except re.error as exc:
        raise node.error(f"is no regular expression: {exc}") from exc
    return Pattern(text)


def _digest(node: Node, length: Node) -> Digest:
    text = node.text()
    if not re.fullmatch("[0-9a-f]{64}", text):
        raise node.error("must be 64 lower-case hex digits")
    return Digest(text, length.integer(low=0))


def _split_captures(node: Node) -> list[BodyPart]:
    parts: list[BodyPart] = []
    pieces = _CAPTURED.split(node.text())
    for index, piece in enumerate(pieces):
        if index % 2:
            parts.append(CaptureRef(piece))
        elif piece:
            parts.append(node.same_place(piece).latin1().encode("latin-1"))
    return parts

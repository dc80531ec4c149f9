"""One line of the JSON-lines protocol: bytes to checked object, and object to bytes.

Knows the shape of messages and nothing of processes. What an adapter wrote is
outside data: it is checked here, once, and everybody behind may trust the types.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

from windtunnel_conformance.adapters.base import (
    PROTOCOL_VERSION,
    AdapterError,
    Description,
    RunResult,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from windtunnel_conformance.adapters.base import JsonObject
    from windtunnel_conformance.case import Json

_SHOWN_BYTES = 40

_DESCRIBE_KEYS: dict[str, tuple[type, ...]] = {
    "protocol": (int,),
    "client": (dict,),
    "capabilities": (list,),
}
_RESULT_KEYS: dict[str, tuple[type, ...]] = {
    "status": (int,),
    "reason": (str,),
    "http": (str,),
    "url": (str,),
    "history": (list,),
    "headers": (list,),
    "raw_headers": (list,),
    "trailers": (list,),
    "body": (str, dict),
    "partial": (str, dict),
    "text": (str,),
    "messages": (list,),
    "close_code": (int, type(None)),
    "close_reason": (str,),
    "protocol": (str,),
    "reused": (bool,),
    "error": (dict, type(None)),
    "t": (list,),
}


def encode_line(message: Mapping[str, object]) -> bytes:
    """Print one message as one line of UTF-8 JSON."""
    text = json.dumps(message, ensure_ascii=True, separators=(",", ":"))
    return text.encode("ascii") + b"\n"


def decode_line(line: bytes) -> JsonObject:
    """Read one line.

    Raises:
        AdapterError: ``adapter.protocol``; not JSON, not an object, or no ``op``.
    """
    try:
        value: Json = json.loads(line)
    except (ValueError, RecursionError) as exc:
        raise _refusal(f"line {line[:_SHOWN_BYTES]!r} is not JSON ({exc})") from exc
    if not isinstance(value, dict):
        raise _refusal(f"line {line[:_SHOWN_BYTES]!r} is not a JSON object")
    if not isinstance(value.get("op"), str):
        raise _refusal(f"object {line[:_SHOWN_BYTES]!r} has no 'op' text")
    return value


def check_description(message: JsonObject) -> Description:
    """Check an answer to ``describe`` and fill in what may be left out.

    Raises:
        AdapterError: ``adapter.protocol``; names the key that is wrong.
    """
    if message["op"] != "describe":
        raise _refusal(f"op {message['op']!r} came in answer to 'describe'")
    for key, kinds in _DESCRIBE_KEYS.items():
        _check_kind("describe", message, key, kinds, required=True)
    if message["protocol"] != PROTOCOL_VERSION:
        raise _refusal(
            f"protocol {message['protocol']!r}: this runner speaks {PROTOCOL_VERSION}"
        )
    client = message["client"]
    if not isinstance(client, dict) or not isinstance(client.get("name"), str):
        raise _refusal("describe: 'client' has no 'name' text")
    filled: JsonObject = {
        "unsupported_fields": [],
        "clock": "real",
        "min_timeout_ms": 1,
        "timeout_step_ms": 1,
        "max_parallel": 1,
        "defaults": {},
        **message,
        "client": {"version": "", "runtime": "", **client},
    }
    return cast("Description", filled)


def check_result(message: JsonObject) -> RunResult:
    """Check an answer to ``run``.

    Raises:
        AdapterError: ``adapter.protocol``; names the action and the key.
    """
    if message["op"] == "error":
        raise _refusal(f"the adapter answered an error: {message.get('message', '')}")
    if message["op"] != "result":
        raise _refusal(f"op {message['op']!r} came in answer to 'run'")
    results = message.setdefault("results", {})
    if not isinstance(results, dict):
        raise _refusal("result: 'results' is not an object")
    for name, result in results.items():
        if not isinstance(result, dict):
            raise _refusal(f"result: 'results.{name}' is not an object")
        for key, kinds in _RESULT_KEYS.items():
            _check_kind(f"results.{name}", result, key, kinds, required=False)
        _check_error(name, result.get("error"))
        _check_times(name, result.get("t"))
    _check_kind("result", message, "unsupported", (str,), required=False)
    return cast("RunResult", message)


def _check_kind(
    where: str,
    message: JsonObject,
    key: str,
    kinds: tuple[type, ...],
    *,
    required: bool,
) -> None:
    if key not in message and not required:
        return
    value = message.get(key)
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        allowed = " or ".join(kind.__name__ for kind in kinds)
        raise _refusal(
            f"{where}: {key!r} is {str(value)[:_SHOWN_BYTES]!r}, not {allowed}"
        )


def _check_error(name: str, error: Json) -> None:
    if not isinstance(error, dict):
        return
    for key in ("class", "raw", "message", "phase"):
        _check_kind(f"results.{name}.error", error, key, (str,), required=False)


def _check_times(name: str, times: Json) -> None:
    if times is None:
        return
    numbers = [
        one
        for one in (times if isinstance(times, list) else [])
        if isinstance(one, (int, float)) and not isinstance(one, bool)
    ]
    if len(numbers) != 2 or times != numbers:
        raise _refusal(f"results.{name}: 't' is not two numbers [start, end]")


def _refusal(message: str) -> AdapterError:
    return AdapterError("adapter.protocol", message)

"""Plays an action list on a client in this process and collects what it reported.

In: the actions of a ``RunRequest`` and a ``Driver``, the few verbs that differ from
client to client. Out: results by action name. Knows nothing of peers, expectations or
any client's classes; an exception of the client is a result like any other.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from windtunnel_conformance.adapters.base import UnsupportedActionError, given_bytes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from windtunnel_conformance.adapters.base import (
        ActionResult,
        ErrorReport,
        JsonObject,
    )
    from windtunnel_conformance.adapters.signals import Signals
    from windtunnel_conformance.case import Json


class Driver(Protocol):
    """One session of one client; lives as long as one run."""

    async def request(
        self, name: str, fields: JsonObject, result: ActionResult
    ) -> None:
        """Send one request and fill ``result`` as things become known.

        What is filled in when the client raises stays in the report, so the status
        goes in before the body is read. With ``stream`` the response is kept open
        under ``name`` and no body is read.
        """
        ...

    async def read(self, name: str, size: int | None, result: ActionResult) -> None:
        """Read ``size`` bytes, or to the end, of the response kept as ``name``."""
        ...

    async def close(self, name: str, fields: JsonObject, result: ActionResult) -> None:
        """Give up the response, or close the WebSocket, kept as ``name``."""
        ...

    async def websocket(
        self, verb: str, name: str, fields: JsonObject, result: ActionResult
    ) -> None:
        """Do ``ws``, ``send`` or ``recv`` on the WebSocket kept as ``name``."""
        ...


class Conversation:
    """One action list on one driver, timed by the running loop's clock."""

    def __init__(self, driver: Driver, signals: Signals, scale: float) -> None:
        self._driver = driver
        self._signals = signals
        self._scale = scale
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._failed: set[str] = set()
        self.results: dict[str, ActionResult] = {}

    async def play(self, actions: Iterable[Json]) -> None:
        """Perform the actions in order; one that fails does not stop the next.

        Raises:
            UnsupportedActionError: The client cannot express one of them.
        """
        for action in actions:
            if not isinstance(action, dict):
                raise TypeError(f"action {str(action)[:40]!r} is not an object")
            await self._perform(action)

    async def _perform(self, action: JsonObject) -> None:
        name = text_field(action, "as")
        verb, argument = _verb_of(action)
        if isinstance(argument, dict) and argument.get("on") in self._failed:
            return
        result: ActionResult = {}
        self.results[name] = result
        start = self._loop.time() - self._began
        try:
            await self._dispatch(name, verb, argument, result)
        except UnsupportedActionError:
            raise
        except Exception as exc:  # noqa: BLE001  # whatever a client raises is its report
            self._failed.add(name)
            report = describe_error(exc)
            if "status" in result:
                report["phase"] = "body"
            result["error"] = report
        result["t"] = [start, self._loop.time() - self._began]

    async def _dispatch(
        self, name: str, verb: str, argument: Json, result: ActionResult
    ) -> None:
        match verb, argument:
            case "request", dict():
                await self._driver.request(name, argument, result)
            case "read", dict():
                size = argument.get("size")
                await self._driver.read(
                    text_field(argument, "on"),
                    size if isinstance(size, int) else None,
                    result,
                )
            case "close", dict():
                await self._driver.close(text_field(argument, "on"), argument, result)
            case (("ws" | "send" | "recv"), dict()):
                kept = name if verb == "ws" else text_field(argument, "on")
                await self._driver.websocket(verb, kept, argument, result)
            case "sleep", int() | float():
                await asyncio.sleep(argument * self._scale)
            case "wait_for", str():
                await self._signals.wait(argument)
            case "signal", str():
                self._signals.set(argument)
            case "group", list():
                async with asyncio.TaskGroup() as group:
                    for inner in argument:
                        actions = inner if isinstance(inner, list) else [inner]
                        group.create_task(self.play(actions))
            case _:
                raise UnsupportedActionError(f"action {verb!r} is not known here")


def describe_error(exc: BaseException) -> ErrorReport:
    """Report a client's exception by the name a user would catch it with."""
    public = next(
        kind for kind in type(exc).__mro__ if not kind.__name__.startswith("_")
    )
    message = str(exc)
    return {"raw": f"{public.__name__}: {message}", "message": message}


def text_field(fields: JsonObject, key: str) -> str:
    """Take a text field that the case format guarantees.

    Raises:
        ValueError: It is not there or not text.
    """
    value = fields.get(key)
    if not isinstance(value, str):
        raise ValueError(f"action field {key!r} is {str(value)[:40]!r}, not text")
    return value


def pairs(value: Json) -> list[tuple[str, str]]:
    """Read ``[[name, value], ...]``; numbers become their text.

    Raises:
        ValueError: It is not a list of pairs.
    """
    items = value if isinstance(value, list) else [value]
    found: list[tuple[str, str]] = []
    for item in items:
        if not isinstance(item, list) or len(item) != 2:
            raise ValueError(f"{str(item)[:40]!r} is not a pair [name, value]")
        found.append((str(item[0]), str(item[1])))
    return found


async def timed_chunks(parts: Json, scale: float) -> AsyncIterator[bytes]:
    """Produce a request body piece by piece, with the case's pauses between."""
    for part in parts if isinstance(parts, list) else [parts]:
        if isinstance(part, dict) and "wait" in part:
            seconds = part["wait"]
            await asyncio.sleep(
                seconds * scale if isinstance(seconds, (int, float)) else 0
            )
        else:
            yield given_bytes(part)


def _verb_of(action: JsonObject) -> tuple[str, Json]:
    for key, value in action.items():
        if key != "as":
            return key, value
    raise ValueError(f"action {action.get('as')!r} has no verb")

"""What a session keeps of earlier requests must not be seen in later ones."""

from __future__ import annotations

import ssl
from enum import Enum
from typing import TYPE_CHECKING, Any

import pytest

from tests.client.support import URL, answering, play

if TYPE_CHECKING:
    import windtunnel
    from windtunnel_fakeserver import Tunnel

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Word(str, Enum):  # noqa: UP042  # StrEnum prints its value
    """Text that is printed as its name, not as its value."""

    ONE = "1"


def sent_fields(name: str, *calls: dict[str, Any], **session_options: Any) -> list[Any]:
    """Give the values of one field in the requests of several calls."""

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> list[Any]:
        for call in calls:
            for key, value in call.pop("session_headers", {}).items():
                session.headers[key] = value
            async with session.get(URL, **call) as response:
                await response.read()
        return [each.request.header(name) for each in tunnel.journal.exchanges]

    found: list[Any] = play(answering(*[OK] * len(calls)), main=main, **session_options)
    return found


def test_equal_headers_of_calls_are_sent_each_time() -> None:
    calls = [{"headers": {"A": value}} for value in "1121"]
    assert sent_fields("A", *calls) == list("1121")


def test_a_mapping_that_changes_between_calls_is_sent_as_it_is_then() -> None:
    fields = {"A": "1"}

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        for value in "12":
            fields["A"] = value
            await (await session.get(URL, headers=fields)).read()
        exchanges = tunnel.journal.exchanges
        assert [each.request.header("A") for each in exchanges] == ["1", "2"]

    play(answering(OK, OK), main=main)


def test_a_change_of_the_sessions_headers_reaches_calls_with_headers_of_their_own() -> (
    None
):
    calls: list[dict[str, Any]] = [
        {"headers": {"B": "1"}},
        {"headers": {"B": "1"}, "session_headers": {"A": "2"}},
    ]
    assert sent_fields("A", *calls, headers={"A": "1"}) == ["1", "2"]


def test_more_headers_than_are_kept_are_all_right() -> None:
    values = [str(number) for number in range(40)]
    assert sent_fields("A", *[{"headers": {"A": each}} for each in values]) == values


def test_pairs_and_names_to_skip_are_read_each_time() -> None:
    calls: list[dict[str, Any]] = [
        {"headers": [("A", "1")]},
        {"headers": {"A": "2"}, "skip_auto_headers": ["Accept"]},
    ]
    assert sent_fields("A", *calls) == ["1", "2"]


def test_text_that_prints_as_something_else_is_sent_as_what_it_is() -> None:
    calls = [{"headers": {"A": value}} for value in (Word.ONE, "1")]
    assert sent_fields("A", *calls) == ["1", "1"]


@pytest.mark.parametrize("value", [[], 5], ids=["unhashable", "number"])
def test_a_value_that_is_no_text_is_refused_whatever_was_sent_before(
    value: Any,
) -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        await (await session.get(URL, headers={"A": "5"})).read()
        with pytest.raises(TypeError, match=r"is a .*, not a str"):
            await session.get(URL, headers={"A": value})

    play(answering(OK), main=main)


def test_each_way_of_verifying_keeps_its_own_connections() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        contexts = [ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) for _ in range(18)]
        settings: list[Any] = [True, False, *contexts, True, contexts[0]]
        for context in settings:
            await (await session.get(URL, ssl=context)).read()
        assert len(tunnel.journal.connections) == 20

    async def serve(wire: Any) -> None:
        while await wire.read_some():
            await wire.send(OK)

    play(*[serve] * 20, main=main)

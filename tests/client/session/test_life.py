"""The life of a session: its loop, attributes of its own, and being forgotten."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
from typing import Any

import pytest

import windtunnel
from tests.client.support import URL, answering, play
from windtunnel._session.life import set_and_warn

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def test_a_session_used_in_another_loop_says_so() -> None:
    async def make() -> windtunnel.ClientSession:
        return windtunnel.ClientSession()

    async def use(session: windtunnel.ClientSession) -> None:
        with pytest.raises(RuntimeError, match="belongs to another event loop"):
            await session.get(URL)
        with pytest.raises(RuntimeError, match="belongs to another event loop"):
            await session.ws_connect(URL)
        await session.close()

    session = asyncio.run(make())
    asyncio.run(use(session))
    assert session.closed


def test_a_session_can_be_made_before_its_loop_runs() -> None:
    loop = asyncio.new_event_loop()
    session = windtunnel.ClientSession(loop=loop)
    other = windtunnel.ClientSession(connector=session.connector, connector_owner=False)
    with pytest.warns(DeprecationWarning, match=r"ClientSession\.loop"):
        assert session.loop is other.loop is loop
    other.detach()
    loop.run_until_complete(session.close())
    loop.close()


def test_a_loop_and_a_connector_of_another_one_are_refused() -> None:
    async def main() -> None:
        loop = asyncio.new_event_loop()
        async with windtunnel.TCPConnector() as connector:
            with pytest.raises(RuntimeError, match="same event loop"):
                windtunnel.ClientSession(loop=loop, connector=connector)
        loop.close()

    asyncio.run(main())


def test_a_subclass_is_discouraged() -> None:
    with pytest.warns(DeprecationWarning, match="Inheritance class Mine from") as told:
        type("Mine", (windtunnel.ClientSession,), {})
    assert told[0].filename == __file__


def test_an_attribute_of_ones_own_is_kept_and_warned_about_while_developing() -> None:
    async def main() -> None:
        async with windtunnel.ClientSession() as session:
            mine: Any = session
            mine.remark = 1
            assert mine.remark == 1
            with pytest.warns(DeprecationWarning, match=r"ClientSession\.remark"):
                set_and_warn(session, "remark", 2)
            set_and_warn(session, "_retry_connection", False)
            assert mine.remark == 2
            assert not session.retry_connection

    asyncio.run(main())


def test_development_mode_turns_that_warning_on() -> None:
    program = (
        "import asyncio, warnings, windtunnel\n"
        "async def main():\n"
        "    async with windtunnel.ClientSession() as session:\n"
        "        with warnings.catch_warnings(record=True) as told:\n"
        "            session.remark = 1\n"
        "            session._retry_connection = False\n"
        "        print(*[each.message for each in told])\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-c", program],
        capture_output=True,
        text=True,
        check=True,
    )
    assert (
        done.stdout == "Setting custom ClientSession.remark attribute is discouraged\n"
    )


def test_the_switch_of_test_tools_turns_the_retry_off() -> None:
    async def gone(wire: Any) -> None:
        await wire.read_request()
        wire.close()

    async def main(session: windtunnel.ClientSession, tunnel: Any) -> None:
        tool: Any = session
        assert tool._retry_connection is True  # what the tools set
        tool._retry_connection = False  # what the tools set
        assert session.retry_connection is False
        with pytest.raises(windtunnel.ServerDisconnectedError):
            await session.get(URL)
        session.cookie_jar.update_cookies({"a": "1"})
        with pytest.raises(windtunnel.ServerDisconnectedError):
            await session.get(URL)

    play(gone, gone, main=main)


def test_who_forgets_a_session_is_told_where_it_was_made_in_debug_mode() -> None:
    told: list[dict[str, Any]] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_debug(True)
        loop.set_exception_handler(lambda _, context: told.append(context))
        sessions = [windtunnel.ClientSession()]
        with pytest.warns(ResourceWarning, match="Unclosed client session"):
            sessions.clear()
        gc.collect()

    asyncio.run(main())
    assert told[0]["message"] == "Unclosed client session"
    assert told[0]["source_traceback"][-1].filename == __file__


def test_everybody_can_see_what_a_session_is_made_of() -> None:
    async def main() -> None:
        async with windtunnel.ClientSession(
            version=windtunnel.HttpVersion10
        ) as session:
            assert session.version == windtunnel.HttpVersion10
            assert {"_connector", "_terms", "requote_redirect_url"} <= session.ATTRS
            with pytest.warns(DeprecationWarning, match="requote_redirect_url"):
                session.requote_redirect_url = False
            assert session.requote_redirect_url is False

    asyncio.run(main())


# --- one request --------------------------------------------------------------------


def test_one_request_has_a_session_of_its_own() -> None:
    seen: list[bytes] = []

    async def script(wire: Any) -> None:
        seen.append((await wire.read_request()).raw)
        await wire.send(OK)

    async def main(session: windtunnel.ClientSession, tunnel: Any) -> None:
        async with windtunnel.request("POST", URL, data=b"body") as response:
            assert await response.text() == "ok"
        version = windtunnel.HttpVersion10
        async with windtunnel.request("GET", URL, version=version) as response:
            assert response.status == 200

    play(script, script, main=main)
    assert b"\r\nConnection: close\r\n" in seen[0]
    assert seen[1].startswith(b"GET / HTTP/1.0\r\n")


def test_one_request_leaves_a_given_connector_open() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Any) -> None:
        connector = session.connector
        assert connector is not None
        for _ in range(2):
            async with windtunnel.request("GET", URL, connector=connector) as response:
                assert await response.read() == b"ok"
        assert not connector.closed

    play(answering(OK, OK, then_close=False), main=main)


def test_one_request_that_fails_leaves_nothing_open() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Any) -> None:
        with pytest.raises(windtunnel.ClientConnectorDNSError):
            async with windtunnel.request("GET", "http://nowhere.test/"):
                pass

    play(main=main)


def test_one_request_cannot_be_awaited() -> None:
    one: Any = windtunnel.request("GET", URL)

    async def main() -> None:
        with pytest.raises(TypeError, match="await"):
            await one

    asyncio.run(main())

"""The names of keyword arguments: what is none of them is a mistake at the call."""

from __future__ import annotations

import asyncio
import warnings
from typing import Any

import pytest

import windtunnel
from windtunnel._session.call import Call
from windtunnel._session.options import REQUEST_NAMES

VERBS = ["get", "options", "head", "post", "put", "patch", "delete", "ws_connect"]


@pytest.mark.parametrize("verb", VERBS)
def test_a_wrong_name_is_refused_at_the_call_and_nothing_is_left_unawaited(
    verb: str,
) -> None:
    async def main() -> None:
        async with windtunnel.ClientSession() as session:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                text = rf"^ClientSession\.{verb}\(\) got an unexpected .* 'foo'$"
                with pytest.raises(TypeError, match=text):
                    getattr(session, verb)("http://a.test/", foo=1)

    asyncio.run(main())


def test_the_nearest_name_is_shown() -> None:
    wrong: Any = {"allow_redirect": True}

    async def main() -> None:
        async with windtunnel.ClientSession() as session:
            with pytest.raises(TypeError, match="did you mean 'allow_redirects'"):
                session.request("GET", "http://a.test/", **wrong)
        with pytest.raises(TypeError, match=r"^request\(\) got an unexpected"):
            windtunnel.request("GET", "http://a.test/", **wrong)

    asyncio.run(main())


def test_the_request_below_the_verbs_knows_its_names_too() -> None:
    async def main() -> None:
        async with windtunnel.ClientSession() as session:
            # What wrappers call.
            below: Any = session
            with pytest.raises(TypeError, match=r"ClientSession\._request\(\) got"):
                await below._request("GET", "http://a.test/", foo=1)

    asyncio.run(main())


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"read_timeout": 5}, "'read_timeout'"),
        ({"conn_timeout": 5}, "'conn_timeout'"),
        ({"ssl_shutdown_timeout": 5}, "ssl_shutdown_timeout"),
    ],
    ids=["read_timeout", "conn_timeout", "ssl_shutdown_timeout"],
)
def test_an_old_argument_of_the_session_is_warned_about(
    options: dict[str, Any], text: str
) -> None:
    async def main() -> None:
        with pytest.warns(DeprecationWarning, match=text) as told:
            session = windtunnel.ClientSession(**options)
        assert told[0].filename == __file__
        await session.close()

    asyncio.run(main())


def test_old_timeouts_take_their_place_in_the_new_one() -> None:
    async def main() -> None:
        with pytest.warns(DeprecationWarning, match="_timeout"):
            session = windtunnel.ClientSession(read_timeout=7, conn_timeout=5)
        assert session.timeout == windtunnel.ClientTimeout(
            total=7, connect=5, sock_connect=30
        )
        await session.close()
        with pytest.warns(DeprecationWarning, match="_timeout"):
            session = windtunnel.ClientSession(conn_timeout=5)
        assert session.timeout.total == 300
        await session.close()

    asyncio.run(main())


@pytest.mark.parametrize("name", ["read_timeout", "conn_timeout"])
def test_an_old_timeout_beside_the_new_one_is_refused(name: str) -> None:
    options: Any = {name: 5, "timeout": windtunnel.ClientTimeout()}

    async def main() -> None:
        with pytest.raises(ValueError, match=f"{name} and timeout"):
            windtunnel.ClientSession(**options)

    asyncio.run(main())


def test_every_argument_has_a_default() -> None:
    assert set(Call.__annotations__) == REQUEST_NAMES
    assert all(hasattr(Call, name) for name in REQUEST_NAMES)

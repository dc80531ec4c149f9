"""aiohttp-retry: a client that asks a flaky service again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp
import pytest
from aiohttp_retry import ExponentialRetry, ListRetry, RetryClient

from windtunnel_fakeserver import Reply, Reset

if TYPE_CHECKING:
    from aiohttp import ClientResponse

    from pytest_windtunnel import WindTunnel


async def test_a_busy_service_is_asked_again_with_growing_pauses(
    windtunnel: WindTunnel,
) -> None:
    server = windtunnel.host("http://api.test")
    route = server.expect("GET", "/report").reply(
        Reply(503), Reply(500), Reply(200, json={"rows": 3})
    )
    options = ExponentialRetry(attempts=5, start_timeout=10, max_timeout=30)

    async with (
        RetryClient(retry_options=options, raise_for_status=True) as client,
        client.get(server.url("/report"), params={"year": 2026}) as response,
    ):
        assert response.status == 200
        assert await response.json() == {"rows": 3}

    assert route.count == 3
    assert route.last.target == "/report?year=2026"
    assert windtunnel.clock.elapsed == pytest.approx(20 + 30, abs=0.1)


async def test_a_post_is_sent_again_when_the_connection_breaks(
    windtunnel: WindTunnel,
) -> None:
    server = windtunnel.host("http://api.test")
    route = server.expect("POST", "/orders").reply(
        Reply(fault=Reset(at="response_head")), Reply(201, json={"id": 7})
    )
    options = ListRetry(timeouts=[1, 1], exceptions={aiohttp.ClientConnectionError})

    async with aiohttp.ClientSession() as session:
        client = RetryClient(client_session=session, retry_options=options)
        async with client.post(server.url("/orders"), json={"item": "fan"}) as response:
            assert (response.status, await response.json()) == (201, {"id": 7})

    assert route.count == 2
    assert route.last.json() == {"item": "fan"}


async def test_a_callback_looks_at_the_body_and_a_trace_at_each_attempt(
    windtunnel: WindTunnel,
) -> None:
    server = windtunnel.host("http://api.test")
    server.expect("GET", "/job").reply(
        Reply(200, json={"state": "running"}), Reply(200, json={"state": "done"})
    )
    attempts: list[int] = []

    async def is_done(response: ClientResponse) -> bool:
        return bool((await response.json())["state"] == "done")

    async def note(_session: object, context: object, _params: object) -> None:
        asked = context.trace_request_ctx  # type: ignore[attr-defined]  # a namespace
        attempts.append(asked["current_attempt"])

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(note)
    options = ExponentialRetry(attempts=3, evaluate_response_callback=is_done)
    async with RetryClient(trace_configs=[trace], retry_options=options) as client:
        response = await client.get(server.url("/job"))
        assert (await response.json())["state"] == "done"

    assert attempts == [1, 2]


async def test_the_last_error_is_raised_when_all_attempts_fail(
    windtunnel: WindTunnel,
) -> None:
    server = windtunnel.host("http://api.test")
    server.expect("GET", "/").reply(Reply(503), Reply(503))

    async with RetryClient(
        retry_options=ExponentialRetry(attempts=2), raise_for_status=True
    ) as client:
        with pytest.raises(aiohttp.ClientResponseError) as info:
            await client.get(server.url("/"))

    assert info.value.status == 503

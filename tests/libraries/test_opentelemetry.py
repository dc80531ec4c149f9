"""OpenTelemetry: spans of requests, through the tracing signals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp
import pytest
from opentelemetry.instrumentation.aiohttp_client import AioHttpClientInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from windtunnel_fakeserver import Reply, Reset

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_windtunnel import WindTunnel


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    """What was recorded, with every session made meanwhile instrumented."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    instrumentor = AioHttpClientInstrumentor()
    instrumentor.instrument(tracer_provider=provider)
    yield exporter
    instrumentor.uninstrument()


async def test_a_request_is_a_span_whose_context_travels_with_it(
    windtunnel: WindTunnel, spans: InMemorySpanExporter
) -> None:
    server = windtunnel.host("http://api.test")
    route = server.expect("GET", "/users").reply(Reply(200, json=[]))

    async with (
        aiohttp.ClientSession() as session,
        session.get(server.url("/users"), params={"page": 2}) as response,
    ):
        assert await response.json() == []

    (span,) = spans.get_finished_spans()
    assert span.name == "GET"
    assert span.attributes is not None
    assert span.attributes["http.status_code"] == 200
    assert span.attributes["http.url"] == "http://api.test/users?page=2"
    assert span.context is not None
    sent = route.last.header("traceparent")
    assert sent is not None
    assert sent.split("-")[1] == f"{span.context.trace_id:032x}"


async def test_failures_are_spans_with_an_error(
    windtunnel: WindTunnel, spans: InMemorySpanExporter
) -> None:
    server = windtunnel.host("http://api.test")
    server.expect("POST", "/").reply(Reply(fault=Reset(at="response_head")), Reply(503))

    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientOSError):
            await session.post(server.url("/"))
        async with session.post(server.url("/")) as response:
            assert response.status == 503

    broken, refused = spans.get_finished_spans()
    assert broken.status.status_code is StatusCode.ERROR
    assert broken.events[0].name == "exception"
    assert refused.status.status_code is StatusCode.ERROR
    assert refused.attributes is not None
    assert refused.attributes["http.status_code"] == 503

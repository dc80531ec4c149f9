"""What is measured, how much of it, and what this client promises."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tests.bench.work import bodies, messages, websockets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.bench.work import Workload


@dataclass(frozen=True, slots=True)
class Scenario:
    """One workload.

    Attributes:
        name: Short name for the command line and the JSON.
        title: What a reader of the table sees.
        unit: What one operation is: "request", "message" or "MiB".
        run: The workload; takes the bench, and how many operations.
        amount: Operations in a full round.
        quick_amount: Operations in a quick round.
        warm_up: Operations before the clock starts.
        gate: How many times less CPU per operation than aiohttp this client must take;
            None promises nothing.
        bounded: Whether the peak memory of the process is held to a bound.
        counted: Operations whose instructions are counted, 0 for none.
        repeats: Processes per client and round. A download costs aiohttp up to twice
            as much in one process as in another, as its heap happens to lie.
        connector: Arguments of the session's ``TCPConnector``.
        without: Modules that cannot be imported, as if they were not installed.
    """

    name: str
    title: str
    unit: str
    run: Workload
    amount: int
    quick_amount: int
    warm_up: int
    gate: float | None = None
    bounded: bool = False
    counted: int = 0
    repeats: int = 1
    connector: Mapping[str, Any] = field(default_factory=dict[str, Any])
    without: tuple[str, ...] = ()


SCENARIOS: Final = {
    scenario.name: scenario
    for scenario in (
        Scenario(
            "get-50", "small GET, 50 at once", "request",
            messages.get_concurrent, 10_000, 2_500, 500, gate=2.5, counted=500,
        ),
        Scenario(
            "get", "small GET, one by one", "request",
            messages.get_sequential, 3_000, 1_000, 100, gate=1.6, counted=400,
        ),
        Scenario(
            "post-json", "POST and decode JSON, 6 headers", "request",
            messages.post_json, 2_500, 1_000, 100, gate=1.5, counted=400,
        ),
        Scenario(
            "get-tls", "small GET over TLS", "request",
            messages.get_tls, 3_000, 1_000, 100, gate=1.4, counted=400,
        ),
        Scenario(
            "new-connection", "small GET, new connection each", "request",
            messages.get_sequential, 1_000, 400, 50, gate=1.4, counted=200,
            connector={"force_close": True},
        ),
        Scenario(
            "held", "GET held by the server, all at once", "request",
            messages.held, 5_000, 1_000, 50, gate=2.0,
            connector={"limit": 0},
        ),
        Scenario(
            "download", "download, Content-Length", "MiB",
            bodies.download, 1_024, 1_024, 8,
            gate=3.5, bounded=True, counted=8, repeats=3,
        ),
        Scenario(
            "download-chunked", "download, chunked", "MiB",
            bodies.download_chunked, 1_024, 1_024, 8,
            gate=0.95, bounded=True, counted=8,
        ),
        Scenario(
            "download-gzip", "download, gzip, per MiB decoded", "MiB",
            bodies.download_gzip, 64, 16, 8, bounded=True,
        ),
        Scenario(
            "download-tls", "download over TLS", "MiB",
            bodies.download_tls, 128, 32, 8, bounded=True,
        ),
        Scenario(
            "upload", "upload, Content-Length", "MiB",
            bodies.upload_length, 256, 64, 8, gate=0.95, bounded=True, counted=8,
        ),
        Scenario(
            "upload-chunked", "upload, chunked", "MiB",
            bodies.upload_chunked, 256, 64, 8, gate=0.95, bounded=True,
        ),
        Scenario(
            "upload-multipart", "upload, file in a form", "MiB",
            bodies.upload_file, 256, 64, 8, bounded=True,
        ),
        Scenario(
            "ws", "WebSocket, round trip of 32 B", "message",
            websockets.round_trips, 5_000, 2_000, 100, gate=1.1, counted=500,
        ),
        Scenario(
            "ws-burst", "WebSocket, burst of 128 B", "message",
            websockets.burst, 20_000, 5_000, 500, gate=1.2, counted=2_000,
        ),
        Scenario(
            "ws-large", "WebSocket, 1 MiB and back", "MiB",
            websockets.large, 128, 32, 8, gate=1.2,
        ),
        Scenario(
            "ws-large-python", "the same, masked in Python", "MiB",
            websockets.large, 128, 32, 8, without=("websockets.speedups",),
        ),
    )
}  # fmt: skip

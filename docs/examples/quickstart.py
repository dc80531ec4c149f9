"""The first steps with the client, on a simulated internet: no network, no waiting.

Run it as ``python docs/examples/quickstart.py``. Every request goes through real
sockets of a simulated kernel to fake servers named httpbin.org, api.github.com and
python.org. The clock is simulated too: five minutes of timeout pass in milliseconds.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from multidict import MultiDict

import windtunnel
from windtunnel_fakeserver import Tunnel
from windtunnel_fakeserver.apps import simulated_internet

Step: TypeAlias = Callable[[windtunnel.ClientSession, Tunnel], Awaitable[None]]

BIN = "http://httpbin.org"


# -- what is shown -------------------------------------------------------------------


def paint(text: str, code: str) -> str:
    """Colour a text, if somebody looks at a terminal that has colours."""
    if not sys.stdout.isatty() or "NO_COLOR" in os.environ:
        return text
    return f"\033[{code}m{text}\033[0m"


def title(text: str) -> None:
    """Print the name of a step."""
    print(f"\n{paint(text, '1;36')}")


def show(tunnel: Tunnel, what: str, result: object) -> None:
    """Print one fact, with the virtual second at which it became known."""
    now = paint(f"t={tunnel.clock.elapsed:8.3f} s", "2")
    print(f"  {now}  {what:<34} {result}")


# -- the steps -----------------------------------------------------------------------


async def a_request(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
    """Make a request."""
    async with session.get(f"{BIN}/get") as resp:
        told = await resp.json()
        show(tunnel, "GET /get", f"{resp.status}, {len(told['headers'])} headers sent")
    async with session.get("https://api.github.com/events") as resp:
        events = await resp.json()
        show(tunnel, "GET https://api.github.com/events", f"{len(events)} events")


async def the_verbs(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
    """Use the other methods."""
    for verb, path in [
        (session.post, "/post"),
        (session.put, "/put"),
        (session.patch, "/patch"),
        (session.delete, "/delete"),
        (session.head, "/get"),
        (session.options, "/get"),
    ]:
        async with verb(f"{BIN}{path}") as resp:
            await resp.read()
            show(tunnel, f"{resp.method} {path}", resp.status)


async def a_base_url(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
    """Talk to one site."""
    async with windtunnel.ClientSession(BIN) as site:
        async with site.get("/get") as resp:
            show(tunnel, 'ClientSession(base).get("/get")', resp.url)
        async with site.put("/put", data=b"data") as resp:
            show(tunnel, "the body arrived as", repr((await resp.json())["data"]))


async def parameters(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
    """Put parameters into the URL."""
    for name, params in [
        ("a dict", {"key1": "value1", "key2": "value2"}),
        ("a MultiDict", MultiDict([("key", "value1"), ("key", "value2")])),
        ("pairs", [("key", "value1"), ("key", "value2")]),
        ("a str, sent as it is", "key=value+1"),
    ]:
        async with session.get(f"{BIN}/get", params=params) as resp:
            show(tunnel, f"params are {name}", resp.url)


async def bodies(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
    """Send bytes, JSON and a form; read packed text."""
    async with session.post(f"{BIN}/post", data=b"\x00Binary-data\x00") as resp:
        show(tunnel, "bytes", repr((await resp.json())["data"]))
    async with session.post(f"{BIN}/post", json={"test": "object"}) as resp:
        show(tunnel, "JSON", (await resp.json())["json"])
    form = {"key1": "value1", "key2": "value2"}
    async with session.post(f"{BIN}/post", data=form) as resp:
        show(tunnel, "form", (await resp.json())["form"])
    async with session.get(f"{BIN}/gzip") as resp:
        size = resp.headers["Content-Length"]
        show(tunnel, "gzip, unpacked", f"{size} bytes -> {len(await resp.text())}")


async def streaming(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
    """Read a slow body piece by piece, and pass a body on."""
    url = f"{BIN}/drip?duration=60&numbytes=3&delay=0"
    async with session.get(url) as resp:
        async for piece in resp.content.iter_any():
            show(tunnel, "a piece of a drip of a minute", repr(piece))
    page = await session.get("http://python.org")
    async with session.post(f"{BIN}/post", data=page.content) as resp:
        size = len((await resp.json())["data"])
        show(tunnel, "python.org, posted to httpbin.org", f"{size} bytes")


async def timeouts(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
    """Give up: after the five minutes that are the default, or sooner."""
    slow = f"{BIN}/delay/600"
    await give_up(tunnel, "no timeout given", session.get(slow))
    minute = windtunnel.ClientTimeout(total=60)
    await give_up(tunnel, "total=60", session.get(slow, timeout=minute))
    silence = windtunnel.ClientTimeout(sock_read=2.5)
    await give_up(tunnel, "sock_read=2.5", session.get(slow, timeout=silence))


async def give_up(tunnel: Tunnel, name: str, request: Awaitable[object]) -> None:
    """Wait for a request that takes too long, and show for how long."""
    began = tunnel.clock.elapsed
    try:
        await request
    except TimeoutError as exc:
        waited = tunnel.clock.elapsed - began
        show(tunnel, name, f"{type(exc).__name__} after {waited:.3f} s")


STEPS: list[Step] = [
    a_request,
    the_verbs,
    a_base_url,
    parameters,
    bodies,
    streaming,
    timeouts,
]


async def main(tunnel: Tunnel) -> None:
    """Take all steps with one session that trusts the hosts of the tunnel."""
    trust = tunnel.authority.client_context()
    connector = windtunnel.TCPConnector(ssl=trust)
    async with windtunnel.ClientSession(connector=connector) as session:
        for step in STEPS:
            title((step.__doc__ or "").strip())
            await step(session, tunnel)


if __name__ == "__main__":
    began = time.perf_counter()
    tunnel = Tunnel(seed=1)
    simulated_internet(tunnel)
    tunnel.run(main)
    real = time.perf_counter() - began
    print(
        f"\n{paint('Done:', '1;32')} {len(tunnel.journal)} requests on "
        f"{len(tunnel.journal.connections)} connections, "
        f"{tunnel.clock.elapsed:.1f} virtual seconds in {real:.2f} real ones."
    )

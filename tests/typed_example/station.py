"""A client for weather stations: what an application written on the client looks like.

It uses most of the public API with its types, and nothing that is not public.
``tests/repo/test_typed_example.py`` has it checked against the installed wheel, and
``tests/flow/test_typed_example.py`` runs it.
"""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import windtunnel as aiohttp
from windtunnel.abc import AbstractResolver, ResolveResult

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path
    from ssl import SSLContext
    from types import SimpleNamespace

    from windtunnel import ClientHandlerType, ClientRequest, ClientResponse
    from windtunnel.typedefs import StrOrURL


@dataclass
class Station:
    """What is known of one station."""

    name: str
    readings: list[float] = field(default_factory=list[float])


class FixedResolver(AbstractResolver):
    """Knows all names beforehand, and asks the loop for others."""

    def __init__(self, places: Mapping[str, str]) -> None:
        self._places = dict(places)

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_INET,
    ) -> list[ResolveResult]:
        address = self._places.get(host)
        if address is None:
            raise OSError(None, f"{host} is no station")
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
        ]

    async def close(self) -> None:
        self._places.clear()


@dataclass
class Log:
    """What trace handlers and a middleware have seen."""

    lines: list[str] = field(default_factory=list[str])

    async def on_start(
        self,
        session: aiohttp.ClientSession,
        context: SimpleNamespace,
        params: aiohttp.TraceRequestStartParams,
    ) -> None:
        context.began = asyncio.get_running_loop().time()
        self.lines.append(f"{params.method} {params.url.path}")

    async def on_end(
        self,
        session: aiohttp.ClientSession,
        context: SimpleNamespace,
        params: aiohttp.TraceRequestEndParams,
    ) -> None:
        self.lines.append(f"{params.response.status}")

    def config(self) -> aiohttp.TraceConfig:
        trace = aiohttp.TraceConfig()
        trace.on_request_start.append(self.on_start)
        trace.on_request_end.append(self.on_end)
        return trace

    async def sign(
        self, request: ClientRequest, handler: ClientHandlerType
    ) -> ClientResponse:
        """Add a field to each attempt, as a middleware."""
        request.headers["X-Signed"] = f"{request.method} {request.url.path}"
        return await handler(request)


class Stations:
    """A session with the service of all stations."""

    def __init__(
        self,
        base: StrOrURL,
        log: Log,
        *,
        trust: SSLContext | bool = True,
        resolver: AbstractResolver | None = None,
    ) -> None:
        connector = aiohttp.TCPConnector(limit=10, ssl=trust, resolver=resolver)
        self.session = aiohttp.ClientSession(
            base,
            connector=connector,
            headers={aiohttp.hdrs.AUTHORIZATION: aiohttp.encode_basic_auth("u", "p")},
            timeout=aiohttp.ClientTimeout(total=60, sock_read=5.5),
            cookie_jar=aiohttp.CookieJar(unsafe=True),
            trace_configs=[log.config()],
            middlewares=(log.sign,),
            raise_for_status=True,
        )

    async def find(self, name: str) -> Station | None:
        """Look a station up."""
        try:
            async with self.session.get("stations", params={"name": name}) as response:
                found: list[dict[str, Any]] = await response.json()
        except aiohttp.ClientResponseError as exc:
            if exc.status == 404:
                return None
            raise
        return Station(found[0]["name"])

    async def readings(self, station: Station) -> AsyncIterator[float]:
        """Give readings as they come, line by line."""
        async with self.session.get(f"stations/{station.name}/readings") as response:
            async for line in response.content:
                yield float(line)

    async def save(self, station: Station, path: Path) -> int:
        """Download a picture; return its size."""
        size = 0
        async with self.session.get(f"stations/{station.name}/picture") as response:
            with path.open("wb") as file:
                async for piece in response.content.iter_chunked(65536):
                    size += file.write(piece)
        return size

    async def report(self, station: Station, picture: bytes) -> str | None:
        """Send a form with a picture; return where it went."""
        form = aiohttp.FormData({"name": station.name})
        form.add_field("picture", picture, filename="sky.png", content_type="image/png")
        response = await self.session.post("reports", data=form)
        async with response:
            return response.headers.get(aiohttp.hdrs.LOCATION)

    async def parts(self, station: Station) -> list[bytes]:
        """Read an answer of several parts."""
        found: list[bytes] = []
        async with self.session.get(f"stations/{station.name}/parts") as response:
            reader = aiohttp.MultipartReader.from_response(response)
            while (part := await reader.next()) is not None:
                if isinstance(part, aiohttp.BodyPartReader):
                    found.append(bytes(await part.read(decode=True)))
        return found

    async def replace(self, station: Station) -> int:
        """Put all readings, packed."""
        body = {"readings": station.readings}
        path = f"stations/{station.name}"
        async with self.session.put(path, json=body, compress="gzip") as response:
            return response.status

    async def talk(self, url: StrOrURL, *questions: str) -> list[str]:
        """Ask over a WebSocket until all is answered."""
        answers: list[str] = []
        async with self.session.ws_connect(url, heartbeat=30) as socket_:
            for question in questions:
                await socket_.send_str(question)
            async for message in socket_:
                if message.type is aiohttp.WSMsgType.TEXT:
                    answers.append(str(message.data))
                if len(answers) == len(questions):
                    break
            await socket_.close(code=aiohttp.WSCloseCode.OK, message=b"bye")
        return answers

    async def close(self) -> None:
        """Close the session."""
        await self.session.close()


async def is_alive(url: StrOrURL) -> bool:
    """Ask once, with no session of one's own."""
    try:
        async with aiohttp.request("HEAD", url) as response:
            return response.ok
    except (aiohttp.ClientConnectionError, TimeoutError):
        return False


async def log_in(session: aiohttp.ClientSession, url: StrOrURL) -> str:
    """Answer a Digest challenge, and read a cookie."""
    digest = aiohttp.DigestAuthMiddleware("user", "secret")
    async with session.get(url, middlewares=(digest,)) as response:
        await response.read()
    morsel = response.cookies.get("sid")
    return morsel.value if morsel is not None else ""

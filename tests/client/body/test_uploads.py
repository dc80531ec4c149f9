"""Every kind of body arrives at a server as it was given."""

from __future__ import annotations

import asyncio
import gzip
import io
from typing import TYPE_CHECKING, Any

import pytest

import windtunnel
from tests.client.support import URL, play
from windtunnel._base.compat import override
from windtunnel._body.decoders import make_decoder
from windtunnel._body.encoders import make_encoder
from windtunnel_fakeserver import Eof, Reply, Tunnel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from windtunnel_fakeserver import Request, Wire


def sent(data: Any, **options: Any) -> Request:
    """Post data to a server and return what it got."""
    tunnel = Tunnel()
    server = tunnel.host("http://a.test")
    route = server.on("POST", "/").reply(Reply(200))

    async def main(tunnel: Tunnel) -> None:
        async with (
            windtunnel.ClientSession() as session,
            session.post(URL, data=data, **options) as response,
        ):
            assert response.status == 200

    tunnel.run(main)
    assert route.last is not None
    return route.last


def has_header(request: Request, name: str) -> bool:
    return any(key.lower() == name.lower() for key, _ in request.headers)


def test_form_with_a_file_is_sent_as_multipart_with_its_length(tmp_path: Path) -> None:
    path = tmp_path / "f.txt"
    path.write_bytes(b"x" * 300_000)
    with path.open("rb") as file:
        request = sent({"a": "b", "имя": file})
        assert file.closed
    kind = request.header("Content-Type")
    assert kind is not None
    boundary = kind.removeprefix("multipart/form-data; boundary=")
    assert (
        request.body
        == (
            f"--{boundary}\r\nContent-Type: text/plain; charset=utf-8\r\n"
            f'Content-Disposition: form-data; name="a"\r\n\r\nb\r\n'
            f"--{boundary}\r\nContent-Type: text/plain\r\n"
            f'Content-Disposition: form-data; name="имя"; filename="f.txt"\r\n\r\n'
            f"{'x' * 300_000}\r\n--{boundary}--\r\n"
        ).encode()
    )
    assert request.header("Content-Length") == str(len(request.body))
    assert not has_header(request, "Content-Disposition")


def test_small_form_leaves_with_the_head() -> None:
    form = windtunnel.FormData({"a": io.BytesIO(b"1")})

    async def script(wire: Wire) -> None:
        first = await wire.read_some()
        assert first.startswith(b"POST / ")
        assert first.endswith(b"--\r\n")
        await wire.send(b"HTTP/1.1 204 \r\n\r\n")
        await wire.read_until_eof()

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> int:
        async with session.post(URL, data=form) as response:
            return response.status

    assert play(script, main=main) == 204


def test_part_of_unknown_length_makes_the_body_chunked() -> None:
    async def ticks() -> AsyncIterator[bytes]:
        yield b"one"
        yield b"two"

    writer = windtunnel.MultipartWriter("mixed", "B")
    writer.append(ticks())
    request = sent(writer)
    assert request.header("Transfer-Encoding") == "chunked"
    assert request.header("Content-Type") == "multipart/mixed; boundary=B"
    assert request.body == (
        b"--B\r\nContent-Type: application/octet-stream\r\n\r\nonetwo\r\n--B--\r\n"
    )


def test_headers_of_a_payload_are_sent_unless_they_were_given() -> None:
    payload = windtunnel.BytesPayload(b"x", headers={"X-P": "1", "X-Q": "2"})
    request = sent(payload, headers={"x-q": "mine"})
    assert request.header("X-P") == "1"
    assert request.header("X-Q") == "mine"
    bad = windtunnel.BytesPayload(b"x", headers={"X-P": "1\r\nY: 2"})
    with pytest.raises(ValueError, match="control character"):
        sent(bad)


def test_payload_of_the_callers_own_is_written_and_closed() -> None:
    events: list[str] = []

    class Own(windtunnel.BytesPayload):
        @override
        async def close(self) -> None:
            events.append("closed")

    assert sent(Own(b"abc")).body == b"abc"
    assert events
    events.clear()
    assert sent(Own(b"abc" * 100_000)).body == b"abc" * 100_000
    assert events


def test_content_of_a_response_is_passed_on() -> None:
    tunnel = Tunnel()
    server = tunnel.host("http://a.test")
    server.on("GET", "/").reply(Reply(200, body=b"line\n" * 50_000))
    route = server.on("POST", "/").reply(Reply(200))

    async def main(tunnel: Tunnel) -> None:
        async with (
            windtunnel.ClientSession() as session,
            session.get(URL) as source,
            session.post(URL, data=source.content) as response,
        ):
            assert response.status == 200

    tunnel.run(main)
    assert route.last is not None
    assert route.last.body == b"line\n" * 50_000
    assert route.last.header("Transfer-Encoding") == "chunked"


def test_body_of_a_response_is_read_part_by_part() -> None:
    writer = windtunnel.MultipartWriter("mixed", "B")
    writer.append("one")
    writer.append_json({"two": 2})
    body = asyncio.run(writer.as_bytes())
    tunnel = Tunnel()
    server = tunnel.host("http://a.test")
    headers = {"Content-Type": writer.content_type}
    server.on("GET", "/").reply(Reply(200, headers, body=body))

    async def main(tunnel: Tunnel) -> list[Any]:
        async with (
            windtunnel.ClientSession() as session,
            session.get(URL) as response,
        ):
            reader: Any = windtunnel.MultipartReader.from_response(response)
            return [await part.text() async for part in reader]

    assert tunnel.run(main) == ["one", '{"two": 2}']


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_compressed_response_is_decoded(coding: str) -> None:
    encoder = make_encoder(coding)
    body = encoder.compress(b"text " * 1000) + encoder.flush()
    tunnel = Tunnel()
    server = tunnel.host("http://a.test")
    server.on("GET", "/").reply(Reply(200, {"Content-Encoding": coding}, body=body))

    async def main(tunnel: Tunnel) -> bytes:
        async with (
            windtunnel.ClientSession() as session,
            session.get(URL) as response,
        ):
            return await response.read()

    assert tunnel.run(main) == b"text " * 1000


@pytest.mark.parametrize(
    ("compress", "coding"),
    [(True, "deflate"), ("gzip", "gzip"), ("br", "br"), ("zstd", "zstd")],
)
def test_body_is_compressed_on_request(compress: bool | str, coding: str) -> None:
    request = sent("text " * 50_000, compress=compress)
    assert request.header("Content-Encoding") == coding
    assert request.header("Transfer-Encoding") == "chunked"
    assert request.header("Content-Type") == "text/plain; charset=utf-8"
    assert len(request.body) < 2000
    decoder = make_decoder(coding)
    assert decoder is not None
    assert decoder.decode(request.body, 1 << 20) == b"text " * 50_000


def test_empty_body_is_not_compressed() -> None:
    request = sent(b"", compress=True)
    assert request.header("Content-Length") == "0"
    assert not has_header(request, "Content-Encoding")


def test_body_that_is_compressed_already_is_not_compressed_again() -> None:
    with pytest.raises(ValueError, match="compress can not be set"):
        sent(b"x", compress=True, headers={"content-encoding": "gzip"})
    with pytest.raises(ValueError, match="'foo' cannot be applied"):
        sent(b"x", compress="foo")


@pytest.mark.parametrize("size", [5000, 500_000])
@pytest.mark.parametrize("cap", [None, 0, -1])
def test_cap_of_the_decoded_size_holds(size: int, cap: int | None) -> None:
    tunnel = Tunnel()
    server = tunnel.host("http://a.test")
    body = gzip.compress(b"a" * size)
    server.on("GET", "/").reply(Reply(200, {"Content-Encoding": "gzip"}, body=body))
    limit = None if cap is None else size + cap

    async def main(tunnel: Tunnel) -> None:
        async with windtunnel.ClientSession(max_decoded_size=10) as session:
            with pytest.raises(windtunnel.ClientPayloadError, match="max_decoded_size"):
                await (await session.get(URL)).read()
        async with windtunnel.ClientSession() as session:
            response = await session.get(URL, max_decoded_size=limit)
            if cap == -1:
                with pytest.raises(
                    windtunnel.ClientPayloadError, match="max_decoded_size"
                ):
                    await response.read()
            else:
                assert await response.read() == b"a" * size

    tunnel.run(main)


@pytest.mark.parametrize("kind", ["file", "form", "compressed"])
def test_body_is_sent_again_from_its_start_after_a_redirect(
    kind: str, tmp_path: Path
) -> None:
    path = tmp_path / "f.bin"
    path.write_bytes(b"skipped" + b"x" * 200_000)
    tunnel = Tunnel()
    server = tunnel.host("http://a.test")
    server.on("POST", "/").reply(Reply(307, {"Location": "/there"}))
    route = server.on("POST", "/there").reply(Reply(200))

    async def main(tunnel: Tunnel) -> None:
        async with windtunnel.ClientSession() as session:
            with path.open("rb") as file:
                file.seek(7)
                data: Any = {"f": file} if kind == "form" else file
                compress = "gzip" if kind == "compressed" else None
                async with session.post(URL, data=data, compress=compress) as response:
                    assert response.status == 200

    tunnel.run(main)
    assert route.last is not None
    body = route.last.body
    if kind == "form":
        body = body.partition(b"\r\n\r\n")[2].partition(b"\r\n--")[0]
    elif kind == "compressed":
        body = gzip.decompress(body)
    assert body == b"x" * 200_000


@pytest.mark.parametrize("form", [False, True], ids=["file", "form"])
@pytest.mark.parametrize(
    ("path", "allow_redirects"),
    [
        pytest.param("/", True, id="answered"),
        pytest.param("/there", True, id="redirected-to-get"),
        pytest.param("/there", False, id="redirect-not-followed"),
        pytest.param("/cut", True, id="connection-lost"),
    ],
)
def test_file_is_closed_when_its_request_is_over(
    tmp_path: Path, path: str, *, allow_redirects: bool, form: bool
) -> None:
    (tmp_path / "f.bin").write_bytes(b"x" * 200_000)
    tunnel = Tunnel()
    server = tunnel.host("http://a.test")
    server.on("POST", "/").reply(Reply(200))
    server.on("GET", "/").reply(Reply(200))
    server.on("POST", "/there").reply(Reply(303, {"Location": "/"}))
    server.on("POST", "/cut").reply(Reply(200, fault=Eof(at="response_head")))

    async def main(tunnel: Tunnel) -> bool:
        file = await asyncio.to_thread((tmp_path / "f.bin").open, "rb")
        data: Any = {"f": file} if form else file
        async with windtunnel.ClientSession() as session:
            asked = session.post(
                f"http://a.test{path}", data=data, allow_redirects=allow_redirects
            )
            if path == "/cut":
                with pytest.raises(windtunnel.ServerDisconnectedError):
                    await asked
            else:
                await (await asked).read()
        return file.closed

    assert tunnel.run(main)

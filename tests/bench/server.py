"""The server that both clients are measured against; run it as a process of its own.

What comes in: requests of the scenarios, nothing else. What goes out: prebuilt replies.
It must not be the thing that is measured, so it does as little as Python can: it looks
at the first line of a request, finds its end, and writes bytes that it made before.

It prints one line of JSON, where it is and whom to trust, and ends when its standard
input is closed, so that it never outlives the process that started it.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import random
import ssl
import sys
import zlib
from typing import TYPE_CHECKING, ClassVar, Final, cast

import trustme

from tests.bench.counters import allow_open_files
from tests.bench.ws_server import Echo, handshake

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typing_extensions import override
else:

    def override(method):  # noqa: ANN001, ANN201  # typed for checkers by the branch above
        """Mark a replaced method. Nothing of the measured client is imported here."""
        return method


_READ_BYTES: Final = 256 * 1024
_PIECE: Final = bytes(256 * 1024)
_CHUNK: Final = b"%x\r\n%b\r\n" % (len(_PIECE), _PIECE)
_LAST_CHUNK: Final = b"0\r\n\r\n"

_FIELDS: Final = (
    b"Server: bench\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\n"
    b"Cache-Control: no-store\r\n"
)


def _reply(body: bytes, content_type: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nContent-Length: %d\r\n%b\r\n%b" % (
        content_type,
        len(body),
        _FIELDS,
        body,
    )


_SMALL: Final = _reply(b"Hello, World!", b"text/plain; charset=utf-8")
_JSON: Final = _reply(b'{"ok": true, "id": 12345}', b"application/json")


class _Peer(asyncio.BufferedProtocol):
    """One connection: requests come one after the other, never pipelined."""

    #: Those whose request is held, until there are as many as each of them wants.
    _held: ClassVar[list[_Peer]] = []

    def __init__(self) -> None:
        self._buffer = memoryview(bytearray(_READ_BYTES))
        self._transport: asyncio.Transport | None = None
        self._head: bytes = b""
        self._body_left = 0
        self._answer = b""
        self._tail: bytes | None = None  # last bytes of a chunked request body
        self._pieces: Iterator[bytes] | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        # Any byte left in the buffer pauses, so ``resume_writing`` is sure to come.
        self._transport.set_write_buffer_limits(high=0)

    @override
    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer

    @override
    def buffer_updated(self, nbytes: int) -> None:
        if self._tail is not None:
            self._drain(bytes(self._buffer[max(0, nbytes - 5) : nbytes]))
        elif self._body_left:
            self._take_body(nbytes)
        else:
            self._read_head(bytes(self._buffer[:nbytes]))

    def _read_head(self, data: bytes) -> None:
        head, end, rest = (self._head + data).partition(b"\r\n\r\n")
        if not end:
            self._head = head
            return
        self._head = b""
        kind = head[: head.index(b" HTTP/")].rpartition(b" ")[2].split(b"/")
        if kind[1] == b"small":
            self._write(_SMALL)
        elif kind[1] in (b"json", b"upload"):
            self._begin_body(head, rest, _JSON if kind[1] == b"json" else _SMALL)
        elif kind[1] == b"hold":
            self._hold(int(kind[2]))
        elif kind[1] == b"ws":
            self._write(handshake(head))
            if self._transport is not None:
                self._transport.set_protocol(Echo(self._transport))
        else:
            self._pieces = _large(kind[1], int(kind[2]))
            self.resume_writing()

    def _hold(self, count: int) -> None:
        self._held.append(self)
        if len(self._held) == count:
            for peer in self._held:
                peer._write(_SMALL)
            self._held.clear()

    def _begin_body(self, head: bytes, rest: bytes, answer: bytes) -> None:
        self._answer = answer
        length = head.lower().partition(b"\r\ncontent-length: ")[2]
        if length:
            self._body_left = int(length.partition(b"\r\n")[0])
            self._take_body(len(rest))
        else:
            self._tail = b""
            self._drain(rest[-5:])

    def _take_body(self, count: int) -> None:
        self._body_left -= count
        if self._body_left == 0:
            self._write(self._answer)

    def _drain(self, last: bytes) -> None:
        """Throw a chunked request body away until its end."""
        self._tail = ((self._tail or b"") + last)[-5:]
        if self._tail == _LAST_CHUNK:
            self._tail = None
            self._write(self._answer)

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    @override
    def pause_writing(self) -> None:
        """Wait: ``resume_writing`` continues a large reply."""

    @override
    def resume_writing(self) -> None:
        transport = self._transport
        while self._pieces is not None and transport is not None:
            if transport.get_write_buffer_size() > 0:
                return
            piece = next(self._pieces, None)
            if piece is None:
                self._pieces = None
            else:
                transport.write(piece)


def _large(kind: bytes, count: int) -> Iterator[bytes]:
    """Give a reply of ``count`` MiB, framed by length or in chunks, or compressed."""
    fields = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n" + _FIELDS
    pieces = count * 4
    if kind == b"length":
        yield fields + b"Content-Length: %d\r\n\r\n" % (pieces * len(_PIECE))
        yield from (_PIECE for _ in range(pieces))
        return
    coding = b"Content-Encoding: gzip\r\n" if kind == b"gzip" else b""
    yield fields + coding + b"Transfer-Encoding: chunked\r\n\r\n"
    if kind == b"gzip":
        yield from (b"%x\r\n%b\r\n" % (len(piece), piece) for piece in _gzip(count))
    else:
        yield from (_CHUNK for _ in range(pieces))
    yield _LAST_CHUNK


@functools.cache
def _text() -> tuple[bytes, bytes]:
    """Make one MiB of lines of words, and its deflated form that ends on a byte."""
    pick = random.Random(1)
    letters = "etaoinshrdlucmfwypvbgkqjxz"
    words = ["".join(pick.choices(letters, k=pick.randint(2, 9))) for _ in range(4000)]
    lines = (" ".join(pick.choices(words, k=12)) for _ in range(20_000))
    plain = "\n".join(lines).encode()[: 1024 * 1024]
    packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    return plain, packer.compress(plain) + packer.flush(zlib.Z_FULL_FLUSH)


def _gzip(count: int) -> Iterator[bytes]:
    """Give one gzip member that decodes to ``count`` times the text."""
    plain, packed = _text()
    check = 0
    yield b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
    for _ in range(count):
        check = zlib.crc32(plain, check)
        yield packed
    size = count * len(plain) % 2**32
    yield b"\x03\x00" + check.to_bytes(4, "little") + size.to_bytes(4, "little")


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    parent_gone = loop.create_future()
    loop.add_reader(sys.stdin.fileno(), parent_gone.set_result, None)
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate = authority.issue_cert("127.0.0.1")
    with certificate.private_key_and_cert_chain_pem.tempfile() as path:
        context.load_cert_chain(path)
    backlog = 4096
    plain = await loop.create_server(_Peer, "127.0.0.1", 0, backlog=backlog)
    secure = await loop.create_server(_Peer, "127.0.0.1", 0, ssl=context)
    site = {
        "http": f"http://127.0.0.1:{plain.sockets[0].getsockname()[1]}",
        "https": f"https://127.0.0.1:{secure.sockets[0].getsockname()[1]}",
        "authority": authority.cert_pem.bytes().decode("ascii"),
    }
    sys.stdout.write(json.dumps(site) + "\n")
    sys.stdout.flush()
    await parent_gone
    loop.remove_reader(sys.stdin.fileno())
    plain.close()
    secure.close()


def main() -> None:
    """Serve until standard input is closed."""
    allow_open_files()
    _text()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve())


if __name__ == "__main__":
    main()

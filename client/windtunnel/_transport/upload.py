"""Send a request body that does not fit into one write.

Pieces from a source come in, framed bytes go to the connection, no faster than it takes
them. Only such requests have a task: it runs beside the reading of the response,
because a server may answer, or give up, before it has read everything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from windtunnel._transport.connection import Connection

_SLICE_BYTES = 65536


async def upload(
    connection: Connection, pieces: AsyncIterator[bytes], length: int | None
) -> Exception | None:
    """Send all pieces, then tell the connection that they are sent.

    Args:
        connection: Where to; it is closed if the source fails.
        pieces: The body.
        length: How many bytes the head promised, None for the chunked coding.

    Returns:
        What the source raised, None if all is sent.
    """
    try:
        if length is None:
            await _send_chunks(connection, pieces)
        else:
            await _send_bytes(connection, pieces, length)
    except Exception as exc:  # noqa: BLE001  # whatever the caller's source raises
        connection.fail_upload(exc)
        return exc
    else:
        connection.end_upload()
        return None
    finally:
        if hasattr(pieces, "aclose"):
            generator: AsyncGenerator[bytes, None] = pieces  # type: ignore[assignment]  # checked
            await generator.aclose()


async def _send_chunks(connection: Connection, pieces: AsyncIterator[bytes]) -> None:
    """Frame each piece as a chunk. Spec: RFC 9112 section 7.1."""
    async for piece in pieces:
        connection.write(b"%x\r\n" % len(piece), piece, b"\r\n")
        if connection.drain is not None:
            await connection.drain
    connection.write(b"0\r\n\r\n")


async def _send_bytes(
    connection: Connection, pieces: AsyncIterator[bytes], length: int
) -> None:
    """Send exactly ``length`` bytes; more are cut off, fewer are an error."""
    left = length
    async for piece in pieces:
        sent = piece[:left]
        left -= len(sent)
        if sent:
            connection.write(sent)
            if connection.drain is not None:
                await connection.drain
        if not left:
            return
    if left:
        msg = f"the body ended {left} bytes before its Content-Length of {length}"
        raise ValueError(msg)


async def slices(body: bytes) -> AsyncIterator[bytes]:
    """Give a body in memory in pieces that keep the transport's buffer small."""
    for start in range(0, len(body), _SLICE_BYTES):
        yield body[start : start + _SLICE_BYTES]

"""A peer that sends anything: the call ends in time, in a result or in a ClientError.

Responses are broken at random, cut into random segments and followed by the end of the
connection. Everything that a response offers is asked for. The tunnel fails a test that
hangs, or leaves a task or a connection behind.
"""

from __future__ import annotations

import gzip
import json
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings, strategies as st

import windtunnel
from windtunnel_fakeserver import Tunnel

if TYPE_CHECKING:
    from windtunnel_fakeserver import Wire

PACKED = gzip.compress(b'{"a": "\xc3\xa9"}', mtime=0)

HEADS = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\nContent-Type: application/json; "
    b'charset="utf-8"\r\nSet-Cookie: a="b"; Path=/; Max-Age=5\r\n\r\n{"a": "bcd"}',
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nLink: <../x>; rel=next; "
    b'title="a, b", <y>; rel="prev"\r\nETag: W/"a"\r\n\r\n'
    b"5;x=y\r\nhello\r\n0\r\nT: u\r\n\r\n",
    b"HTTP/1.0 404 Not Found\r\nContent-Type: text/html; charset=latin-1\r\n"
    b"Content-Disposition: attachment; filename*=utf-8''%e2%82%ac; name=x\r\n\r\n"
    b"\xe9t\xe9",
    b"HTTP/1.1 100 Continue\r\nA: b\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n"
    b"Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n%b" % (len(PACKED), PACKED),
    b"HTTP/1.1 302 Found\r\nLocation: /y?a=b#c\r\nContent-Length: 0\r\n\r\n"
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    b'HTTP/1.1 401 No\r\nWWW-Authenticate: Digest realm="a", nonce="b", qop="auth"'
    b"\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    b'HTTP/1.1 200 OK\r\nContent-Type: multipart/mixed; boundary="b c"\r\n\r\n'
    b"--b c\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    b"YWJj\r\n--b c--\r\n",
]
PIECES = [b"\r", b"\n", b"\r\n", b"\0", b"\t", b" ", b":", b";", b",", b'"', b"=", b"<"]
MORE = [b">", b"\\", b"\x80", b"\xff", b"%", b"'", b"*", b"[", b"a", b"0", b"9", b"-"]
edits = st.lists(
    st.tuples(
        st.sampled_from(["insert", "replace", "remove", "cut", "double"]),
        st.integers(0, 400),
        st.sampled_from(PIECES + MORE),
    ),
    max_size=4,
)


def broken(data: bytes, changes: list[tuple[str, int, bytes]]) -> bytes:
    out = bytearray(data)
    for kind, place, piece in changes:
        at = place % (len(out) + 1)
        if kind == "insert":
            out[at:at] = piece
        elif kind == "replace":
            out[at : at + 1] = piece
        elif kind == "remove":
            del out[at : at + 1]
        elif kind == "cut" and place % 5 == 0:
            del out[at:]
        elif kind == "double":
            out[at:at] = out[max(0, at - 9) : at]
    return bytes(out)


async def look_at(response: windtunnel.ClientResponse) -> None:
    """Ask a response for all it has; what cannot be told is a documented error."""
    facts: Any = [
        response.status,
        response.reason,
        response.headers,
        response.raw_headers,
        response.content_type,
        response.charset,
        response.cookies,
        response.history,
        response.content_disposition,
        response.request_info,
        str(response),
        repr(response),
    ]
    assert facts
    with suppress(ValueError):
        # A link may be no URL.
        facts.append(response.links)
    if response.content_type.startswith("multipart/"):
        # A part may be nested, which has no data of its own.
        with suppress(ValueError, RuntimeError, AttributeError):
            async for part in windtunnel.MultipartReader.from_response(response):
                await part.read(decode=True)  # type: ignore[union-attr]  # see above
    await response.read()
    for read in (response.text, response.json):
        with suppress(UnicodeDecodeError, LookupError, json.JSONDecodeError):
            await read()


@settings(max_examples=60, derandomize=True, deadline=None, database=None)
@given(
    st.sampled_from(HEADS),
    edits,
    st.sampled_from([None, 1, 3, 7, "random"]),
    st.booleans(),
)
def test_any_bytes_give_a_result_or_a_client_error(
    answer: bytes, changes: list[tuple[str, int, bytes]], split: Any, is_reset: bool
) -> None:
    data = broken(answer, changes)

    async def script(wire: Wire) -> None:
        await wire.read_request()
        await wire.send(data)
        if is_reset:
            wire.reset()

    async def main(tunnel: Tunnel) -> None:
        digest = windtunnel.DigestAuthMiddleware("u", "p")
        async with windtunnel.ClientSession(middlewares=[digest]) as session:
            with suppress(windtunnel.ClientError):
                async with session.get("http://a.test/x") as response:
                    await look_at(response)

    tunnel = Tunnel(split=split, strict=False)
    tunnel.host("http://a.test").on_connect(script, script, script, script)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        tunnel.run(main)

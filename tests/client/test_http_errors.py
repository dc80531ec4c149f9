"""The errors of a message itself: the tree, and whose causes they are."""

from __future__ import annotations

import asyncio
import inspect
import pickle
import zlib
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import http_exceptions as theirs

import windtunnel
from tests.client.support import URL, in_pieces, play
from windtunnel import http_exceptions as ours

if TYPE_CHECKING:
    from windtunnel_fakeserver import Tunnel

NAMES = ours.__all__
CALLS: list[tuple[str, dict[str, Any]]] = [
    ("HttpProcessingError", {"code": 418, "message": "m", "headers": None}),
    ("HttpProcessingError", {}),
    ("BadHttpMessage", {"message": "m"}),
    ("ContentLengthError", {"message": "m"}),
    ("BadStatusLine", {"line": "x", "error": "why"}),
    ("BadHttpMethod", {"line": "x", "error": "why"}),
]


@pytest.mark.parametrize("name", NAMES)
def test_a_class_has_the_bases_and_parameters_of_the_compatible_one(name: str) -> None:
    mine, reference = getattr(ours, name), getattr(theirs, name)
    bases = {base.__name__ for base in reference.__mro__}
    assert bases <= {base.__name__ for base in mine.__mro__}

    def shape(cls: type[object]) -> list[tuple[str, object, str]]:
        parameters = inspect.signature(cls.__init__).parameters.values()
        return [(p.name, p.kind, repr(p.default)) for p in parameters]

    assert shape(mine) == shape(reference)
    assert mine.code == reference.code


@pytest.mark.parametrize(
    ("name", "arguments"), CALLS, ids=[f"{n}-{len(a)}" for n, a in CALLS]
)
def test_an_error_shows_what_the_compatible_one_shows(
    name: str, arguments: dict[str, Any]
) -> None:
    mine = getattr(ours, name)(**arguments)
    reference = getattr(theirs, name)(**arguments)
    assert repr(mine) == repr(reference)
    assert (mine.code, mine.message, mine.headers) == (
        reference.code,
        reference.message,
        reference.headers,
    )
    assert str(mine) == f"{mine.code}, message: {mine.message}"


@pytest.mark.parametrize(
    "error",
    [
        ours.BadHttpMessage("m"),
        ours.LineTooLong(b"abc", 2),
        ours.InvalidHeader(b"a\xff"),
        ours.BadStatusLine("x"),
        ours.BadStatusLine("x", "why"),
        ours.BadHttpMethod("x"),
        ours.TransferEncodingError("m"),
        ours.HttpProcessingError(code=3, message="m"),
    ],
    ids=lambda error: f"{type(error).__name__}-{len(error.args)}",
)
def test_an_error_survives_pickling(error: ours.HttpProcessingError) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert (repr(copy), copy.args, vars(copy)) == (
        repr(error),
        error.args,
        vars(error),
    )


def test_errors_keep_the_line_they_are_about() -> None:
    assert ours.InvalidHeader(b"a\xff").hdr == "a\\xff"
    assert ours.InvalidHeader("a").hdr == "a"
    assert ours.BadStatusLine("x").line == "x"
    assert "more than 2 bytes without an end: b'abc'" in str(
        ours.LineTooLong(b"abc", 2)
    )
    assert isinstance(ours.LineTooLong("a"), ValueError)


SQUEEZED = zlib.compress(bytes(2000))
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n"


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        pytest.param(b"HTTP/2 200 OK\r\n\r\n", ours.BadStatusLine, id="status-line"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nA b\r\n\r\n", ours.BadHttpMessage, id="field"
        ),
    ],
)
def test_a_malformed_head_has_such_a_cause(
    answer: bytes, cause: type[BaseException]
) -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        with pytest.raises(windtunnel.ClientResponseError) as caught:
            await session.get(URL)
        assert type(caught.value.__cause__) is cause
        assert caught.value.message in str(caught.value.__cause__)

    play(in_pieces(answer, seconds=0), main=main)


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        pytest.param(CHUNKED + b"x\r\n", ours.TransferEncodingError, id="chunk"),
        pytest.param(
            LENGTH + b"Content-Encoding: gzip\r\n\r\nnine byte",
            ours.ContentEncodingError,
            id="coding",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (len(SQUEEZED), SQUEEZED),
            ours.DecompressSizeError,
            id="size",
        ),
    ],
)
def test_a_malformed_body_has_such_a_cause(
    answer: bytes, cause: type[BaseException]
) -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with session.get(URL, max_decoded_size=1000) as response:
            with pytest.raises(windtunnel.ClientPayloadError) as caught:
                await response.read()
        assert type(caught.value.__cause__) is cause

    play(in_pieces(answer, seconds=0), main=main)


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        pytest.param(LENGTH + b"\r\nab", ours.ContentLengthError, id="length"),
        pytest.param(CHUNKED + b"5\r\nab", ours.PayloadEncodingError, id="chunked"),
    ],
)
def test_a_body_that_ends_early_has_such_a_cause(
    answer: bytes, cause: type[BaseException]
) -> None:
    async def script(wire: Any) -> None:
        await wire.read_request()
        await wire.send(answer)

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with session.get(URL) as response:
            await asyncio.sleep(1)
            with pytest.raises(windtunnel.ClientPayloadError) as caught:
                await response.read()
        assert type(caught.value.__cause__) is cause

    play(script, main=main)

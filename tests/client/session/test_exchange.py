"""Whole exchanges on the simulated network: what is sent, and what the caller gets."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import sys
from collections.abc import AsyncIterator, Coroutine
from typing import TYPE_CHECKING, Any

import pytest
import yarl
from multidict import CIMultiDict

import windtunnel
from tests.client.support import URL, answering, cuts, play, read_all

if TYPE_CHECKING:
    from windtunnel_fakeserver import Tunnel, Wire

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def sent_by(
    method: str, url: str | yarl.URL = URL, *, times: int = 1, **options: Any
) -> bytes:
    """Say what goes out for a request, byte by byte."""

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> bytes:
        for _ in range(times):
            async with session.request(method, url, **options) as response:
                assert await response.read() == (b"" if method == "HEAD" else b"ok")
        return b"".join(exchange.request.raw for exchange in tunnel.journal.exchanges)

    answer = OK if method != "HEAD" else OK[:-2]
    return play(answering(*[answer] * times), main=main)


AUTO = (
    b"Accept: */*\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n"
    b"User-Agent: Python/%d.%d windtunnel/%b\r\n"
)


def automatic() -> bytes:
    version = windtunnel.__version__.encode()
    return AUTO % (sys.version_info.major, sys.version_info.minor, version)


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "TRACE"])
def test_a_request_without_body_says_nothing_about_one(method: str) -> None:
    expected = b"%b / HTTP/1.1\r\nHost: a.test\r\n" % method.encode() + automatic()
    assert sent_by(method) == expected + b"\r\n"


def test_the_second_equal_request_is_the_same_as_the_first() -> None:
    twice = sent_by("GET", times=2)
    assert twice[: len(twice) // 2] * 2 == twice


def test_delete_without_body_says_that_there_is_none() -> None:
    assert sent_by("DELETE").endswith(b"Content-Length: 0\r\n\r\n")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_a_missing_body_of_methods_that_expect_one_is_labelled(method: str) -> None:
    end = b"Content-Length: 0\r\nContent-Type: application/octet-stream\r\n\r\n"
    assert sent_by(method).endswith(automatic() + end)


def test_a_json_body_goes_out_with_length_and_type() -> None:
    end = b'Content-Length: 8\r\nContent-Type: application/json\r\n\r\n{"a": 1}'
    assert sent_by("POST", json={"a": 1}).endswith(end)


def test_bytes_text_and_forms_have_their_types() -> None:
    assert sent_by("PUT", data=b"ab").endswith(
        b"Content-Length: 2\r\nContent-Type: application/octet-stream\r\n\r\nab"
    )
    assert sent_by("PUT", data="\xe4").endswith(
        b"Content-Length: 2\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\xc3\xa4"
    )
    assert sent_by("POST", data={"a": "b c"}).endswith(
        b"Content-Length: 5\r\nContent-Type: application/x-www-form-urlencoded"
        b"\r\n\r\na=b+c"
    )


async def generate(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        await asyncio.sleep(1)
        yield piece


def test_an_asynchronous_generator_goes_out_in_chunks() -> None:
    assert sent_by("POST", data=generate(b"ab", b"", b"c" * 11)).endswith(
        b"Content-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"2\r\nab\r\nb\r\nccccccccccc\r\n0\r\n\r\n"
    )


def test_a_file_goes_out_with_its_length() -> None:
    file = io.BytesIO(b"0123456789" * 20_000)
    file.seek(5)
    raw = sent_by("PUT", data=file)
    assert b"Content-Length: 199995\r\n" in raw
    assert raw.endswith(b"\r\n\r\n56789" + b"0123456789" * 19_999)


def test_a_large_body_in_memory_goes_out_whole() -> None:
    raw = sent_by("PUT", data=b"x" * 300_000)
    assert raw.endswith(b"\r\n\r\n" + b"x" * 300_000)


def test_a_longer_body_is_cut_to_the_callers_length() -> None:
    for size in (10, 300_000):
        headers = {"Content-Length": "4"}
        raw = sent_by("PUT", data=b"x" * size, headers=headers)
        assert raw.endswith(b"\r\n\r\nxxxx")
    raw = sent_by("PUT", data=generate(b"abc", b"def"), headers={"Content-Length": "4"})
    assert raw.endswith(b"\r\n\r\nabcd")


def test_the_caller_may_ask_for_chunks() -> None:
    headers = {"Transfer-Encoding": "Chunked"}
    assert sent_by("PUT", data=b"abc", headers=headers).endswith(
        b"\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    )
    assert sent_by("PUT", data=b"", headers=headers).endswith(b"\r\n\r\n0\r\n\r\n")


def test_the_callers_fields_come_first_and_replace_automatic_ones() -> None:
    raw = sent_by("GET", headers={"X-A": "b", "user-agent": "me", "Host": "other"})
    assert raw == (
        b"GET / HTTP/1.1\r\nHost: other\r\nX-A: b\r\nuser-agent: me\r\n"
        b"Accept: */*\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n\r\n"
    )


def test_automatic_fields_can_be_left_out() -> None:
    names = ["Accept", "ACCEPT-ENCODING", "user-agent"]
    raw = sent_by("GET", skip_auto_headers=names)
    assert raw == b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n"


def test_repeated_fields_stay_apart() -> None:
    raw = sent_by("GET", headers=[("A", "1"), ("b", "2"), ("a", "3")])
    assert b"\r\nA: 1\r\nb: 2\r\na: 3\r\n" in raw


def test_credentials_of_the_url_become_a_field_and_nothing_else() -> None:
    raw = sent_by("GET", "http://me:se%20cret@a.test/")
    assert raw.startswith(b"GET / HTTP/1.1\r\nHost: a.test\r\n")
    assert b"\r\nAuthorization: Basic bWU6c2UgY3JldA==\r\n" in raw


def test_methods_keep_their_case_unless_they_are_standard() -> None:
    assert sent_by("get").startswith(b"GET / ")
    assert sent_by("Purge").startswith(b"Purge / ")


def test_params_are_added_and_the_fragment_is_not_sent() -> None:
    raw = sent_by("GET", "http://a.test/p?x=1#f", params={"y": "2"})
    assert raw.startswith(b"GET /p?x=1&y=2 HTTP/1.1\r\n")


def test_session_headers_are_defaults_that_can_be_changed() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        await (await session.get(URL)).read()
        session.headers["A"] = "2"
        await (await session.get(URL)).read()
        await (await session.get(URL, headers={"a": "3"})).read()
        exchanges = tunnel.journal.exchanges
        assert [exchange.request.header("A") for exchange in exchanges] == list("123")

    play(answering(OK, OK, OK), main=main, headers={"A": "1"})


def test_every_verb_sends_its_method() -> None:
    verbs = ["get", "options", "head", "post", "put", "patch", "delete"]

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        for verb in verbs:
            async with getattr(session, verb)(URL) as response:
                await response.read()
                assert response.method == verb.upper()
        seen = [exchange.request.method for exchange in tunnel.journal.exchanges]
        assert seen == [verb.upper() for verb in verbs]

    answers = [OK[:-2] if verb == "head" else OK for verb in verbs]
    play(answering(*answers), main=main)


# --- the response -------------------------------------------------------------------

FULL = (
    b"HTTP/1.1 203 Some Thing\r\nContent-Type: Text/Plain; charset=latin-1\r\n"
    b"X-A: 1\r\nx-a: \xff\r\nContent-Length: 2\r\n\r\n\xe4b"
)


def test_a_response_shows_all_of_its_head() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with session.get("http://a.test/p#frag", headers={"A": "b"}) as response:
            assert response.status == 203
            assert response.reason == "Some Thing"
            assert response.version == windtunnel.HttpVersion11
            assert response.method == "GET"
            assert response.url == yarl.URL("http://a.test/p")
            assert response.real_url == yarl.URL("http://a.test/p#frag")
            assert response.host == "a.test"
            assert response.ok
            assert response.history == ()
            assert response.content_type == "text/plain"
            assert response.charset == "latin-1"
            assert response.content_length == 2
            assert response.headers.getall("X-A") == ["1", "\udcff"]
            assert response.raw_headers[1:3] == ((b"X-A", b"1"), (b"x-a", b"\xff"))
            info = response.request_info
            assert (info.method, info.headers["A"]) == ("GET", "b")
            assert (info.url, info.real_url) == (response.url, response.real_url)
            assert response.request_info is info
            assert await response.text() == "\xe4b"
            assert repr(response).startswith(
                "<ClientResponse(http://a.test/p) [203 Some Thing]>\n<CIMulti"
            )

    play(answering(FULL), main=main)


def test_a_response_without_reason_and_type_has_defaults() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with session.get(URL) as response:
            assert response.version == (1, 7)
            assert response.content_type == "application/octet-stream"
            assert response.charset is None
            assert "[200 None]" in repr(response)
            assert response.content_length is None

    play(answering(b"HTTP/1.7 200\r\n\r\n"), main=main)


def test_a_body_can_be_read_again_but_not_after_the_release() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        response = await session.get(URL)
        assert await response.read() == await response.read() == b"ok"
        assert await response.content.read() == b"ok"
        await response.release()
        with pytest.raises(windtunnel.ClientConnectionError, match="Connection closed"):
            await response.read()
        with pytest.raises(windtunnel.ClientConnectionError, match="Connection closed"):
            await response.content.read()
        assert await response.text() == "ok"
        assert response.closed

    play(answering(OK), main=main)


def test_content_of_a_released_response_is_closed_even_if_first_asked_for_then() -> (
    None
):
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with session.get(URL) as response:
            pass
        with pytest.raises(windtunnel.ClientConnectionError, match="Connection closed"):
            await response.content.read()

    play(answering(OK), main=main)


def twice(text: str) -> str:
    return text * 2


def json_answer(body: bytes, content_type: bytes = b"application/json") -> bytes:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n"
    return head % (content_type, len(body)) + body


@pytest.mark.parametrize(
    ("answer", "options", "expected"),
    [
        pytest.param(json_answer(b'{"a": 1}'), {}, {"a": 1}, id="plain"),
        pytest.param(
            json_answer(b"[1]", b"application/problem+json"), {}, [1], id="suffix"
        ),
        pytest.param(json_answer(b"  "), {}, None, id="blank"),
        pytest.param(
            json_answer(b"[1]", b"text/x"), {"content_type": None}, [1], id="any-type"
        ),
        pytest.param(
            json_answer('"\xe4"'.encode("utf-16")),
            {"encoding": "utf-16"},
            "\xe4",
            id="encoding",
        ),
        pytest.param(json_answer(b"x"), {"loads": twice}, "xx", id="loads"),
    ],
)
def test_json_is_read_as_the_caller_says(
    answer: bytes, options: dict[str, Any], expected: object
) -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with session.get(URL) as response:
            assert await response.json(**options) == expected

    play(answering(answer), main=main)


def test_json_of_another_type_is_refused_with_the_type_shown() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with session.get(URL) as response:
            with pytest.raises(windtunnel.ContentTypeError) as caught:
                await response.json()
            assert caught.value.status == 200
            assert "unexpected mimetype: text/html" in caught.value.message

    play(answering(json_answer(b"[]", b"text/html")), main=main)


def test_broken_json_is_the_error_of_the_parser() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with session.get(URL) as response:
            with pytest.raises(json.JSONDecodeError):
                await response.json()

    play(answering(json_answer(b"[1")), main=main)


def test_the_encoding_of_an_undeclared_text_is_asked_for_with_the_body() -> None:
    def guess(response: windtunnel.ClientResponse, body: bytes) -> str:
        return "latin-1" if body == b"\xe4" else "ascii"

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with session.get(URL) as response:
            with pytest.raises(RuntimeError, match="not yet read body"):
                response.get_encoding()
            assert await response.text() == "\xe4"

    answer = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n\xe4\r\n0\r\n\r\n"
    )
    play(answering(answer), main=main, fallback_charset_resolver=guess)


def test_undeclared_text_is_utf_8_and_may_be_said_to_be_something_else() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with session.get(URL) as response:
            assert await response.text("latin-1") == "\xc3\xa4"
            assert await response.text() == "\xe4"

    play(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n\xc3\xa4"), main=main)


# --- bodies -------------------------------------------------------------------------

BODIES = [
    pytest.param(OK, b"ok", id="length"),
    pytest.param(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n"
        b"0\r\nT: x\r\n\r\n",
        b"ok",
        id="chunked",
    ),
    pytest.param(b"HTTP/1.1 200 OK\r\n\r\nok", b"ok", id="until-close"),
    pytest.param(b"HTTP/1.1 204 No\r\nContent-Length: 2\r\n\r\n", b"", id="204"),
    pytest.param(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n" + OK,
        b"ok",
        id="after-interim",
    ),
    pytest.param(
        b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok", b"ok", id="bare-line-feeds"
    ),
    pytest.param(
        b"HTTP/1.1 100 C\n\nHTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n chunked\r\n\r\n"
        b"2\r\nok\r\n0\r\n\r\n",
        b"ok",
        id="folded-after-bare-interim",
    ),
]


@pytest.mark.parametrize(("answer", "body"), BODIES)
def test_a_response_is_the_same_in_every_cut(answer: bytes, body: bytes) -> None:
    for pieces in cuts(answer):

        async def script(wire: Wire, pieces: list[bytes] = pieces) -> None:
            await wire.read_request()
            for piece in pieces:
                await wire.send(piece)
                await wire.sleep(0.001)

        async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> bytes:
            assert len(tunnel.journal.connections) == 0
            return await read_all(session)

        assert play(script, main=main) == body


def test_a_large_body_is_streamed_in_small_pieces() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with session.get(URL) as response:
            assert not response.closed
            sizes = [len(p) async for p in response.content.iter_chunked(65536)]
            assert sum(sizes) == 3_000_000
            assert max(sizes) <= 65536
            assert response.closed

    head = b"HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n"
    play(answering(head + bytes(3_000_000)), main=main)


ENCODED = gzip.compress(b"hello " * 1000)
GZIP = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"


@pytest.mark.parametrize("split", [None, 7])
def test_a_gzip_body_is_decoded_whether_it_comes_at_once_or_not(
    split: int | None,
) -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with session.get(URL) as response:
            assert await response.read() == b"hello " * 1000
            assert response.headers["Content-Encoding"] == "gzip"
        async with session.get(URL, auto_decompress=False) as response:
            assert await response.read() == ENCODED

    answer = GZIP % len(ENCODED) + ENCODED
    play(answering(answer, answer), main=main, split=split)


@pytest.mark.parametrize("split", [None, 7])
def test_a_truncated_gzip_body_is_an_error_that_keeps_what_was_good(
    split: int | None,
) -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with session.get(URL) as response:
            with pytest.raises(windtunnel.ClientPayloadError, match="gzip") as caught:
                await response.read()
            assert caught.value.partial.startswith(b"hello hello")

    data = ENCODED[:-4]
    play(answering(GZIP % len(data) + data), main=main, split=split)


@pytest.mark.parametrize("split", [None, 50])
def test_an_absurd_number_of_codings_is_an_error_of_the_body(split: int | None) -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with session.get(URL) as response:
            with pytest.raises(windtunnel.ClientPayloadError, match="codings"):
                await response.read()

    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: " + b"gzip," * 30
    play(answering(head + b"\r\nContent-Length: 2\r\n\r\nok"), main=main, split=split)


def test_an_unknown_coding_is_handed_over_as_it_is() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        assert await read_all(session) == b"ok"

    answer = OK.replace(b"\r\n\r\n", b"\r\nContent-Encoding: x\r\n\r\n")
    play(answering(answer), main=main)


# --- raise_for_status and the life of session and response ---------------------------

NOT_FOUND = OK.replace(b"200 OK", b"404 Not Found")


def test_raise_for_status_of_request_beats_that_of_session() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        with pytest.raises(windtunnel.ClientResponseError) as caught:
            await session.get(URL)
        error = caught.value
        assert (error.status, error.message) == (404, "Not Found")
        assert error.request_info is not None
        assert error.headers is not None
        async with session.get(URL, raise_for_status=False) as response:
            assert not response.ok
            with pytest.raises(windtunnel.ClientResponseError):
                response.raise_for_status()
            assert await response.read() == b"ok"

    play(answering(NOT_FOUND, NOT_FOUND), main=main, raise_for_status=True)


def test_raise_for_status_outside_async_with_releases_the_response() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        response = await session.get(URL)
        with pytest.raises(windtunnel.ClientResponseError):
            response.raise_for_status()
        with pytest.raises(windtunnel.ClientConnectionError):
            await response.read()
        good = await session.get(URL)
        good.raise_for_status()
        assert await good.read() == b"ok"

    play(answering(NOT_FOUND, OK), main=main)


def test_raise_for_status_may_be_a_function_of_the_response() -> None:
    async def check(response: windtunnel.ClientResponse) -> None:
        if await response.text() == "ok":
            raise LookupError(response.status)

    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        with pytest.raises(LookupError, match="200"):
            await session.get(URL, raise_for_status=check)

    play(answering(OK), main=main)


def test_a_verb_gives_a_coroutine_that_can_be_awaited_entered_or_made_a_task() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        request = session.get(URL)
        assert isinstance(request, Coroutine)
        assert (await asyncio.create_task(request)).status == 200
        assert (await session.get(URL)).status == 200
        unused = session.get(URL)
        unused.close()
        thrown = session.get(URL)
        with pytest.raises(KeyError):
            thrown.throw(KeyError("x"))

    play(answering(OK, OK), main=main)


def test_responses_are_context_managers_of_their_own() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        async with await session.get(URL) as response:
            assert await response.read() == b"ok"
        await response.wait_for_close()
        response.close()

    play(answering(OK), main=main)


def test_base_url_is_joined_with_relative_urls() -> None:
    async def main(session: windtunnel.ClientSession, tunnel: Tunnel) -> None:
        for url in ("y", "/z"):
            await (await session.get(url)).read()
        targets = [exchange.request.target for exchange in tunnel.journal.exchanges]
        assert targets == ["/x/y", "/z"]

    play(answering(OK, OK), main=main, base_url="http://a.test/x/")


def test_headers_of_any_mapping_are_taken() -> None:
    assert b"\r\nA: b\r\n" in sent_by("GET", headers=CIMultiDict(A="b"))

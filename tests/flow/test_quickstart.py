"""The quickstart of aiohttp's client, run as printed: ``import windtunnel as aiohttp``.

One test for each section, in the order of the page, with every code block of it. The
hosts are those of a simulated internet. Where a block leaves something to its reader,
such as a URL or a body, the test says what was put there.

The page is wrong in two places, and the tests say where: the list of pairs in "Passing
Parameters In URLs", and the default timeout in "Timeouts".
"""

from __future__ import annotations

import asyncio
import gzip
import json
import sys
import zlib
from typing import TYPE_CHECKING, Any

import pytest
from multidict import MultiDict
from websockets.asyncio.server import ServerConnection, serve
from yarl import URL

import windtunnel as client
from tests.flow import stand_ins
from tests.flow.quickstart_page import Page
from windtunnel._body.optional_codecs import brotli_module, zstd_module
from windtunnel_fakeserver import Reply

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from pathlib import Path

    from pytest_windtunnel import WindTunnel

BIN = "http://httpbin.org"


@pytest.fixture
def page(windtunnel: WindTunnel, capsys: pytest.CaptureFixture[str]) -> Page:
    """The page, before its first block."""
    return Page(windtunnel, capsys)


@pytest.fixture
def session(page: Page) -> client.ClientSession:
    """The session that the page calls by this name."""
    made: client.ClientSession = page.tunnel.session()
    page.names["session"] = made
    return made


# -- Make a Request ------------------------------------------------------------------


def test_make_a_request_the_first_program(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(main: Coroutine[Any, Any, None]) -> None:
        page.tunnel.run(main)

    monkeypatch.setattr(asyncio, "run", run)
    program = page.text(
        """
        import aiohttp
        import asyncio
        """,
        ("import aiohttp", "import windtunnel as aiohttp"),
    ) + page.text(
        """
        async def main():
            async with aiohttp.ClientSession() as session:
                async with session.get('http://httpbin.org/get') as resp:
                    print(resp.status)
                    print(await resp.text())

        asyncio.run(main())
        """
    )
    exec(program, {})  # the page is ours

    status, _, text = page.printed.partition("\n")
    assert status == "200"
    assert json.loads(text)["url"] == "http://httpbin.org/get"


@pytest.mark.usefixtures("session")
async def test_make_a_request_the_other_methods(page: Page) -> None:
    await page.run(
        """
        session.post('http://httpbin.org/post', data=b'data')
        """
    )
    await page.run(
        """
        session.put('http://httpbin.org/put', data=b'data')
        session.delete('http://httpbin.org/delete')
        session.head('http://httpbin.org/get')
        session.options('http://httpbin.org/get')
        session.patch('http://httpbin.org/patch', data=b'data')
        """
    )
    assert page.asked() == [
        f"POST {BIN}/post",
        f"PUT {BIN}/put",
        f"DELETE {BIN}/delete",
        f"HEAD {BIN}/get",
        f"OPTIONS {BIN}/get",
        f"PATCH {BIN}/patch",
    ]
    assert [each.reply_status for each in page.tunnel.journal] == [200] * 6
    bodies = [each.request.body for each in page.tunnel.journal]
    assert bodies == [b"data", b"data", b"", b"", b"", b"data"]


async def test_make_a_request_with_a_base_url(page: Page) -> None:
    await page.run(
        """
        async with aiohttp.ClientSession('http://httpbin.org') as session:
            async with session.get('/get'):
                pass
            async with session.post('/post', data=b'data'):
                pass
            async with session.put('/put', data=b'data'):
                pass
        """
    )
    assert page.asked() == [f"GET {BIN}/get", f"POST {BIN}/post", f"PUT {BIN}/put"]


async def test_make_a_request_and_close_the_session_by_hand(page: Page) -> None:
    await page.run(
        """
        session = aiohttp.ClientSession()
        async with session.get('...'):
            # ...
        await session.close()
        """,
        ("'...'", "'http://httpbin.org/get'"),
        ("# ...", "pass"),
    )
    assert page.names["session"].closed
    assert page.asked() == [f"GET {BIN}/get"]


# -- Passing Parameters In URLs ------------------------------------------------------


@pytest.mark.usefixtures("session")
async def test_passing_parameters_in_urls_as_a_dict(page: Page) -> None:
    await page.run(
        """
        params = {'key1': 'value1', 'key2': 'value2'}
        async with session.get('http://httpbin.org/get',
                               params=params) as resp:
            expect = 'http://httpbin.org/get?key1=value1&key2=value2'
            assert str(resp.url) == expect
        """
    )
    assert page.asked() == [f"GET {BIN}/get?key1=value1&key2=value2"]


async def test_passing_parameters_in_urls_with_several_values_for_a_key(
    page: Page, session: client.ClientSession
) -> None:
    for params in (
        MultiDict([("key", "value1"), ("key", "value2")]),
        {"key": ["value1", "value2"]},
    ):
        async with session.get(f"{BIN}/get", params=params) as resp:
            told = await resp.json()
        assert str(resp.url) == f"{BIN}/get?key=value1&key=value2"
        assert told["args"] == {"key": ["value1", "value2"]}


@pytest.mark.usefixtures("session")
async def test_passing_parameters_in_urls_as_pairs_keeps_their_order(
    page: Page,
) -> None:
    # The first mistake of the page: it expects the values in reverse. What it prints
    # fails with any client that keeps the order, aiohttp's own included.
    block = """
        params = [('key', 'value1'), ('key', 'value2')]
        async with session.get('http://httpbin.org/get',
                               params=params) as r:
            expect = 'http://httpbin.org/get?key=value2&key=value1'
            assert str(r.url) == expect
        """
    with pytest.raises(AssertionError):
        await page.run(block)
    await page.run(block, ("key=value2&key=value1", "key=value1&key=value2"))
    assert page.asked() == [f"GET {BIN}/get?key=value1&key=value2"] * 2


@pytest.mark.usefixtures("session")
async def test_passing_parameters_in_urls_as_text(page: Page) -> None:
    await page.run(
        """
        async with session.get('http://httpbin.org/get',
                               params='key=value+1') as r:
                assert str(r.url) == 'http://httpbin.org/get?key=value+1'
        """
    )
    assert page.asked() == [f"GET {BIN}/get?key=value+1"]


async def test_passing_parameters_in_urls_canonicalization(
    page: Page, session: client.ClientSession
) -> None:
    async with session.get("http://example.com/путь/%30?a=%31") as resp:
        assert str(resp.url) == ("http://example.com/%D0%BF%D1%83%D1%82%D1%8C/0?a=1")
    page.names["URL"] = URL
    await page.run(
        """
        await session.get(
            URL('http://example.com/%30', encoded=True))
        """
    )
    assert page.asked() == [
        "GET http://example.com/%D0%BF%D1%83%D1%82%D1%8C/0?a=1",
        "GET http://example.com/%30",
    ]


# -- Response Content and Status Code, Binary Response Content -----------------------


@pytest.mark.usefixtures("session")
async def test_response_content_and_status_code(page: Page) -> None:
    await page.run(
        """
        async with session.get('https://api.github.com/events') as resp:
            print(resp.status)
            print(await resp.text())
        """
    )
    # "prints out something like", in another year and with quotes that print() omits:
    shown = page.text(
        """
        200
        '[{"created_at":"2015-06-12T14:06:22Z","public":true,"actor":{...
        """
    )
    status, _, events = page.printed.partition("\n")
    assert status == shown.partition("\n")[0]
    (first, *_) = json.loads(events)
    assert {"created_at", "public", "actor"} <= first.keys()


async def test_response_content_in_an_encoding_of_ones_own(
    page: Page, session: client.ClientSession
) -> None:
    async with session.post(f"{BIN}/post", data="Тест") as resp:
        page.names["resp"] = resp
        text = await page.run(
            """
            await resp.text(encoding='windows-1251')
            """
        )
        assert text == (await resp.read()).decode("windows-1251")


async def test_binary_response_content(
    page: Page, session: client.ClientSession
) -> None:
    async with session.get("https://api.github.com/events") as resp:
        page.names["resp"] = resp
        await page.run(
            """
            print(await resp.read())
            """
        )
    shown = page.text(
        """
        b'[{"created_at":"2015-06-12T14:06:22Z","public":true,"actor":{...
        """
    )
    assert page.printed[:5] == shown[:5]


@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        pytest.param("gzip", gzip.compress(b"plain"), id="gzip"),
        pytest.param("deflate", zlib.compress(b"plain"), id="deflate"),
        pytest.param("br", brotli_module().compress(b"plain"), id="brotli"),
        pytest.param("zstd", zstd_module().compress(b"plain"), id="zstd"),
    ],
)
async def test_binary_response_content_is_decoded(
    page: Page, session: client.ClientSession, coding: str, packed: bytes
) -> None:
    server = page.tunnel.server
    server.on("GET", "/").reply(Reply(200, {"content-encoding": coding}, body=packed))
    async with session.get(server.url("/")) as resp:
        assert await resp.read() == b"plain"
    (exchange,) = page.tunnel.journal
    offered = (exchange.request.header("accept-encoding") or "").split(", ")
    assert coding in offered


# -- JSON Request, JSON Response Content ---------------------------------------------


async def test_json_request(page: Page) -> None:
    page.names["url"] = f"{BIN}/post"
    await page.run(
        """
        async with aiohttp.ClientSession() as session:
            async with session.post(url, json={'test': 'object'})
        """,
        ("'object'})", "'object'}): pass"),
    )
    (exchange,) = page.tunnel.journal
    assert exchange.request.json() == {"test": "object"}
    assert exchange.request.header("content-type") == "application/json"


async def test_json_request_with_another_serializer(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ujson", stand_ins.ujson)
    page.names["url"] = f"{BIN}/post"
    await page.run(
        """
        import ujson

        async with aiohttp.ClientSession(
                json_serialize=ujson.dumps) as session:
            await session.post(url, json={'test': 'object'})
        """
    )
    assert [e.request.body for e in page.tunnel.journal] == [b'{"test":"object"}']


@pytest.mark.usefixtures("session")
async def test_json_response_content(page: Page) -> None:
    await page.run(
        """
        async with session.get('https://api.github.com/events') as resp:
            print(await resp.json())
        """
    )
    assert page.printed.startswith("[{'")


# -- Streaming Response Content ------------------------------------------------------


async def test_streaming_response_content(
    page: Page, session: client.ClientSession, tmp_path: Path
) -> None:
    piece = await page.run(
        """
        async with session.get('https://api.github.com/events') as resp:
            await resp.content.read(10)
        """
    )
    assert piece is None
    async with session.get("https://api.github.com/events") as resp:
        page.names |= {"resp": resp, "filename": tmp_path / "events", "chunk_size": 10}
        await page.run(
            """
            with open(filename, 'wb') as fd:
                async for chunk in resp.content.iter_chunked(chunk_size):
                    fd.write(chunk)
            """
        )
    assert len(json.loads((tmp_path / "events").read_bytes())) == 3


# -- More complicated POST requests --------------------------------------------------


@pytest.mark.usefixtures("session")
async def test_more_complicated_post_requests_a_form(page: Page) -> None:
    await page.run(
        """
        payload = {'key1': 'value1', 'key2': 'value2'}
        async with session.post('http://httpbin.org/post',
                                data=payload) as resp:
            print(await resp.text())
        """
    )
    shown = page.text(
        """
        {
          ...
          "form": {
            "key2": "value2",
            "key1": "value1"
          },
          ...
        }
        """,
        ("{\n  ...\n", "{"),
        ("  },\n  ...\n", "}"),
    )
    assert json.loads(page.printed)["form"] == json.loads(shown)["form"]


@pytest.mark.usefixtures("session")
async def test_more_complicated_post_requests_bytes_json_and_text(page: Page) -> None:
    page.names["url"] = f"{BIN}/post"
    await page.run(
        r"""
        async with session.post(url, data=b'\x00Binary-data\x00') as resp:
            ...
        """
    )
    await page.run(
        """
        async with session.post(url, json={'example': 'test'}) as resp:
            ...
        """
    )
    await page.run(
        """
        async with session.post(url, data='Тест') as resp:
            ...
        """
    )
    sent = [e.request for e in page.tunnel.journal]
    assert [(each.header("content-type"), each.body) for each in sent] == [
        ("application/octet-stream", b"\x00Binary-data\x00"),
        ("application/json", b'{"example": "test"}'),
        ("text/plain; charset=utf-8", "Тест".encode()),
    ]


# -- POST a Multipart-Encoded File ---------------------------------------------------


@pytest.mark.usefixtures("session")
async def test_post_a_multipart_encoded_file(
    page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "report.xls").write_bytes(b"\xd0\xcf\x11\xe0 cells")
    monkeypatch.chdir(tmp_path)
    await page.run(
        """
        url = 'http://httpbin.org/post'
        files = {'file': open('report.xls', 'rb')}

        await session.post(url, data=files)
        """
    )
    await page.run(
        """
        url = 'http://httpbin.org/post'
        data = aiohttp.FormData()
        data.add_field('file',
                       open('report.xls', 'rb'),
                       filename='report.xls',
                       content_type='application/vnd.ms-excel')

        await session.post(url, data=data)
        """
    )
    plain, named = page.tunnel.journal
    for exchange in (plain, named):
        told = json.loads(exchange.sent_raw.partition(b"\r\n\r\n")[2])
        assert list(told["files"]) == ["file"]
        assert b'name="file"; filename="report.xls"' in exchange.request.body
        assert b"\xd0\xcf\x11\xe0 cells" in exchange.request.body
    assert b"Content-Type: application/vnd.ms-excel" in named.request.body


# -- Streaming uploads ---------------------------------------------------------------


@pytest.mark.usefixtures("session")
async def test_streaming_uploads_of_a_file(
    page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    massive = b"mass" * 300_000
    (tmp_path / "massive-body").write_bytes(massive)
    monkeypatch.chdir(tmp_path)
    await page.run(
        """
        with open('massive-body', 'rb') as f:
           await session.post('http://httpbin.org/post', data=f)
        """
    )
    (exchange,) = page.tunnel.journal
    assert exchange.request.body == massive
    assert exchange.request.header("content-length") == str(len(massive))


@pytest.mark.usefixtures("session")
async def test_streaming_uploads_from_a_generator(
    page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    huge = b"huge" * 50_000
    (tmp_path / "huge_file").write_bytes(huge)
    monkeypatch.chdir(tmp_path)
    page.names["aiofiles"] = stand_ins.aiofiles
    await page.run(
        """
        async def file_sender(file_name=None):
            async with aiofiles.open(file_name, 'rb') as f:
                chunk = await f.read(64*1024)
                while chunk:
                    yield chunk
                    chunk = await f.read(64*1024)

        # Then you can use file_sender as a data provider:

        async with session.post('http://httpbin.org/post',
                                data=file_sender(file_name='huge_file')) as resp:
            print(await resp.text())
        """
    )
    assert json.loads(page.printed)["data"] == huge.decode()
    (exchange,) = page.tunnel.journal
    assert exchange.request.header("transfer-encoding") == "chunked"


async def test_streaming_uploads_of_what_another_request_gets(
    page: Page, session: client.ClientSession
) -> None:
    await page.run(
        """
        resp = await session.get('http://python.org')
        await session.post('http://httpbin.org/post',
                           data=resp.content)
        """
    )
    async with session.get("http://python.org") as resp:
        front_page = await resp.read()
    assert page.asked()[1] == f"POST {BIN}/post"
    assert page.tunnel.journal[1].request.body == front_page


# -- WebSockets ----------------------------------------------------------------------


@pytest.mark.usefixtures("session")
async def test_websockets(page: Page) -> None:
    answers: list[str | bytes] = []
    closed = asyncio.Event()

    async def host(socket: ServerConnection) -> None:
        for word in ("one", "two"):
            await socket.send(word)
            answers.append(await socket.recv())
        await socket.send("close cmd")
        await socket.wait_closed()
        closed.set()

    page.tunnel.network.dns.add("example.org", ["198.18.7.7"])
    listener: Any = page.tunnel.network.listen("198.18.7.7", 80)
    async with serve(host, sock=listener):
        await page.run(
            """
            async with session.ws_connect('http://example.org/ws') as ws:
                async for msg in ws:
                    if msg.type == aiohttp.WSMsgType.TEXT:
                        if msg.data == 'close cmd':
                            await ws.close()
                            break
                        else:
                            await ws.send_str(msg.data + '/answer')
                    elif msg.type == aiohttp.WSMsgType.ERROR:
                        break
            """
        )
        await closed.wait()
    assert answers == ["one/answer", "two/answer"]
    assert page.names["ws"].close_code == 1000


# -- Timeouts ------------------------------------------------------------------------


async def test_timeouts_of_a_session_and_of_a_request(page: Page) -> None:
    slow = f"{BIN}/delay/600"
    page.names["url"] = slow
    with pytest.raises(TimeoutError):
        await page.run(
            """
            timeout = aiohttp.ClientTimeout(total=60)
            async with aiohttp.ClientSession(timeout=timeout) as session:
                ...
            """,
            ("...", f"await session.get({slow!r})"),
        )
    assert 60 <= page.tunnel.clock.elapsed <= 61
    async with page.tunnel.session() as session:
        page.names["session"] = session
        with pytest.raises(TimeoutError):
            await page.run(
                """
                async with session.get(url, timeout=timeout) as resp:
                    ...
                """
            )
    assert 120 <= page.tunnel.clock.elapsed <= 122


async def test_timeouts_by_default(page: Page, session: client.ClientSession) -> None:
    printed = await page.run(
        """
        aiohttp.ClientTimeout(total=5*60, connect=None,
                              sock_connect=None, sock_read=None, ceil_threshold=5)
        """
    )
    # The second mistake of the page, which says "30 seconds" above this block: a
    # session that was given no timeout gives up after 30 s of connecting.
    assert session.timeout != printed
    assert session.timeout == client.ClientTimeout(
        total=5 * 60, connect=None, sock_connect=30, sock_read=None, ceil_threshold=5
    )

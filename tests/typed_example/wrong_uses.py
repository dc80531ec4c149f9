"""Mistakes that a type checker has to find: one on each line that says so."""

import windtunnel as aiohttp


async def wrong(session: aiohttp.ClientSession) -> None:
    await session.get(1)  # wrong: no URL
    await session.get("http://a.test", timeot=3)  # wrong: misspelt
    await session.get("http://a.test", allow_redirects="no")  # wrong: no bool
    await session.get("http://a.test", headers=[1, 2])  # wrong: no pairs
    await session.get("http://a.test", timeout="3")  # wrong: no number
    aiohttp.ClientTimeout(total="5")  # wrong: no number
    aiohttp.ClientTimeout(read=5)  # wrong: no such field
    aiohttp.ClientSession(timeout=5)  # wrong: no ClientTimeout
    aiohttp.TCPConnector(limit="many")  # wrong: no number
    aiohttp.FormData().add_field("a", b"1", filename=1)  # wrong: no text

    async with session.get("http://a.test") as response:
        text: bytes = await response.text()  # wrong: text is str
        body: str = await response.read()  # wrong: read gives bytes
        status: str = response.status  # wrong: a number
        response.headers["a"] = "b"  # wrong: cannot be changed
        assert response.stauts  # wrong: misspelt
        async for piece in response.content.iter_chunked("10"):  # wrong: no number
            assert [piece, text, body, status]

    async with session.ws_connect("ws://a.test") as socket:
        await socket.send_str(b"x")  # wrong: no text
        await socket.send_bytes("x")  # wrong: no bytes
        await socket.close(code="1000")  # wrong: no number

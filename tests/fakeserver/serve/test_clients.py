"""Real clients, unmodified, against the fake server on both venues."""

from __future__ import annotations

import aiohttp
import httpx
import pytest

from tests.fakeserver.venues import Play, Venue, both, tls_host
from windtunnel_fakeserver import Reply, Request, Tunnel, pause, subset


@both
def test_aiohttp_gets_json_and_reuses_its_connection(play: Play) -> None:
    async def scenario(venue: Venue) -> None:
        me = venue.server.on("GET", "/me").reply(Reply(json={"id": 1}))
        async with aiohttp.ClientSession() as session:
            for _ in range(2):
                async with session.get(venue.server.url("/me")) as response:
                    assert await response.json() == {"id": 1}
        assert me.count == 2

    venue = play(scenario)
    assert [(x.connection, x.request.exchange) for x in venue.journal] == [
        (0, 0),
        (0, 1),
    ]


@both
def test_httpx_gets_json_and_reuses_its_connection(play: Play) -> None:
    async def scenario(venue: Venue) -> None:
        venue.server.expect("GET", "/me", times=2).reply(Reply(json={"id": 1}))
        async with httpx.AsyncClient(verify=False) as client:
            for _ in range(2):
                response = await client.get(venue.server.url("/me"))
                assert response.json() == {"id": 1}

    assert len(play(scenario).journal.connections) == 1


@both
def test_aiohttp_and_httpx_trust_the_authority(play: Play) -> None:
    async def scenario(venue: Venue) -> None:
        api = tls_host(venue)
        api.expect("GET", "/", times=2).reply(Reply(text="private"))
        trust = venue.authority.client_context()
        async with (
            aiohttp.ClientSession() as session,
            session.get(api.url(), ssl=trust) as response,
        ):
            assert await response.text() == "private"
        async with httpx.AsyncClient(verify=trust) as client:
            assert (await client.get(api.url())).text == "private"

    venue = play(scenario)
    assert all(record.tls for record in venue.journal.connections)


@both
def test_an_upload_waits_for_100_continue(play: Play) -> None:
    async def scenario(venue: Venue) -> None:
        venue.server.expect("PUT", "/up", body=b"x" * 100).reply(Reply(201))
        async with aiohttp.ClientSession() as session:
            url = venue.server.url("/up")
            async with session.put(url, data=b"x" * 100, expect100=True) as response:
                assert response.status == 201

    [exchange] = play(scenario).journal
    assert exchange.sent_raw.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 ")


@both
def test_chunked_and_form_uploads_are_recorded(play: Play) -> None:
    async def scenario(venue: Venue) -> None:
        async def pieces() -> object:
            yield b"one"
            yield b"two"

        venue.server.expect("POST", "/chunks", body=b"onetwo")
        venue.server.expect("POST", "/form")
        async with httpx.AsyncClient(verify=False) as client:
            await client.post(venue.server.url("/chunks"), content=pieces())  # type: ignore[arg-type]  # typed as object
            await client.post(venue.server.url("/form"), data={"a": "1", "b": "é"})

    venue = play(scenario)
    request = venue.journal.one("POST", "/form")
    assert request.form() == [("a", "1"), ("b", "é")]
    assert request.raw.startswith(b"POST /form HTTP/1.1\r\n")


@both
def test_head_and_204_have_no_body(play: Play) -> None:
    async def scenario(venue: Venue) -> None:
        venue.server.on("HEAD", "/").reply(Reply(text="abc"))
        venue.server.on("DELETE", "/").reply(Reply(204))
        async with aiohttp.ClientSession() as session:
            async with session.head(venue.server.url()) as response:
                assert response.headers["Content-Length"] == "3"
                assert await response.read() == b""
            async with session.delete(venue.server.url()) as response:
                assert response.status == 204

    assert len(play(scenario).journal.connections) == 1


@both
def test_an_app_answers_what_no_route_takes(play: Play) -> None:
    async def app(request: Request) -> Reply:
        return Reply(json={"you": request.path})

    def plain(request: Request) -> Reply:
        return Reply(text=request.method)

    async def scenario(venue: Venue) -> None:
        name = "http://app.test" if isinstance(venue, Tunnel) else "http://localhost:0"
        server = venue.host(name, app=app)
        server.expect("GET", "/route").reply(plain)
        async with aiohttp.ClientSession() as session:
            async with session.get(server.url("/else")) as response:
                assert await response.json() == {"you": "/else"}
            async with session.get(server.url("/route")) as response:
                assert await response.text() == "GET"

    venue = play(scenario)
    assert [x.answered_by for x in venue.journal] == [
        "app app",
        'expect("GET", "/route")',
    ]


@both
def test_what_comes_next_takes_from_the_queue(play: Play) -> None:
    async def scenario(venue: Venue) -> None:
        venue.server.enqueue(Reply(503), Reply(200))
        async with aiohttp.ClientSession() as session:
            for status in (503, 200):
                async with session.get(venue.server.url("/any")) as response:
                    assert response.status == status

    play(scenario)


def test_pauses_and_delays_take_virtual_time() -> None:
    async def scenario(tunnel: Tunnel) -> None:
        feed = Reply(chunks=[b"one", pause(60), b"two", pause(60), b"three"], delay=5)
        tunnel.server.expect("GET", "/feed").reply(feed)
        async with (
            aiohttp.ClientSession() as session,
            session.get(tunnel.server.url("/feed")) as response,
        ):
            parts = response.content.iter_any()
            seen = [(round(tunnel.clock.now, 1), part) async for part in parts]
        assert seen == [(5.0, b"one"), (65.0, b"two"), (125.0, b"three")]

    Tunnel().run(scenario)


@pytest.mark.parametrize("client", ["aiohttp", "httpx"])
def test_a_timeout_of_five_minutes_costs_nothing(client: str) -> None:
    async def scenario(tunnel: Tunnel) -> None:
        tunnel.server.expect("GET", "/").reply(Reply(delay=1000))
        url = tunnel.server.url()
        if client == "aiohttp":
            async with aiohttp.ClientSession() as session:
                with pytest.raises(TimeoutError):
                    await session.get(url, timeout=aiohttp.ClientTimeout(total=300))
        else:
            async with httpx.AsyncClient(verify=False, timeout=300) as http:
                with pytest.raises(httpx.ReadTimeout):
                    await http.get(url)
        assert 300 <= tunnel.clock.elapsed < 301

    Tunnel().run(scenario)


@both
def test_several_hosts_share_a_name_with_different_ports(play: Play) -> None:
    async def scenario(venue: Venue) -> None:
        ports = (8001, 8002) if isinstance(venue, Tunnel) else (0, 0)
        name = "shop.test" if isinstance(venue, Tunnel) else "localhost"
        hosts = [venue.host(f"http://{name}:{port}") for port in ports]
        for number, host in enumerate(hosts):
            host.expect("GET", "/").reply(Reply(200 + number))
        async with aiohttp.ClientSession() as session:
            for number, host in enumerate(hosts):
                async with session.get(host.url()) as response:
                    assert response.status == 200 + number
        assert [len(host.journal) for host in hosts] == [1, 1]

    play(scenario)


@both
def test_json_subsets_match_and_the_request_is_there_to_ask(play: Play) -> None:
    async def scenario(venue: Venue) -> None:
        order = venue.server.expect("POST", "/o", json=subset({"qty": 2}))
        order.reply(Reply(201))
        async with aiohttp.ClientSession() as session:
            url = venue.server.url("/o")
            async with session.post(url, json={"qty": 2, "x": [1]}) as response:
                assert response.status == 201
        assert order.last.json()["x"] == [1]

    play(scenario)

"""slack_sdk: a chat service's web API, uploads, and its socket mode."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient
from websockets.asyncio.server import ServerConnection, serve

from windtunnel_fakeserver import Reply

if TYPE_CHECKING:
    from pathlib import Path

    from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
    from slack_sdk.socket_mode.request import SocketModeRequest

    from pytest_windtunnel import WindTunnel

API = "http://slack.test/api/"


async def test_a_message_is_posted_after_the_rate_limit_has_passed(
    windtunnel: WindTunnel,
) -> None:
    server = windtunnel.host("http://slack.test")
    route = server.expect("POST", "/api/chat.postMessage").reply(
        Reply(429, {"retry-after": "30"}, json={"ok": False, "error": "ratelimited"}),
        Reply(200, json={"ok": True, "ts": "1.5"}),
    )
    client = AsyncWebClient(token="xoxb-1", base_url=API)
    client.retry_handlers.append(AsyncRateLimitErrorRetryHandler(max_retry_count=1))

    answer = await client.chat_postMessage(channel="C1", text="Grüße & <b>")

    assert answer["ts"] == "1.5"
    assert answer.status_code == 200
    assert route.last.json() == {"channel": "C1", "text": "Grüße & <b>"}
    assert route.last.header("authorization") == "Bearer xoxb-1"
    assert windtunnel.clock.elapsed == pytest.approx(30, abs=2)


async def test_a_list_is_read_page_by_page_and_a_refusal_is_an_error(
    windtunnel: WindTunnel,
) -> None:
    server = windtunnel.host("http://slack.test")
    server.expect("GET", "/api/users.list").reply(
        Reply(
            200,
            json={
                "ok": True,
                "members": ["U1"],
                "response_metadata": {"next_cursor": "dXNl="},
            },
        ),
        Reply(200, json={"ok": True, "members": ["U2"]}),
        Reply(200, json={"ok": False, "error": "invalid_auth"}),
    )
    async with aiohttp.ClientSession() as session:
        client = AsyncWebClient(token="xoxb-1", base_url=API, session=session)
        members = []
        async for page in await client.users_list(limit=1):
            members += page["members"]
        assert members == ["U1", "U2"]
        with pytest.raises(SlackApiError, match="invalid_auth"):
            await client.users_list()
    assert windtunnel.journal[1].request.query == [("limit", "1"), ("cursor", "dXNl=")]


async def test_a_file_is_uploaded_in_three_steps(
    windtunnel: WindTunnel, tmp_path: Path
) -> None:
    content = b"\x89PNG" + b"\x00" * 100_000
    (tmp_path / "plot.png").write_bytes(content)
    server = windtunnel.host("http://slack.test")
    server.expect("POST", "/api/files.getUploadURLExternal").reply(
        Reply(
            200,
            json={"ok": True, "upload_url": server.url("/upload/1"), "file_id": "F1"},
        )
    )
    upload = server.expect("POST", "/upload/1").reply(
        Reply(200, {"content-type": "text/plain"}, body=b"OK - 100004")
    )
    server.expect("POST", "/api/files.completeUploadExternal").reply(
        Reply(200, json={"ok": True, "files": [{"id": "F1"}]})
    )
    client = AsyncWebClient(token="xoxb-1", base_url=API)

    answer = await client.files_upload_v2(
        file=str(tmp_path / "plot.png"), title="Lift", channel="C1"
    )

    assert answer["files"][0]["id"] == "F1"
    assert upload.last.body == content


async def test_socket_mode_answers_what_it_is_sent(windtunnel: WindTunnel) -> None:
    acknowledged: list[Any] = []

    async def host(socket: ServerConnection) -> None:
        await socket.send('{"type": "hello"}')
        envelope = {
            "type": "events_api",
            "envelope_id": "e1",
            "payload": {"event": {"type": "message", "text": "hi"}},
        }
        await socket.send(json.dumps(envelope))
        acknowledged.append(json.loads(await socket.recv()))
        await socket.wait_closed()

    web = windtunnel.host("http://slack.test")
    web.expect("POST", "/api/apps.connections.open").reply(
        Reply(200, json={"ok": True, "url": "ws://wss.test/link?ticket=1"})
    )
    windtunnel.network.dns.add("wss.test", ["198.18.7.7"])
    listener: Any = windtunnel.network.listen("198.18.7.7", 80)
    done = asyncio.Event()

    async def on_request(
        client: AsyncBaseSocketModeClient, request: SocketModeRequest
    ) -> None:
        assert request.payload["event"]["text"] == "hi"
        await client.send_socket_mode_response(
            SocketModeResponse(envelope_id=request.envelope_id)
        )
        done.set()

    async with serve(host, sock=listener):
        client = SocketModeClient(
            app_token="xapp-1", web_client=AsyncWebClient(base_url=API)
        )
        client.socket_mode_request_listeners.append(on_request)
        await client.connect()
        await done.wait()
        assert await client.is_connected()
        await client.close()

    assert acknowledged == [{"envelope_id": "e1"}]

"""gidgethub: the API of a code host, with pages, caching and rate limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp
import gidgethub
import pytest
from gidgethub.aiohttp import GitHubAPI

from windtunnel_fakeserver import Reply

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from pytest_windtunnel import WindTunnel

API = "https://api.github.com"
JSON = {"content-type": "application/json; charset=utf-8"}


def session_for(windtunnel: WindTunnel) -> aiohttp.ClientSession:
    """Make a session that trusts the hosts of the tunnel, as an application would."""
    trust = windtunnel.authority.client_context()
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust))


async def test_all_pages_of_a_list_are_read(windtunnel: WindTunnel) -> None:
    server = windtunnel.host(API)
    issues = f"{API}/repos/octavia/wing/issues"
    link = f'<{issues}?page=2>; rel="next", <{issues}?page=2>; rel="last"'
    route = server.expect("GET", "/repos/octavia/wing/issues").reply(
        Reply(200, {"link": link}, json=[{"number": 1}, {"number": 2}]),
        Reply(200, json=[{"number": 3}]),
    )

    async with session_for(windtunnel) as session:
        hub = GitHubAPI(session, "octavia", oauth_token="t")
        found = [
            issue["number"] async for issue in hub.getiter("/repos/octavia/wing/issues")
        ]

    assert found == [1, 2, 3]
    assert route.last.target == "/repos/octavia/wing/issues?page=2"
    assert route.last.header("authorization") == "token t"
    assert route.last.header("user-agent") == "octavia"
    assert len(windtunnel.journal.connections) == 1


async def test_what_has_not_changed_comes_from_the_cache(
    windtunnel: WindTunnel,
) -> None:
    server = windtunnel.host(API)
    route = server.expect("GET", "/repos/octavia/wing").reply(
        Reply(200, {"etag": 'W/"a1"'}, json={"stars": 5}), Reply(304)
    )
    cache: MutableMapping[str, object] = {}

    async with session_for(windtunnel) as session:
        hub = GitHubAPI(session, "octavia", cache=cache)
        first = await hub.getitem("/repos/octavia/wing")
        second = await hub.getitem("/repos/octavia/wing")

    assert first == second == {"stars": 5}
    assert route.last.header("if-none-match") == 'W/"a1"'


async def test_an_issue_is_opened_changed_and_deleted(windtunnel: WindTunnel) -> None:
    server = windtunnel.host(API)
    made = server.expect("POST", "/repos/octavia/wing/issues").reply(
        Reply(201, json={"number": 4})
    )
    changed = server.expect("PATCH", "/repos/octavia/wing/issues/4").reply(
        Reply(200, json={"state": "closed"})
    )
    gone = server.expect("DELETE", "/repos/octavia/wing/issues/4/lock").reply(
        Reply(204)
    )

    async with session_for(windtunnel) as session:
        hub = GitHubAPI(session, "octavia", oauth_token="t")
        issue = await hub.post(
            "/repos/{owner}/wing/issues",
            {"owner": "octavia"},
            data={"title": "Flattern"},
        )
        assert issue == {"number": 4}
        closed = await hub.patch(
            "/repos/octavia/wing/issues/4", data={"state": "closed"}
        )
        assert closed == {"state": "closed"}
        await hub.delete("/repos/octavia/wing/issues/4/lock")

    assert made.last.json() == {"title": "Flattern"}
    assert changed.last.json() == {"state": "closed"}
    assert gone.count == 1


async def test_refusals_have_errors_of_their_own(windtunnel: WindTunnel) -> None:
    limited = {
        "x-ratelimit-limit": "60",
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": "1900000000",
    }
    server = windtunnel.host(API)
    server.expect("GET", "/user").reply(
        Reply(401, json={"message": "Bad credentials"}),
        Reply(403, limited, json={"message": "rate limit exceeded"}),
        Reply(502, body=b"upstream"),
    )

    async with session_for(windtunnel) as session:
        hub = GitHubAPI(session, "octavia")
        with pytest.raises(gidgethub.BadRequest, match="Bad credentials"):
            await hub.getitem("/user")
        with pytest.raises(gidgethub.RateLimitExceeded):
            await hub.getitem("/user")
        hub.rate_limit = None
        with pytest.raises(gidgethub.GitHubBroken):
            await hub.getitem("/user")

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.fakeserver.apps.asking import request
from windtunnel_fakeserver.apps import (
    ORIGINS,
    example_com,
    github_api,
    python_org,
    simulated_internet,
)

if TYPE_CHECKING:
    from windtunnel_fakeserver import App


def test_github_tells_public_events_in_the_shape_of_the_real_api() -> None:
    reply = github_api(request("GET", "/events"))
    events = json.loads(reply.body)

    assert reply.status == 200
    assert {"id", "type", "actor", "repo", "payload", "public", "created_at"} == set(
        events[0]
    )
    assert not reply.body.isascii()


def test_github_answers_other_paths_with_a_json_404() -> None:
    reply = github_api(request("GET", "/nothing"))

    assert (reply.status, json.loads(reply.body)["message"]) == (404, "Not Found")


def test_python_org_has_a_front_page_and_nothing_else() -> None:
    assert b"Welcome to Python.org" in python_org(request("GET", "/")).body
    assert python_org(request("GET", "/x")).status == 404


def test_example_com_shows_the_target_as_it_came() -> None:
    assert b"<code>/%30?a=%31</code>" in example_com(request("GET", "/%30?a=%31")).body


def test_simulated_internet_declares_every_origin_once() -> None:
    declared: dict[str, App] = {}

    class Venue:
        def host(self, origin: str, /, *, app: App) -> object:
            declared[origin] = app
            return None

    simulated_internet(Venue())

    assert declared == dict(ORIGINS)
    assert {"http://httpbin.org", "https://api.github.com"} <= declared.keys()

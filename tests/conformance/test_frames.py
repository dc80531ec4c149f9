"""WebSocket frames of peers and clients, and the words of a case that use them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance import casefile
from windtunnel_conformance.acceptable import Equal, SentFrame
from windtunnel_conformance.case import Action, Send, Upgrade
from windtunnel_conformance.compile import case_json
from windtunnel_conformance.errors import CaseError
from windtunnel_conformance.frames import read_frames
from windtunnel_conformance.judge import judge
from windtunnel_conformance.outcome import Outcome, SeenConnection, SeenFrame

SOCKET = '[[client]]\nas = "r"\nws = { url = "ws://a.test/" }\n'
FRAMES = '[[expect]]\nverdict = "pass"\n[[expect.frames]]\n'


def written(frame: str) -> bytes:
    """Return the bytes that a peer sends for a frame table."""
    peer = f"[[peer]]\nsteps = [{{ frame = {{ {frame} }} }}]\n"
    (step,) = casefile.variant(peer=peer).peers[0].steps
    assert isinstance(step, Send)
    return step.data


@pytest.mark.parametrize(
    ("frame", "data"),
    [
        pytest.param('op = "text", payload = "hi"', b"\x81\x02hi", id="text"),
        pytest.param('op = "binary", fin = false', b"\x02\x00", id="fragment"),
        pytest.param('op = "ping", rsv = 4', b"\xc9\x00", id="reserved-bit"),
        pytest.param("op = 3", b"\x83\x00", id="number"),
        pytest.param(
            'op = "close", code = 1001, reason = "é"',
            b"\x88\x04\x03\xe9\xc3\xa9",
            id="close",
        ),
        pytest.param(
            'op = "text", masked = true, payload = "\\u0000"',
            b"\x81\x81\x01\x02\x03\x04\x01",
            id="masked",
        ),
        pytest.param(
            'op = "text", payload = "x", length_bytes = 2', b"\x81~\x00\x01x", id="long"
        ),
        pytest.param(
            'op = "binary", payload = { repeat = "x", times = 65536 }',
            b"\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00" + b"x" * 65536,
            id="64-bit-length",
        ),
    ],
)
def test_a_frame_is_written_as_its_table_says(frame: str, data: bytes) -> None:
    assert written(frame) == data


@pytest.mark.parametrize("size", [0, 125, 126, 65535, 65536])
def test_frames_are_read_as_they_were_written(size: int) -> None:
    repeated = f'payload = {{ repeat = "x", times = {size} }}'
    data = written(f'op = "binary", masked = true, {repeated}')
    data += written('op = "pong", rsv = 1, fin = false')
    frames = (
        SeenFrame("binary", True, 0, True, b"x" * size),
        SeenFrame("pong", False, 1, False, b""),
    )
    assert read_frames(data) == frames
    assert read_frames(data[:-1]) == frames[:1]
    assert read_frames(data[:1]) == ()


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        pytest.param('op = "txt"', "'txt'", id="opcode"),
        pytest.param('op = "text", rsv = 8', "rsv", id="reserved-bits"),
        pytest.param('op = "text", length_bytes = 4', "must be 0, 2 or 8", id="length"),
    ],
)
def test_a_wrong_frame_is_refused(frame: str, message: str) -> None:
    with pytest.raises(CaseError, match=message):
        written(frame)


@pytest.mark.parametrize(
    ("action", "argument"),
    [
        pytest.param(
            'ws = { url = "ws://a.test/", headers = [["A", "1"]], protocols = ["p"], '
            "compress = true, max_size = 9 }",
            {
                "url": "ws://a.test/",
                "headers": [["A", "1"]],
                "protocols": ["p"],
                "compress": True,
                "max_size": 9,
            },
            id="ws",
        ),
        pytest.param(
            'send = { on = "r", text = "hi" }', {"on": "r", "text": "hi"}, id="text"
        ),
        pytest.param(
            'send = { on = "r", bytes = "hi" }',
            {"on": "r", "bytes": {"b64": "aGk="}},
            id="bytes",
        ),
        pytest.param(
            'recv = { on = "r", until = "closed" }',
            {"on": "r", "until": "closed"},
            id="recv",
        ),
        pytest.param(
            'close = { on = "r", code = 0, reason = "x" }',
            {"on": "r", "code": 0, "reason": "x"},
            id="close",
        ),
    ],
)
def test_actions_on_a_websocket_are_read(action: str, argument: Any) -> None:
    client = f'{SOCKET}[[client]]\nas = "x"\n{action}\n'
    found = casefile.variant(client=client).actions[1]
    assert found == Action("x", found.verb, argument)


@pytest.mark.parametrize(
    ("action", "message"),
    [
        pytest.param('send = { on = "r" }', "exactly one of text and bytes", id="send"),
        pytest.param('recv = { on = "q" }', "'q'", id="unknown-socket"),
        pytest.param('recv = { on = "r", until = "x" }', "'x'", id="until"),
        pytest.param('read = { on = "w" }', "'w'", id="read-of-nothing"),
    ],
)
def test_a_wrong_action_on_a_websocket_is_refused(action: str, message: str) -> None:
    client = f'{SOCKET}[[client]]\nas = "x"\n{action}\n'
    with pytest.raises(CaseError, match=message):
        casefile.variant(client=client)


def test_a_request_has_credentials_cookies_and_parts() -> None:
    client = casefile.CLIENT.replace(
        'url = "${a}/" }',
        'url = "${a}/", cookies = [["c", "1"]], auth = { basic = ["u", "p"] }, body = '
        '{ multipart = [{ name = "n", content = "v", filename = "f", type = "t" }] } }',
    )
    (action,) = casefile.variant(client=client).actions
    assert isinstance(action.argument, dict)
    assert action.argument["cookies"] == [["c", "1"]]
    assert action.argument["auth"] == {"basic": ["u", "p"]}
    assert action.argument["body"] == {
        "multipart": [
            {"name": "n", "content": {"b64": "dg=="}, "filename": "f", "type": "t"}
        ]
    }


def test_a_session_has_redirects_cookies_and_a_proxy() -> None:
    top = '[session]\nredirects = 0\ncookies = false\nproxy = "http://p.test"\n'
    assert casefile.case(top=top).session == {
        "redirects": 0,
        "cookies": False,
        "proxy": "http://p.test",
    }


def test_handshakes_and_frames_are_compiled() -> None:
    peer = (
        '[[peer]]\nsteps = [{ upgrade = "accept" }, { read = "ws" }, '
        '{ frame = { op = "text" } }]\n'
        '[[peer]]\noptional = true\nsteps = [{ upgrade = "HTTP/1.1 403 No\\r\\n" }]\n'
    )
    expect = f'{FRAMES}op = "text"\nrsv = 4\npayload = "x"\n'
    case = casefile.case(client=SOCKET, peer=peer, expect=expect)
    first, second = case.base.peers
    assert isinstance(first.steps[0], Upgrade)
    assert b"@accept@" in first.steps[0].answer
    assert second.steps == (Upgrade(b"HTTP/1.1 403 No\r\n"),)
    variant: Any = case_json(case)["variants"]
    assert variant[0]["peer"][0]["steps"][1:] == [
        {"read": "ws"},
        {"send": [{"b64": "gQA="}]},
    ]
    assert variant[0]["expect"][0]["frames"] == [
        {"op": "text", "rsv": 4, "payload": {"b64": "eA=="}}
    ]


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        pytest.param([SeenFrame("text", True, 0, True, b"hi")], "", id="as-expected"),
        pytest.param([], "expected 1 frames, got 0: none", id="none"),
        pytest.param(
            [SeenFrame("text", False, 0, False, b"ho")],
            "frames[0].fin: expected True, got False; frames[0].masked: expected True, "
            "got False; frames[0].payload: expected b'hi', got b'ho'",
            id="other",
        ),
    ],
)
def test_frames_of_the_client_are_compared(seen: list[SeenFrame], reason: str) -> None:
    expect = f'{FRAMES}op = "text"\nfin = true\nmasked = true\npayload = "hi"\n'
    variant = casefile.variant(client=SOCKET, expect=expect)
    assert variant.alternatives[0].frames == (
        SentFrame("text", True, None, True, Equal(b"hi")),
    )
    connection = SeenConnection(0, "a", 0, frames=tuple(seen))
    judgement = judge(variant, Outcome(results={"r": {}}, connections=(connection,)))
    assert reason in "".join(judgement.reasons)
    assert bool(reason) == bool(judgement.reasons)

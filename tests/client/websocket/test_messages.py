"""Messages, their types and codes: the same values as aiohttp has."""

from __future__ import annotations

import pickle

import aiohttp
import pytest

import windtunnel
from windtunnel import WSCloseCode, WSMessage, WSMsgType
from windtunnel._websocket.messages import WSMessageTextBytes


def test_types_and_codes_are_those_of_aiohttp() -> None:
    for name, member in aiohttp.WSMsgType.__members__.items():
        assert WSMsgType[name].value == member.value
    for name, code in aiohttp.WSCloseCode.__members__.items():
        assert WSCloseCode[name].value == code.value
    assert WSMsgType(1).name == WSMsgType["text"].name == "TEXT"
    assert len(WSMsgType.__members__) == len(aiohttp.WSMsgType.__members__)
    assert len(WSCloseCode.__members__) == len(aiohttp.WSCloseCode.__members__)


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(WSMessage(WSMsgType.TEXT, '{"a": [1]}', ""), id="str"),
        pytest.param(WSMessageTextBytes(WSMsgType.TEXT, b'{"a": [1]}', ""), id="bytes"),
    ],
)
def test_a_message_is_a_tuple_that_can_be_read_as_json(
    message: WSMessage | WSMessageTextBytes,
) -> None:
    kind, data, extra = message
    assert (kind, extra) == (WSMsgType.TEXT, "")
    assert message.json() == {"a": [1]}
    assert message.json(loads=len) == len(data) == 10
    assert pickle.loads(pickle.dumps(message)) == message


def test_a_timeout_has_the_fields_and_defaults_of_aiohttp() -> None:
    for client in (windtunnel, aiohttp):
        assert client.ClientWSTimeout() == client.ClientWSTimeout(None, None)
        timeout = client.ClientWSTimeout(1, ws_close=2.5)
        assert (timeout.ws_receive, timeout.ws_close) == (1, 2.5)
        assert hash(timeout) == hash(client.ClientWSTimeout(1, 2.5))
        with pytest.raises(AttributeError):
            timeout.ws_close = 3

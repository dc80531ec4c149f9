"""The opening handshake: what is offered, and which answers fit."""

from __future__ import annotations

import pytest

from windtunnel._wire.ws_deflate import DeflateParameters
from windtunnel._wire.ws_handshake import (
    HandshakeError,
    Terms,
    accept_for,
    agree,
    check_answer,
    deflate_offer,
    make_key,
)

# RFC 6455 section 1.3.
KEY = make_key(b"the sample nonce")
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
GOOD = [
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade"),
    ("Sec-WebSocket-Accept", ACCEPT),
]


def test_key_and_proof_are_those_of_the_specification() -> None:
    assert KEY == "dGhlIHNhbXBsZSBub25jZQ=="
    assert accept_for(KEY) == ACCEPT


def but(name: str, *values: str) -> list[tuple[str, str]]:
    """Give the good fields with other values of one."""
    kept = [field for field in GOOD if field[0] != name]
    return kept + [(name, value) for value in values]


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param(GOOD, id="plain"),
        pytest.param(but("Upgrade", "WebSocket"), id="case-of-upgrade"),
        pytest.param(but("Connection", "keep-alive,, UPGRADE"), id="list"),
        pytest.param(but("Connection", "keep-alive", "upgrade"), id="two-lines"),
        pytest.param([(n.upper(), v) for n, v in GOOD], id="case-of-names"),
    ],
)
def test_a_good_answer_is_taken(fields: list[tuple[str, str]]) -> None:
    assert check_answer(1, fields, KEY)["sec-websocket-accept"] == [ACCEPT]


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        pytest.param(but("Upgrade"), "Invalid upgrade header", id="no-upgrade"),
        pytest.param(but("Upgrade", "h2c"), "Invalid upgrade header", id="upgrade"),
        pytest.param(
            but("Upgrade", "websocket", "websocket"), "Invalid upgrade", id="twice"
        ),
        pytest.param(but("Connection"), "Invalid connection header", id="none"),
        pytest.param(
            but("Connection", "keep-alive"), "Invalid connection header", id="other"
        ),
        pytest.param(
            but("Sec-WebSocket-Accept"), "Invalid challenge response", id="no-accept"
        ),
        pytest.param(
            but("Sec-WebSocket-Accept", ACCEPT.swapcase()), "challenge", id="case"
        ),
        pytest.param(
            but("Sec-WebSocket-Accept", ACCEPT, ACCEPT), "challenge", id="two"
        ),
    ],
)
def test_an_answer_that_does_not_switch_is_refused(
    fields: list[tuple[str, str]], text: str
) -> None:
    with pytest.raises(HandshakeError, match=text) as caught:
        check_answer(1, fields, KEY)
    assert caught.value.rule == "RFC 6455 section 4.1"


def test_http_1_0_cannot_switch() -> None:
    with pytest.raises(HandshakeError, match="Invalid HTTP version"):
        check_answer(0, GOOD, KEY)


@pytest.mark.parametrize(
    ("values", "offered", "expected"),
    [
        pytest.param([], (), None, id="none"),
        pytest.param([], ("a",), None, id="not-chosen"),
        pytest.param(["b"], ("a", "b"), "b", id="chosen"),
        pytest.param(["x, b"], ("a", "b"), "b", id="first-known"),
    ],
)
def test_the_sub_protocol_is_one_of_those_offered(
    values: list[str], offered: tuple[str, ...], expected: str | None
) -> None:
    assert agree({"sec-websocket-protocol": values}, offered, 0) == Terms(
        expected, None
    )


@pytest.mark.parametrize("offered", [(), ("a",), ("B",)])
def test_a_sub_protocol_that_was_not_offered_is_refused(
    offered: tuple[str, ...],
) -> None:
    with pytest.raises(HandshakeError, match="'b' was not offered"):
        agree({"sec-websocket-protocol": ["b"]}, offered, 0)


def test_the_offer_names_both_windows() -> None:
    assert deflate_offer(15) == "permessage-deflate; client_max_window_bits"
    assert deflate_offer(9) == (
        "permessage-deflate; client_max_window_bits; server_max_window_bits=9"
    )


@pytest.mark.parametrize(
    ("value", "bits", "expected"),
    [
        pytest.param("", 15, DeflateParameters(), id="bare"),
        pytest.param(
            "; client_max_window_bits=9", 15, DeflateParameters(9), id="client-9"
        ),
        pytest.param(
            '; server_max_window_bits="8"', 15, DeflateParameters(15, 8), id="quoted"
        ),
        pytest.param(
            " ;server_max_window_bits = 10 ; client_no_context_takeover",
            12,
            DeflateParameters(15, 10, client_no_context_takeover=True),
            id="blanks",
        ),
        pytest.param(
            "; server_no_context_takeover; client_max_window_bits=15",
            15,
            DeflateParameters(server_no_context_takeover=True),
            id="server-no-takeover",
        ),
    ],
)
def test_parameters_of_compression_are_read(
    value: str, bits: int, expected: DeflateParameters
) -> None:
    values = {"sec-websocket-extensions": [f"permessage-deflate{value}"]}
    assert agree(values, (), bits).deflate == expected


@pytest.mark.parametrize(
    ("value", "bits"),
    [
        pytest.param("foo", 15, id="unknown-extension"),
        pytest.param("permessage-deflate", 0, id="not-offered"),
        pytest.param("permessage-deflate, permessage-deflate", 15, id="twice"),
        pytest.param("permessage-deflate; foo", 15, id="unknown-parameter"),
        pytest.param("permessage-deflate; client_max_window_bits", 15, id="no-value"),
        pytest.param("permessage-deflate; client_max_window_bits=8", 15, id="client-8"),
        pytest.param("permessage-deflate; client_max_window_bits=16", 15, id="16"),
        pytest.param("permessage-deflate; client_max_window_bits=09", 15, id="zero"),
        pytest.param("permessage-deflate; server_max_window_bits=7", 15, id="server-7"),
        pytest.param("permessage-deflate; server_max_window_bits=13", 12, id="larger"),
        pytest.param("permessage-deflate", 12, id="ignores-our-window"),
        pytest.param(
            "permessage-deflate; server_no_context_takeover=1", 15, id="flag-with-value"
        ),
        pytest.param(
            "permessage-deflate; server_max_window_bits=9; server_max_window_bits=9",
            15,
            id="duplicate",
        ),
        pytest.param("permessage-deflate; =9", 15, id="malformed"),
        pytest.param("permessage-deflate;", 15, id="empty-parameter"),
    ],
)
def test_terms_that_were_not_offered_are_refused(value: str, bits: int) -> None:
    with pytest.raises(HandshakeError, match="Invalid extension"):
        agree({"sec-websocket-extensions": [value]}, (), bits)

"""The registry of payloads: which class is used for a value."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.client.body.support import Counter
from windtunnel._body.payload_memory import BytesPayload, JsonPayload
from windtunnel._body.payload_registry import (
    PAYLOAD_REGISTRY,
    NoPayloadError,
    Order,
    PayloadRegistry,
    payload_type,
)
from windtunnel._body.payloads import make_payload


def test_registered_type_is_used_and_first_beats_built_in() -> None:
    registry = PayloadRegistry()
    registry.register(Counter, int)
    registry.register(BytesPayload, bytes, order=Order.try_last)
    assert type(registry.get(2)) is Counter
    overrides = [registry.has_overrides]
    registry.register(Counter, bytes, order=Order.try_first)
    overrides.append(registry.has_overrides)
    assert overrides == [False, True]
    assert type(registry.get(b"x")) is Counter
    payload = Counter(1)
    assert registry.get(payload) is payload
    with pytest.raises(ValueError, match="Unsupported order 3"):
        registry.register(Counter, int, order=3)  # type: ignore[arg-type]  # the point
    with pytest.raises(NoPayloadError):
        registry.get("x")


def test_decorated_class_is_used_for_data() -> None:
    class Celsius:
        degrees = 21

    @payload_type(Celsius)
    class CelsiusPayload(JsonPayload):
        def __init__(self, value: Celsius, **kwargs: Any) -> None:
            super().__init__({"c": value.degrees})

    assert make_payload(Celsius()).body == json.dumps({"c": 21}).encode()
    assert type(PAYLOAD_REGISTRY.get(Celsius())) is CelsiusPayload


def test_form_and_override_of_a_built_in_type_are_data() -> None:
    """In a program of its own, because what is registered stays."""
    program = """
from windtunnel._body.formdata import FormData
from windtunnel._body.payload_memory import BytesPayload
from windtunnel._body.payload_registry import Order, payload_type
from windtunnel._body.payloads import make_payload

assert make_payload(FormData({"a": "b"})).body == b"a=b"

@payload_type(str, order=Order.try_first)
class Shouted(BytesPayload):
    def __init__(self, value, **options):
        super().__init__(value.upper().encode())

assert make_payload("abc").body == b"ABC"
assert make_payload(b"abc").body == b"abc"
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)

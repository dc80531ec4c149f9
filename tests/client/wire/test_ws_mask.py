"""Masking: the same in C, with integers and with tables."""

from __future__ import annotations

import sys
from itertools import cycle

import pytest
from hypothesis import given, settings, strategies as st

from windtunnel._wire.ws_mask import fastest_mask, mask_in_python

KEY = b"\x01\x80\xff\x37"


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 5, 127, 511, 512, 513, 514, 515, 9999])
def test_masking_is_the_exclusive_or_of_each_byte(size: int) -> None:
    data = bytes(i * 7 & 255 for i in range(size))
    expected = bytes(octet ^ KEY[i % 4] for i, octet in enumerate(data))
    for form in (data, bytearray(data), memoryview(data)):
        assert mask_in_python(form, KEY) == expected
        assert fastest_mask()(form, KEY) == expected
    assert mask_in_python(memoryview(expected), KEY) == data


def test_without_the_speedups_masking_is_done_in_python(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert fastest_mask() is not mask_in_python
    fastest_mask.cache_clear()
    monkeypatch.setitem(sys.modules, "websockets.speedups", None)
    try:
        assert fastest_mask() is mask_in_python
    finally:
        fastest_mask.cache_clear()


@settings(max_examples=100, derandomize=True, deadline=None, database=None)
@given(st.binary(max_size=1500), st.binary(min_size=4, max_size=4), st.integers(0, 300))
def test_masking_in_slices_of_whole_keys_is_masking_at_once(
    data: bytes, key: bytes, keys_per_slice: int
) -> None:
    for mask in (mask_in_python, fastest_mask()):
        masked = bytes(mask(data, key))
        assert mask(masked, key) == data
        assert masked == bytes(
            octet ^ mark for octet, mark in zip(data, cycle(key), strict=False)
        )
        size = 4 * keys_per_slice + 4
        slices = [data[at : at + size] for at in range(0, len(data), size)]
        assert b"".join(bytes(mask(part, key)) for part in slices) == masked

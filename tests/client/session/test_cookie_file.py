"""Cookie files: what is written, what is read, what is refused."""

from __future__ import annotations

import json
import os
import pickle
import stat
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING

import pytest

from windtunnel._policy.morsels import morsel
from windtunnel._session.cookie_file import Record, read, write

if TYPE_CHECKING:
    from pathlib import Path

ATTRIBUTES: dict[str, str | bool] = {
    "path": "/x",
    "domain": "h.test",
    "samesite": "Lax",
    "max-age": "9",
    "secure": True,
    "httponly": True,
}
FULL = Record("h.test", "/x", morsel("a", "é;", '"é;"', ATTRIBUTES), 12.5, True)
PLAIN = Record("", "", morsel("b", "", ""), None, False)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "jar"
    write(path, [FULL, PLAIN])
    assert read(path) == [FULL, PLAIN]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["jar"]
    write(str(path), [])
    assert read(str(path)) == []


def test_the_file_is_the_json_that_aiohttp_writes(tmp_path: Path) -> None:
    write(tmp_path / "jar", [FULL])
    assert json.loads((tmp_path / "jar").read_text()) == {
        "h.test|/x": {
            "a": {
                "key": "a",
                "value": "é;",
                "coded_value": '"é;"',
                **ATTRIBUTES,
                "host_only": True,
                "expires_timestamp": 12.5,
            }
        }
    }


def test_what_a_file_says_beyond_that_is_left_out(tmp_path: Path) -> None:
    entry = {"key": "a", "value": "1", "coded_value": "1", "color": "red", "path": 5}
    (tmp_path / "jar").write_text(json.dumps({"h.test|": {"a": entry}}))
    (record,) = read(tmp_path / "jar")
    assert record == Record("h.test", "", morsel("a", "1", "1"), None, False)


GOOD: dict[str, object] = {"key": "n", "value": "1", "coded_value": "1"}


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(pickle.dumps(SimpleCookie("a=1")), id="pickle"),
        pytest.param(b"", id="empty"),
        pytest.param(b"{", id="no-json"),
        pytest.param(b"[]", id="list"),
        pytest.param({"a|": 1}, id="no-group"),
        pytest.param({"a|": {"n": 1}}, id="no-cookie"),
        pytest.param({"a|": {"n": {"value": "1"}}}, id="no-key"),
        pytest.param({"a": {"n": GOOD}}, id="no-bar"),
        pytest.param({"a|": {"n": GOOD | {"key": 5}}}, id="key-no-text"),
        pytest.param({"a|": {"n": GOOD | {"key": "a;b"}}}, id="key-no-name"),
        pytest.param({"a|": {"n": GOOD | {"key": ""}}}, id="key-empty"),
        pytest.param({"a|": {"n": GOOD | {"value": None}}}, id="value-no-text"),
        pytest.param({"a|": {"n": GOOD | {"coded_value": "\r\nB: c"}}}, id="control"),
        pytest.param(
            {"a|": {"n": GOOD | {"expires_timestamp": "x"}}}, id="end-no-time"
        ),
        pytest.param(
            {"a|": {"n": GOOD | {"expires_timestamp": float("nan")}}}, id="end-nan"
        ),
        pytest.param({"a|": {"n": GOOD | {"expires_timestamp": ["x"]}}}, id="end-list"),
    ],
)
def test_what_is_no_file_of_cookies_is_refused(
    content: bytes | dict[str, object], tmp_path: Path
) -> None:
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    (tmp_path / "jar").write_bytes(data)
    with pytest.raises(ValueError, match="jar' is not a file of cookies: "):
        read(tmp_path / "jar")


def test_a_file_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "jar").mkdir()
    with pytest.raises(OSError, match="jar"):
        write(tmp_path / "jar", [FULL])
    assert os.listdir(tmp_path) == ["jar"]
    with pytest.raises(OSError, match="none"):
        read(tmp_path / "none")

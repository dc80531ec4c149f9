"""The printed examples run, and what they say is true."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.pytest_plugin.sandbox import plugins

pytest_plugins = ["pytester"]

EXAMPLES: Final = Path(__file__).parents[2] / "docs" / "examples"


@pytest.fixture(scope="module")
def printed() -> str:
    """What the quickstart prints, run as a newcomer runs it."""
    command = [sys.executable, str(EXAMPLES / "quickstart.py")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.parametrize(
    "line",
    [
        "GET /get                           200, ",
        "GET https://api.github.com/events  3 events",
        "POST /post                         200",
        "PUT /put                           200",
        "PATCH /patch                       200",
        "DELETE /delete                     200",
        "HEAD /get                          200",
        "OPTIONS /get                       200",
        "the body arrived as                'data'",
        "http://httpbin.org/get?key1=value1&key2=value2",
        "params are a MultiDict             http://httpbin.org/get?key=value1&key=value2",
        "params are pairs                   http://httpbin.org/get?key=value1&key=value2",
        "http://httpbin.org/get?key=value+1",
        r"'\x00Binary-data\x00'",
        "JSON                               {'test': 'object'}",
        "form                               {'key1': 'value1', 'key2': 'value2'}",
        "gzip, unpacked                     ",
        "python.org, posted to httpbin.org  3153 bytes",
    ],
)
def test_quickstart_shows(printed: str, line: str) -> None:
    assert line in printed


def test_quickstart_streams_a_piece_every_twenty_virtual_seconds(printed: str) -> None:
    times = [float(t) for t in re.findall(r"t= *([\d.]+) s  a piece of", printed)]

    assert [round(after - times[0], 3) for after in times] == [0, 20, 40]


def test_quickstart_gives_up_after_the_default_of_five_minutes(printed: str) -> None:
    waited = dict(re.findall(r"s  (\S.*?)  +\w+Error after ([\d.]+) s", printed))

    # Deadlines of 5 s and more are rounded up to a whole second of the loop's clock.
    assert 300 <= float(waited["no timeout given"]) <= 301
    assert 60 <= float(waited["total=60"]) <= 61
    assert waited["sock_read=2.5"] == "2.500"


def test_quickstart_takes_no_real_time_and_no_colour_where_nobody_looks(
    printed: str,
) -> None:
    last = re.search(r"([\d.]+) virtual seconds in ([\d.]+) real ones", printed)

    assert last is not None
    assert float(last[1]) > 400
    assert float(last[2]) < 10
    assert "\033" not in printed


@pytest.mark.parametrize("mode", ["none", "strict", "auto"])
def test_example_tests_pass_under_every_async_plugin(
    pytester: pytest.Pytester, mode: str
) -> None:
    source = (EXAMPLES / "test_quickstart.py").read_text()
    pytester.makepyfile(test_quickstart=source)

    result = pytester.runpytest_inprocess(*plugins(mode), "-Werror")

    result.assert_outcomes(passed=4)

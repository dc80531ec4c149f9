"""``@pytest.mark.windtunnel_sweep``: one test with every cut of a reply."""

from __future__ import annotations

import pytest

from tests.pytest_plugin.sandbox import run_tests

pytest_plugins = ["pytester"]

HEAD = """
    from windtunnel_fakeserver import Eof, Reset, Stall
    runs = []
    REPLY = Reply(200, body=b"0123456789")

    async def fetch(server, reply):
        server.on("GET", "/").reply(reply)
        async with aiohttp.ClientSession() as session:
            async with session.get(server.url("/"), timeout=5) as resp:
                return await resp.read()
"""


@pytest.mark.parametrize("mode", ["none", "strict"])
def test_one_item_runs_with_every_cut(pytester: pytest.Pytester, mode: str) -> None:
    source = f"""{HEAD}
    {"@pytest.mark.asyncio" if mode == "strict" else ""}
    @pytest.mark.windtunnel_sweep(REPLY, effects=[Eof, Reset], every="byte")
    async def test_it(wt_server, wt_cut):
        runs.append(wt_cut.fault)
        with pytest.raises(aiohttp.ClientError):
            await fetch(wt_server, wt_cut)

    def test_after():
        print("runs", len(runs), runs[-1])
    """
    result = run_tests(pytester, source, "-s", mode=mode)

    result.assert_outcomes(passed=2)
    head = len(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
        b"Content-Length: 10\r\n\r\n"
    )
    last = 'Reset(at="response_body", after=9)'
    result.stdout.fnmatch_lines([f"*runs {2 * (head + 10)} {last}*"])


def test_the_smallest_cut_that_fails_is_told(pytester: pytest.Pytester) -> None:
    source = f"""{HEAD}
    @pytest.fixture(scope="module")
    def wide():
        yield
        print("wide is", "down")

    @pytest.mark.windtunnel_sweep(REPLY, effects=[Eof])
    async def test_it(wt_server, wt_cut, wide):
        runs.append(wt_cut)
        with pytest.raises(aiohttp.ClientError):
            await fetch(wt_server, wt_cut)
        assert wt_cut.fault.at == "response_head" or wt_cut.fault.after < 4

    def test_after(wide):
        print("runs", len(runs))
    """
    result = run_tests(pytester, source, "-s")

    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(
        [
            "*runs 84*",
            "*wide is down*",
            "*- windtunnel sweep -*",
            "variation 84 of 89, the smallest that fails: Eof at byte 83 of 89, *",
            'to have it alone: Reply(..., fault=Eof(at="response_body", after=4))',
        ]
    )


def test_splits_can_be_swept_too(pytester: pytest.Pytester) -> None:
    source = f"""{HEAD}
    @pytest.mark.windtunnel_sweep(REPLY, effects=[], every=10, split=True)
    async def test_it(wt_server, wt_cut):
        assert await fetch(wt_server, wt_cut) == b"0123456789"
    """
    run_tests(pytester, source).assert_outcomes(passed=1)


def test_a_check_does_not_repeat_a_sweep(pytester: pytest.Pytester) -> None:
    source = f"""{HEAD}
    @pytest.mark.windtunnel_sweep(REPLY, effects=[Stall], every=50)
    def test_it(wt_cut):
        runs.append(1)

    def test_after():
        print("runs", len(runs))
    """
    result = run_tests(pytester, source, "-s", "--windtunnel-check")

    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["*runs 2*"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("", "*missing 1 required positional argument: 'reply'*"),
        ("3", "*got 3, the first argument must be Reply(...)*"),
        ("REPLY, every=0", "*every=0: must be >= 1 bytes*"),
        ("REPLY, every='x'", "*every='x': must be a number of bytes or 'byte'*"),
        ("REPLY, effect=[Eof]", "*unexpected keyword argument 'effect'*"),
        ("REPLY, effects=[]", "*nothing to vary*"),
    ],
    ids=["missing", "type", "zero", "word", "keyword", "nothing"],
)
def test_a_wrong_marker_is_told_when_tests_are_collected(
    pytester: pytest.Pytester, arguments: str, words: str
) -> None:
    source = f"""{HEAD}
    @pytest.mark.windtunnel_sweep({arguments})
    def test_it(wt_cut):
        pass
    """
    result = run_tests(pytester, source)

    assert result.ret == 2
    result.stdout.fnmatch_lines([f"*test_it: @pytest.mark.windtunnel_sweep: {words}"])


def test_a_cut_without_the_marker_is_a_mistake(pytester: pytest.Pytester) -> None:
    result = run_tests(pytester, "def test_it(wt_cut): pass")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*`wt_cut` needs @pytest.mark.windtunnel_sweep*"])

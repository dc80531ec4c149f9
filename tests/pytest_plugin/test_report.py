"""What a person reads when a simulated test fails."""

from __future__ import annotations

import pytest

from tests.pytest_plugin.sandbox import run_tests

pytest_plugins = ["pytester"]

ASSERTION = """
    async def test_status(wt_server):
        wt_server.on("GET", "/a").reply(Reply(200, text="x", delay=2))
        async with httpx.AsyncClient() as client:
            reply = await client.get(wt_server.url("/a"))
        assert reply.status_code == 201
"""
STORY = [
    "*assert 200 == 201*",
    "*- windtunnel -*",
    "seed=0  t=0.000..2.00? s virtual, ?.??? s real",
    "*  >  GET /a *",
    "*  <  200*",
    "rerun: pytest test_it.py::test_status --windtunnel-seed=0",
]


@pytest.mark.parametrize("mode", ["none", "auto"])
def test_failed_assertion_is_followed_by_seed_time_timeline_and_rerun(
    pytester: pytest.Pytester, mode: str
) -> None:
    result = run_tests(pytester, ASSERTION, mode=mode)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(STORY)


def test_section_survives_no_capture(pytester: pytest.Pytester) -> None:
    run_tests(pytester, ASSERTION, "-s").stdout.fnmatch_lines(STORY)


def test_section_survives_the_way_back_from_an_xdist_worker(
    pytester: pytest.Pytester,
) -> None:
    run_tests(pytester, ASSERTION, "-n1").stdout.fnmatch_lines(STORY)


def test_passing_test_has_no_section(pytester: pytest.Pytester) -> None:
    source = """
        async def test_nothing(wt_clock):
            await wt_clock.advance(1)
    """
    result = run_tests(pytester, source, "-rA")

    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*- windtunnel*")


def test_rerun_command_leaves_a_seed_to_the_marker_that_sets_it(
    pytester: pytest.Pytester,
) -> None:
    source = """
        @pytest.mark.windtunnel(seed=9)
        @pytest.mark.parametrize("word", ["a b"])
        async def test_it(wt_server, word):
            assert not word
    """
    result = run_tests(pytester, source)

    result.stdout.fnmatch_lines(
        [
            "seed=9  t=*",
            "  nothing was sent",
            "rerun: pytest 'test_it.py::test_it[[]a b]'",
        ]
    )


def test_unmatched_request_fails_a_test_that_would_pass_and_shows_the_nearest(
    pytester: pytest.Pytester,
) -> None:
    source = """
        async def test_typo(wt_server):
            wt_server.on("GET", "/items/7").reply(Reply(200))
            async with httpx.AsyncClient() as client:
                await client.get(wt_server.url("/items/07"))
    """
    result = run_tests(pytester, source)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "_* test_typo _*",
            "windtunnel: 1 request matched nothing *seed=0*",
            "*unmatched  #0 GET http://server.test/items/07 *",
            '*closest    on("GET", "/items/7")  defined at test_it.py:9',
            "*timeline *",
            "*- windtunnel -*",
            "rerun: pytest *",
            "FAILED test_it.py::test_typo - VerificationError: 1 request matched *",
        ]
    )
    # One story, told once: no frames of the plugin, no second timeline.
    result.stdout.no_fnmatch_line("*verdict.py*")
    assert result.stdout.str().count("GET /items/07 ") == 1


def test_unmet_expectation_fails_the_test_and_names_its_line(
    pytester: pytest.Pytester,
) -> None:
    source = """
        async def test_forgotten(wt_server):
            wt_server.expect("POST", "/login").reply(Reply(200))
    """
    result = run_tests(pytester, source)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "windtunnel: 1 expectation was not met *",
            '*not met    expect("POST", "/login") of *: 0 of 1 * test_it.py:9',
        ]
    )


def test_first_failure_stays_first_and_the_verdict_is_added(
    pytester: pytest.Pytester,
) -> None:
    source = """
        async def test_both(wt_server):
            wt_server.expect("POST", "/login").reply(Reply(200))
            test_both.left = asyncio.create_task(asyncio.sleep(1000), name="left-over")
            assert 1 == 2
    """
    result = run_tests(pytester, source)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*assert 1 == 2*",
            "*- windtunnel -*",
            "*not met    expect(*",
            "*- windtunnel teardown -*",
            "*left open  pending task: left-over: *",
        ]
    )
    assert result.stdout.str().count("not met") == 1


def test_assertion_in_a_script_keeps_its_own_traceback(
    pytester: pytest.Pytester,
) -> None:
    source = """
        async def test_talk(wt_server):
            async def script(wire):
                head = await wire.read_head()
                assert head.header("accept") == "text/html"

            wt_server.on_connect(script)
            with pytest.raises(httpx.HTTPError):
                async with httpx.AsyncClient() as client:
                    await client.get(wt_server.url("/"))
    """
    result = run_tests(pytester, source)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "windtunnel: 1 *",
            "*script     script on connection 0 *",
            "*- windtunnel cause -*",
            '>*assert head.header("accept") == "text/html"',
            "E *AssertionError*",
        ]
    )


def test_leaked_client_is_an_error_of_the_teardown(pytester: pytest.Pytester) -> None:
    source = """
        async def test_leak(wt_server):
            wt_server.on("GET", "/").reply(Reply(200))
            test_leak.client = httpx.AsyncClient()
            await test_leak.client.get(wt_server.url("/"))
    """
    result = run_tests(pytester, source)

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        [
            "*ERROR at teardown of test_leak*",
            "windtunnel: *left open*",
            "*connection 0 to http://server.test, opened by the client at t=0.000*",
        ]
    )


def test_deadlock_fails_with_the_waiters_within_a_second(
    pytester: pytest.Pytester,
) -> None:
    source = """
        async def test_stuck(wt_server):
            async def silent(wire):
                await wire.read_head()
                await wire.stall()

            wt_server.on_connect(silent)
            async with httpx.AsyncClient(timeout=None) as client:
                await client.get(wt_server.url("/"))

        def test_next(): ...
    """
    result = run_tests(pytester, source, "--durations=0", "-vv")

    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(
        [
            "_* test_stuck _*",
            "nothing can run, and nothing is scheduled to change that",
            "tasks:",
            "*test_stuck*",
            "*silent*stall*",
            "connections:",
            "*connection 0 client*",
            "*- windtunnel -*",
            "seed=0  t=0.000..0.*",
            "FAILED test_it.py::test_stuck - DeadlockError: nothing can run, and*",
        ]
    )
    assert result.duration < 5
    took = _seconds_of(result, "call", "test_stuck")
    assert took < 1


def _seconds_of(result: pytest.RunResult, phase: str, test: str) -> float:
    for line in result.outlines:
        words = line.split()
        if len(words) == 3 and words[1] == phase and words[2].endswith(test):
            return float(words[0].removesuffix("s"))
    pytest.fail(f"no duration of {phase} {test}")

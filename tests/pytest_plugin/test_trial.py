"""From setup to teardown of one simulated test: what is closed, judged, given up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.pytest_plugin.sandbox import run_tests

if TYPE_CHECKING:
    import pytest

pytest_plugins = ["pytester"]


def test_request_of_an_async_teardown_can_meet_an_expectation(
    pytester: pytest.Pytester,
) -> None:
    source = """
        @pytest.fixture
        async def app(wt_server, wt_session):
            yield
            async with wt_session.post(wt_server.url("/logout")) as resp:
                assert resp.status == 200

        async def test_logs_out(app, wt_server):
            wt_server.expect("POST", "/logout").reply(Reply(200))
    """
    run_tests(pytester, source, mode="auto").assert_outcomes(passed=1)


def test_expectation_that_no_teardown_met_is_an_error_of_the_teardown(
    pytester: pytest.Pytester,
) -> None:
    source = """
        @pytest.fixture
        async def app():
            yield

        async def test_logs_out(app, wt_server):
            wt_server.expect("POST", "/logout").reply(Reply(200))
    """
    result = run_tests(pytester, source, mode="auto")

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["windtunnel: 1 expectation was not met*"])


def test_client_of_a_fixture_is_closed_before_leaks_are_looked_for(
    pytester: pytest.Pytester,
) -> None:
    source = """
        @pytest.fixture
        async def http():
            async with httpx.AsyncClient() as client:
                yield client

        async def test_order_of_names_is_free(http, wt_server):
            wt_server.on("GET", "/").reply(Reply(200))
            await http.get(wt_server.url("/"))
    """
    run_tests(pytester, source, mode="auto").assert_outcomes(passed=1)


def test_error_of_a_teardown_is_not_hidden_by_the_verdict(
    pytester: pytest.Pytester,
) -> None:
    source = """
        @pytest.fixture
        async def app():
            yield
            raise ValueError("teardown broke")

        async def test_it(app, wt_server):
            wt_server.expect("POST", "/logout").reply(Reply(200))
    """
    result = run_tests(pytester, source, mode="auto")

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        ["*ValueError: teardown broke", "*- windtunnel teardown -*", "*not met*"]
    )


def test_lenient_test_passes_with_unmet_and_unmatched(
    pytester: pytest.Pytester,
) -> None:
    source = """
        @pytest.mark.windtunnel(strict=False)
        async def test_it(wt_server):
            wt_server.expect("POST", "/logout").reply(Reply(200))
            async with httpx.AsyncClient() as client:
                await client.get(wt_server.url("/nowhere"))
    """
    run_tests(pytester, source).assert_outcomes(passed=1)


def test_expected_failure_covers_the_verdict(pytester: pytest.Pytester) -> None:
    # The mark is in the project under test: it is what this test is about.
    source = """
        from windtunnel_fakeserver import VerificationError

        @pytest.mark.xfail(raises=VerificationError, strict=True)
        async def test_it(wt_server):
            wt_server.expect("POST", "/logout").reply(Reply(200))
    """
    run_tests(pytester, source).assert_outcomes(xfailed=1)


def test_test_given_up_after_a_deadlock_does_not_go_on(
    pytester: pytest.Pytester,
) -> None:
    source = """
        async def test_stuck(wt_server):
            async def silent(wire):
                await wire.stall()

            wt_server.on_connect(silent)
            try:
                reader, writer = await asyncio.open_connection("server.test", 80)
                await reader.read(1)
                print("went on")
            finally:
                writer.close()
                print("cleaned up")
    """
    for mode in ("none", "auto"):
        result = run_tests(pytester, source, "-s", mode=mode)

        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines(["*cleaned up*", "nothing can run,*"])
        result.stdout.no_fnmatch_line("*went on*")


def test_test_that_will_not_be_given_up_gets_a_note(pytester: pytest.Pytester) -> None:
    source = """
        async def test_stubborn(wt_clock):
            while True:
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    pass
    """
    result = run_tests(pytester, source)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "nothing can run, and nothing is scheduled*",
            "the test did not end when it was cancelled either",
        ]
    )


def test_test_that_cancels_itself_fails_as_it_would_elsewhere(
    pytester: pytest.Pytester,
) -> None:
    source = """
        async def test_cancelled(wt_clock):
            asyncio.current_task().cancel()
            await asyncio.sleep(0)
    """
    run_tests(pytester, source).assert_outcomes(failed=1)


def test_plain_test_whose_run_fails_tells_the_story_once(
    pytester: pytest.Pytester,
) -> None:
    source = """
        def test_it(windtunnel):
            windtunnel.server.expect("POST", "/logout").reply(Reply(200))

            async def main(tunnel):
                session = tunnel.session()
                async with session.get(tunnel.server.url("/x")) as resp:
                    return resp.status

            windtunnel.run(main)
    """
    result = run_tests(pytester, source)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [">*windtunnel.run(main)", "E*1 request matched nothing*", "*- windtunnel -*"]
    )
    assert result.stdout.str().count("0 of 1 calls") == 1


def test_plain_test_whose_run_deadlocks_tells_who_waits(
    pytester: pytest.Pytester,
) -> None:
    source = """
        def test_it(windtunnel):
            async def main(tunnel):
                await asyncio.Event().wait()

            windtunnel.run(main)
    """
    result = run_tests(pytester, source)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["nothing can run,*", "*main*wait*"])


def test_marker_on_one_parameter_simulates_that_one_only(
    pytester: pytest.Pytester,
) -> None:
    source = """
        @pytest.mark.parametrize(
            "name",
            [
                "first",
                pytest.param("simulated", marks=pytest.mark.windtunnel),
                "last",
            ],
        )
        async def test_it(name):
            loop = type(asyncio.get_running_loop()).__name__
            assert (loop == "SimLoop") == (name == "simulated")
    """
    run_tests(pytester, source, mode="auto").assert_outcomes(passed=3)


def test_plain_test_that_never_runs_the_tunnel_is_judged_and_cleaned(
    pytester: pytest.Pytester,
) -> None:
    source = """
        def test_it(windtunnel):
            windtunnel.server.expect("POST", "/logout").reply(Reply(200))
    """
    result = run_tests(pytester, source, "-Werror")

    result.assert_outcomes(failed=1)


def test_runs_of_one_test_are_equal_to_the_byte(pytester: pytest.Pytester) -> None:
    source = """
        DIGESTS = []

        @pytest.mark.parametrize("turn", range(3))
        async def test_it(windtunnel, turn):
            api = windtunnel.host("https://api.example.com")
            api.on("GET", "/").reply(Reply(200, chunks=[b"a" * 3000, b"b"]))
            async with windtunnel.session().get(api.url("/")) as resp:
                await resp.read()
            DIGESTS.append(windtunnel.trace.digest())
            assert len(set(DIGESTS)) == 1
    """
    run_tests(pytester, source).assert_outcomes(passed=3)


def test_tunnel_of_a_finished_test_is_let_go(pytester: pytest.Pytester) -> None:
    source = """
        import gc
        import weakref

        def test_first(windtunnel, request):
            request.config.seen = weakref.ref(windtunnel)

        def test_second(request):
            gc.collect()
            assert request.config.seen() is None
    """
    run_tests(pytester, source).assert_outcomes(passed=2)


def test_leak_does_not_warn_in_the_next_test(pytester: pytest.Pytester) -> None:
    source = """
        import gc

        async def test_leak(wt_server):
            loop = asyncio.get_running_loop()
            place = ("server.test", 80)
            test_leak.kept = await loop.create_connection(asyncio.Protocol, *place)

        def test_next():
            del test_leak.kept
            gc.collect()
    """
    result = run_tests(pytester, source, "-Werror")

    result.assert_outcomes(passed=2, errors=1)


def test_a_blocking_client_meets_real_sockets(pytester: pytest.Pytester) -> None:
    source = """
        def test_answered(windtunnel_loopback):
            server = windtunnel_loopback.server
            server.expect("GET", "/").reply(Reply(200, text="ok"))
            with httpx.Client(trust_env=False) as client:
                assert client.get(server.url("/")).text == "ok"

        def test_owed(windtunnel_loopback):
            windtunnel_loopback.server.expect("GET", "/never")
    """
    result = run_tests(pytester, source)

    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*0 of 1 calls came*"])

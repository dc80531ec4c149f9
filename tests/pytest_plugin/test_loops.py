"""Which loop a simulated test gets, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.pytest_plugin.sandbox import run_tests

if TYPE_CHECKING:
    import pytest

pytest_plugins = ["pytester"]


def test_test_with_a_wider_loop_scope_fails_and_says_what_to_write(
    pytester: pytest.Pytester,
) -> None:
    source = """
        @pytest.mark.asyncio(loop_scope="module")
        async def test_wide(wt_clock): ...
    """
    result = run_tests(pytester, source, mode="strict")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [
            "test_it.py::test_wide: a simulated test has loop scope 'module', allowed "
            "is 'function'*@pytest.mark.asyncio(loop_scope=\"function\")"
        ]
    )


def test_default_loop_scope_of_the_project_is_refused_but_can_be_overruled(
    pytester: pytest.Pytester,
) -> None:
    source = """
        async def test_wide(wt_clock): ...

        @pytest.mark.asyncio(loop_scope="function")
        async def test_narrow(wt_clock): ...
    """
    scope = ("-o", "asyncio_default_test_loop_scope=session")
    result = run_tests(pytester, source, *scope, mode="auto")

    result.assert_outcomes(errors=1, passed=1)
    result.stdout.fnmatch_lines(["*test_wide: a simulated test has loop scope 'ses*"])


def test_hypothesis_test_on_the_loop_is_refused_with_the_way_out(
    pytester: pytest.Pytester,
) -> None:
    source = """
        from hypothesis import given, strategies

        @given(strategies.integers())
        @pytest.mark.windtunnel
        async def test_all(number): ...
    """
    result = run_tests(pytester, source, mode="auto")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["*all examples of a hypothesis test would share one simulated world*"]
    )


def test_loop_factories_of_the_project_do_not_multiply_a_simulated_test(
    pytester: pytest.Pytester,
) -> None:
    pytester.makeconftest(
        """
        import asyncio

        class Theirs(asyncio.SelectorEventLoop): ...

        def pytest_asyncio_loop_factories():
            return {"theirs": Theirs, "stock": asyncio.SelectorEventLoop}
        """
    )
    source = """
        import pytest_asyncio

        @pytest_asyncio.fixture(scope="session", loop_scope="session")
        async def session_loop():
            yield asyncio.get_running_loop()
            print("session loop ends")

        def loop_name():
            return type(asyncio.get_running_loop()).__name__

        @pytest.mark.asyncio(loop_scope="session")
        async def test_theirs(session_loop):
            assert session_loop is asyncio.get_running_loop()

        async def test_simulated(wt_clock):
            assert loop_name() == "SimLoop"
    """
    result = run_tests(pytester, source, "-v", mode="auto")

    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines_random(
        [
            "*::test_theirs[[]theirs] PASSED*",
            "*::test_theirs[[]stock] PASSED*",
            "*::test_simulated PASSED*",
        ]
    )


def test_anyio_test_runs_once_on_the_simulated_loop(pytester: pytest.Pytester) -> None:
    source = """
        import anyio

        @pytest.mark.anyio
        class TestGroup:
            @pytest.fixture
            async def resource(self):
                yield asyncio.get_running_loop()

            async def test_it(self, resource, wt_clock):
                assert resource is asyncio.get_running_loop()
                async with anyio.create_task_group() as group:
                    group.start_soon(anyio.sleep, 3600)
                assert wt_clock.elapsed == 3600
    """
    result = run_tests(pytester, source, "-v", mode="strict")

    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*::TestGroup::test_it PASSED*"])


def test_anyio_backend_of_the_author_is_kept_and_refused_with_a_reason(
    pytester: pytest.Pytester,
) -> None:
    source = """
        @pytest.mark.anyio
        @pytest.mark.parametrize("anyio_backend", ["asyncio"])
        async def test_it(wt_clock): ...
    """
    result = run_tests(pytester, source, mode="strict")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["*a simulated test must run on its own simulated loop, but its fixtures run*"]
    )


def test_unfinished_anyio_test_is_a_deadlock_and_its_fixtures_are_torn_down(
    pytester: pytest.Pytester,
) -> None:
    source = """
        @pytest.fixture
        async def resource():
            yield
            print("torn down")

        @pytest.mark.anyio
        async def test_stuck(resource, wt_clock):
            try:
                await asyncio.Event().wait()
            finally:
                print("test ended")
    """
    result = run_tests(pytester, source, "-s", mode="strict")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*test ended*", "*torn down*", "nothing can run,*"])


def test_replaced_root_fixture_is_named_when_there_is_no_loop(
    pytester: pytest.Pytester,
) -> None:
    source = """
        @pytest.fixture
        def windtunnel():
            return "mine"

        async def test_it(windtunnel): ...
    """
    result = run_tests(pytester, source)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*the fixture `windtunnel` was replaced by one*"])


def test_extended_root_fixture_works(pytester: pytest.Pytester) -> None:
    source = """
        @pytest.fixture
        def windtunnel(windtunnel):
            windtunnel.host("http://mine.test").on("GET", "/").reply(Reply(204))
            return windtunnel

        async def test_it(wt_session):
            async with wt_session.get("http://mine.test/") as resp:
                assert resp.status == 204
    """
    for mode in ("none", "auto"):
        run_tests(pytester, source, mode=mode).assert_outcomes(passed=1)


def test_root_fixture_asked_for_at_run_time_needs_the_marker(
    pytester: pytest.Pytester,
) -> None:
    source = """
        def test_unmarked(request):
            request.getfixturevalue("wt_clock")

        @pytest.mark.windtunnel
        async def test_marked(request):
            assert request.getfixturevalue("wt_clock").elapsed == 0
    """
    result = run_tests(pytester, source)

    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(
        ["*test_unmarked: the fixture `windtunnel` was asked for by request.getfix*"]
    )


def test_session_on_a_loop_of_a_wider_fixture_is_refused(
    pytester: pytest.Pytester,
) -> None:
    source = """
        import pytest_asyncio

        @pytest_asyncio.fixture(loop_scope="session")
        async def api(windtunnel):
            with pytest.raises(RuntimeError, match="not the simulated loop of this"):
                windtunnel.session()

        async def test_it(api, wt_clock): ...
    """
    run_tests(pytester, source, mode="auto").assert_outcomes(passed=1)


def test_session_in_a_plain_test_needs_run(pytester: pytest.Pytester) -> None:
    source = """
        def test_it(windtunnel):
            with pytest.raises(RuntimeError, match="make the test an `async def`"):
                windtunnel.session()
    """
    run_tests(pytester, source).assert_outcomes(passed=1)


def test_session_takes_a_base_url_and_a_connector(pytester: pytest.Pytester) -> None:
    source = """
        import windtunnel as client

        async def test_it(windtunnel):
            windtunnel.server.on("GET", "/a").reply(Reply(200, text="ok"))
            mine = client.TCPConnector(limit=1)
            session = windtunnel.session("http://server.test", connector=mine)
            async with session.get("/a") as resp:
                assert await resp.text() == "ok"
            assert session.connector is mine
    """
    run_tests(pytester, source).assert_outcomes(passed=1)

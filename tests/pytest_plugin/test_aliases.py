"""Plain names of fixtures, where a project asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.pytest_plugin.sandbox import run_tests

if TYPE_CHECKING:
    import pytest

pytest_plugins = ["pytester"]

ALL = "[pytest]\nwindtunnel_aliases = server session clock\n"


def test_plain_names_are_the_parts_of_the_tunnel(pytester: pytest.Pytester) -> None:
    pytester.makeini(ALL)
    source = """
        async def test_it(server, session, clock, windtunnel):
            server.expect("GET", "/").reply(Reply(204, delay=3))
            async with session.get(server.url("/")) as resp:
                assert resp.status == 204
            assert server is windtunnel.server
            assert clock.elapsed >= 3
    """
    run_tests(pytester, source).assert_outcomes(passed=1)


def test_only_the_names_asked_for_exist(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nwindtunnel_aliases = clock\n")
    source = """
        def test_clock(clock):
            assert clock.elapsed == 0

        def test_server(server):
            pass
    """
    result = run_tests(pytester, source)

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*fixture 'server' not found*"])


def test_without_the_ini_key_there_are_no_plain_names(
    pytester: pytest.Pytester,
) -> None:
    result = run_tests(pytester, "def test_it(session): pass")

    result.assert_outcomes(errors=1)


def test_an_unknown_alias_is_an_error_that_says_what_there_is(
    pytester: pytest.Pytester,
) -> None:
    pytester.makeini("[pytest]\nwindtunnel_aliases = sesion\n")

    result = run_tests(pytester, "def test_it(): pass")

    assert result.ret == 4
    result.stderr.fnmatch_lines(
        ["*'sesion' is no alias, allowed are server, session, clock*mean session*"]
    )


def test_a_fixture_that_hides_an_alias_is_told_once_with_its_place(
    pytester: pytest.Pytester,
) -> None:
    pytester.makeini(ALL)
    pytester.makeconftest(
        """
        import pytest

        @pytest.fixture
        def session():
            return "a database"
        """
    )
    source = """
        def test_one(session):
            assert session == "a database"

        def test_two(session):
            assert session == "a database"
    """
    result = run_tests(pytester, source, "-W", "default")

    result.assert_outcomes(passed=2, warnings=1)
    result.stdout.fnmatch_lines(
        ["*'session', but the fixture 'session' at *conftest.py:3 hides it*"]
    )


def test_a_fixture_that_extends_an_alias_is_no_mistake(
    pytester: pytest.Pytester,
) -> None:
    pytester.makeini(ALL)
    source = """
        @pytest.fixture
        def server(server):
            server.on("GET", "/health").reply(Reply(200))
            return server

        async def test_it(server, session):
            async with session.get(server.url("/health")) as resp:
                assert resp.status == 200
    """
    run_tests(pytester, source).assert_outcomes(passed=1, warnings=0)

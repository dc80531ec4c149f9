"""``--windtunnel-check``, ``--windtunnel-seeds`` and ``--windtunnel-trace``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.pytest_plugin.sandbox import run_tests

if TYPE_CHECKING:
    from collections.abc import Callable

pytest_plugins = ["pytester"]

COUNTED = """
    runs = []

    @pytest.fixture(scope="module")
    def wide():
        runs.append("up")
        yield
        runs.append("down")

    async def test_it(windtunnel, wide):
        runs.append(windtunnel.seed)
        windtunnel.server.expect("GET", "/").reply(Reply(200, text="hello"))
        async with windtunnel.session().get(windtunnel.server.url("/")) as resp:
            assert await resp.text() == "hello"

    def test_after(wide):
        print("runs", runs)
"""
DIFFERENT = """
    runs = []

    async def test_it(windtunnel):
        runs.append(1)
        windtunnel.server.on("GET", "/").reply(Reply(200, text="x" * len(runs)))
        async with windtunnel.session().get(windtunnel.server.url("/")) as resp:
            await resp.text()
"""


def test_a_check_runs_a_test_twice_and_wider_fixtures_once(
    pytester: pytest.Pytester,
) -> None:
    result = run_tests(pytester, COUNTED, "--windtunnel-check", "-s")

    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["*runs [[]'up', 0, 0]*"])


def test_a_check_fails_a_test_whose_runs_differ_and_shows_where(
    pytester: pytest.Pytester,
) -> None:
    result = run_tests(pytester, DIFFERENT, "--windtunnel-check")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "windtunnel: two runs with seed 0 differ",
            "the first difference is at event *",
            "  both *",
            "  run 1 *data*bytes*",
            "  run 2 *data*bytes*",
            "hint: *",
            "rerun: pytest test_it.py::test_it --windtunnel-seed=0 --windtunnel-check",
        ]
    )


def test_a_check_does_not_repeat_a_test_that_failed(pytester: pytest.Pytester) -> None:
    source = """
        def test_it(windtunnel):
            print("was", "here")
            assert False

        def test_other(windtunnel):
            pass
    """
    result = run_tests(pytester, source, "--windtunnel-check", "-s")

    result.assert_outcomes(failed=1, passed=1)
    assert result.stdout.str().count("was here") == 1


def test_a_check_leaves_other_tests_alone(pytester: pytest.Pytester) -> None:
    source = """
        def test_it():
            print("was here")
    """
    result = run_tests(pytester, source, "--windtunnel-check", "-s")

    result.assert_outcomes(passed=1)
    assert result.stdout.str().count("was here") == 1


def test_a_check_repeats_parametrized_tests_with_their_arguments(
    pytester: pytest.Pytester,
) -> None:
    source = """
        @pytest.mark.parametrize("n", [1, 2])
        def test_it(windtunnel, n):
            print("n is", n)
    """
    result = run_tests(pytester, source, "--windtunnel-check", "-s")

    result.assert_outcomes(passed=2)
    assert result.stdout.str().count("n is 2") == 2


def test_seeds_repeat_a_simulated_test_and_name_each_run(
    pytester: pytest.Pytester,
) -> None:
    source = """
        def test_it(windtunnel):
            print("seed is", windtunnel.seed)

        @pytest.mark.windtunnel(seed=9)
        def test_pinned(windtunnel):
            print("pinned to", windtunnel.seed)

        def test_other():
            pass
    """
    options = ("--windtunnel-seeds=3", "--windtunnel-seed=5", "-sv")
    result = run_tests(pytester, source, *options)

    result.assert_outcomes(passed=5)
    result.stdout.fnmatch_lines(
        ["*test_it?seed=5?*", "*test_it?seed=6?*", "*test_it?seed=7?*", "*pinned to 9*"]
    )


@pytest.mark.parametrize("extra", ["", '@pytest.mark.parametrize("n", [1])'])
def test_a_failed_seed_says_how_to_run_it_alone(
    pytester: pytest.Pytester, extra: str
) -> None:
    arguments = "windtunnel, n" if extra else "windtunnel"
    source = f"""
        {extra}
        def test_it({arguments}):
            assert windtunnel.seed != 1
    """
    result = run_tests(pytester, source, "--windtunnel-seeds=2")

    result.assert_outcomes(passed=1, failed=1)
    name = "'test_it.py::test_it[[]1]'" if extra else "test_it.py::test_it"
    result.stdout.fnmatch_lines([f"rerun: pytest {name} --windtunnel-seed=1"])


@pytest.mark.parametrize("value", ["0", "-1", "many"])
def test_a_number_of_seeds_that_is_none_is_refused(
    pytester: pytest.Pytester, value: str
) -> None:
    result = run_tests(pytester, "", f"--windtunnel-seeds={value}")

    assert result.ret == 4
    result.stderr.fnmatch_lines([f"*invalid number of seeds value: '{value}'*"])


def test_a_trace_of_each_simulated_test_is_written(
    pytester: pytest.Pytester, read_one: Callable[[str], str]
) -> None:
    result = run_tests(pytester, COUNTED, "--windtunnel-trace=out/traces")

    result.assert_outcomes(passed=2)
    text = read_one("test_it.py_test_it-*.txt")
    assert text.startswith("test_it.py::test_it  seed=0  digest=")
    assert "GET /" in text
    assert "connect" in text.partition("network")[2]


def test_a_trace_is_written_for_a_failed_test_too(
    pytester: pytest.Pytester, read_one: Callable[[str], str]
) -> None:
    source = """
        @pytest.mark.parametrize("long", ["x" * 200], ids=["x" * 200])
        async def test_it(windtunnel, long):
            windtunnel.server.expect("GET", "/never").reply(Reply(200))
    """
    result = run_tests(pytester, source, "--windtunnel-trace=out/traces")

    result.assert_outcomes(failed=1)
    assert "seed=0" in read_one("test_it.py_test_it_xxx*.txt")


@pytest.fixture
def read_one(pytester: pytest.Pytester) -> Callable[[str], str]:
    """Read the only trace whose file has a name of some form."""

    def read(pattern: str) -> str:
        [path] = (pytester.path / "out" / "traces").iterdir()
        assert path.match(pattern), path.name
        return path.read_text(encoding="utf-8")

    return read


def test_more_servers_are_made_on_request(pytester: pytest.Pytester) -> None:
    source = """
        async def test_it(make_wt_server, wt_session):
            one, two = make_wt_server(), make_wt_server()
            named = make_wt_server("http://other.test", app=lambda request: Reply(202))
            one.expect("GET", "/").reply(Reply(201))
            assert (one.origin, two.origin) == (
                "http://server-2.test", "http://server-3.test"
            )
            for server, status in ((one, 201), (named, 202)):
                async with wt_session.get(server.url("/")) as resp:
                    assert resp.status == status
    """
    run_tests(pytester, source).assert_outcomes(passed=1)

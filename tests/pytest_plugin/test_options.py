"""What a simulated test may be told, and what it hears when it is told wrongly."""

from __future__ import annotations

from importlib.metadata import version

import pytest

from tests.pytest_plugin.sandbox import run_tests

pytest_plugins = ["pytester"]

SHOW_SEED = """
    def test_seed(windtunnel):
        print("seed is", windtunnel.seed)
"""


def test_header_has_version_and_seed(pytester: pytest.Pytester) -> None:
    result = run_tests(pytester, SHOW_SEED, "--windtunnel-seed=12")

    result.stdout.fnmatch_lines([f"windtunnel: {version('windtunnel')}, seed 12"])


def test_seed_is_zero_unless_told_otherwise(pytester: pytest.Pytester) -> None:
    run_tests(pytester, SHOW_SEED, "-s").stdout.fnmatch_lines(["*seed is 0*"])


def test_seed_of_the_command_line_wins_over_the_ini_file(
    pytester: pytest.Pytester,
) -> None:
    pytester.makeini("[pytest]\nwindtunnel_seed = 3\n")

    run_tests(pytester, SHOW_SEED, "-s").stdout.fnmatch_lines(["*seed is 3*"])
    result = run_tests(pytester, SHOW_SEED, "-s", "--windtunnel-seed=4")
    result.stdout.fnmatch_lines(["*seed is 4*"])


def test_seed_of_the_marker_wins_over_the_command_line(
    pytester: pytest.Pytester,
) -> None:
    source = """
        @pytest.mark.windtunnel(seed=5)
        def test_seed(windtunnel):
            print("seed is", windtunnel.seed)
    """
    result = run_tests(pytester, source, "-s", "--windtunnel-seed=4")

    result.stdout.fnmatch_lines(["*seed is 5*"])


def test_arguments_of_the_closest_marker_win_one_by_one(
    pytester: pytest.Pytester,
) -> None:
    source = """
        @pytest.mark.windtunnel(seed=1, start=50, latency=0.25, strict=False)
        class TestSlow:
            @pytest.mark.windtunnel(seed=2)
            async def test_all(self, windtunnel):
                assert windtunnel.seed == 2
                assert windtunnel.strict is False
                assert windtunnel.clock.time() == 50
                async with httpx.AsyncClient() as client:
                    reply = await client.get(windtunnel.server.url("/"))
                assert reply.status_code == 501
                assert windtunnel.clock.elapsed == 1.0
    """
    run_tests(pytester, source).assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(
            "seed=-1",
            "@pytest.mark.windtunnel(seed=-1): allowed is a whole number >= 0",
            id="seed",
        ),
        pytest.param("seed='x'", "(seed='x'): allowed is a whole", id="seed-text"),
        pytest.param("seed=True", "(seed=True): allowed is a whole", id="seed-flag"),
        pytest.param("strict=1", "(strict=1): allowed is True or False", id="strict"),
        pytest.param("start=0", "(start=0): allowed is seconds, more", id="start"),
        pytest.param("start=1e9", "(start=1000000000.0): allowed", id="late"),
        pytest.param("latency=-0.1", "(latency=-0.1): allowed is sec", id="latency"),
        pytest.param("latency='no'", "(latency='no'): allowed is sec", id="text"),
        pytest.param(
            "sed=1",
            "got sed=, allowed are seed, strict, start, latency (did you mean seed=?)",
            id="misspelt",
        ),
        pytest.param("colour=1", "got colour=, allowed are seed, strict", id="unknown"),
        pytest.param("7", "got 7 by position, allowed are only keyword", id="place"),
    ],
)
def test_wrong_marker_argument_fails_the_test_and_names_what_is_allowed(
    pytester: pytest.Pytester, arguments: str, words: str
) -> None:
    source = f"""
        @pytest.mark.windtunnel({arguments})
        async def test_it(): ...

        def test_others_run(): ...
    """
    result = run_tests(pytester, source)

    result.assert_outcomes(errors=1, passed=1)
    text = result.stdout.str()
    assert "test_wrong_marker_argument" in text
    assert words in text
    assert "Traceback" not in text
    assert "plugin" not in text.partition("ERRORS")[2]


def test_wrong_seed_on_the_command_line_is_a_usage_error(
    pytester: pytest.Pytester,
) -> None:
    for wrong in ("-1", "x"):
        result = run_tests(pytester, SHOW_SEED, f"--windtunnel-seed={wrong}")

        assert result.ret == pytest.ExitCode.USAGE_ERROR
        result.stderr.fnmatch_lines(
            [f"*argument --windtunnel-seed: invalid seed value: '{wrong}'"]
        )


def test_wrong_seed_in_the_ini_file_is_a_usage_error(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nwindtunnel_seed = many\n")

    result = run_tests(pytester, SHOW_SEED)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["*ini key windtunnel_seed: 'many' is not a whole number >= 0"]
    )


def test_marker_is_declared_for_strict_markers(pytester: pytest.Pytester) -> None:
    result = run_tests(pytester, SHOW_SEED, "--markers")

    result.stdout.fnmatch_lines(["@pytest.mark.windtunnel(seed=None, strict=None, *"])

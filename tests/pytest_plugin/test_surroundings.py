"""What is around a test stays out of it, and what is not ours stays as it is."""

from __future__ import annotations

import pytest

from tests.pytest_plugin.sandbox import plugins, run_tests

pytest_plugins = ["pytester"]


def test_proxies_of_the_machine_are_gone_in_simulated_tests_only(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("all_proxy", "http://127.0.0.1:9")
    source = """
        import os

        async def test_simulated(wt_server):
            assert not {"HTTP_PROXY", "all_proxy"} & os.environ.keys()
            wt_server.expect("GET", "/").reply(Reply(200))
            async with httpx.AsyncClient() as client:
                await client.get(wt_server.url("/"))

        def test_other():
            assert {"HTTP_PROXY", "all_proxy"} <= os.environ.keys()
    """
    run_tests(pytester, source).assert_outcomes(passed=2)


def test_aiohttp_resolves_on_the_loop_although_aiodns_is_installed(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(
        aiodns="""
        class DNSResolver:
            def __init__(self, *args, **kwargs):
                raise AssertionError("c-ares would ask the real network")

            def getaddrinfo(self): ...
        """,
        test_it="""
        import aiohttp
        import aiohttp.connector
        import pytest
        from windtunnel_fakeserver import Reply

        async def test_simulated(wt_server):
            wt_server.expect("GET", "/").reply(Reply(204))
            async with aiohttp.ClientSession() as session:
                async with session.get(wt_server.url("/")) as resp:
                    assert resp.status == 204

        def test_other():
            assert aiohttp.connector.DefaultResolver is aiohttp.resolver.AsyncResolver
        """,
    )
    pytester.syspathinsert()

    result = pytester.runpytest_subprocess(*plugins("none"))

    result.assert_outcomes(passed=2)


def test_run_without_simulated_tests_loads_neither_server_nor_client(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(
        test_it="""
        import sys

        OURS = ("windtunnel", "windtunnel_fakeserver", "pytest_windtunnel")

        def test_nothing_is_loaded():
            loaded = {name for name in sys.modules if name.split(".")[0] in OURS}
            assert loaded == {
                "pytest_windtunnel",
                "pytest_windtunnel.fixtures",
                "pytest_windtunnel.options",
            }
            assert "aiohttp" not in sys.modules

        class TestOld:
            def test_still(self): ...
        """
    )
    result = pytester.runpytest_subprocess(*plugins("none"))

    result.assert_outcomes(passed=2)


def test_client_is_loaded_only_by_those_who_make_a_session(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(
        test_it="""
        import sys

        async def test_without(wt_server, wt_clock):
            assert "windtunnel" not in sys.modules
            assert "trustme" not in sys.modules

        async def test_with(wt_session):
            assert "windtunnel" in sys.modules
            assert "trustme" not in sys.modules
        """
    )
    result = pytester.runpytest_subprocess(*plugins("none"))

    result.assert_outcomes(passed=2)


def test_doctests_and_unittests_are_left_alone(pytester: pytest.Pytester) -> None:
    source = '''
        import unittest

        def double(number):
            """Double it.

            >>> double(2)
            4
            """
            return number * 2

        class TestOld(unittest.IsolatedAsyncioTestCase):
            async def test_loop(self):
                await asyncio.sleep(0)
                name = type(asyncio.get_running_loop()).__name__
                assert name != "SimLoop"
    '''
    result = run_tests(pytester, source, "--doctest-modules")

    result.assert_outcomes(passed=2)


def test_clocks_are_virtual_inside_a_test_and_real_outside(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(
        test_it="""
        import asyncio
        import time
        from time import monotonic

        REAL = monotonic()

        async def test_inside(wt_clock):
            began, wall = monotonic(), time.time()
            await asyncio.sleep(3600)
            assert monotonic() - began == 3600
            assert round(time.time() - wall) == 3600

        def test_outside():
            assert 0 < monotonic() - REAL < 60
        """
    )
    result = pytester.runpytest_subprocess(*plugins("none"))

    result.assert_outcomes(passed=2)


def test_root_class_is_importable_for_annotations() -> None:
    import pytest_windtunnel
    from pytest_windtunnel.tunnel import WindTunnel

    assert pytest_windtunnel.WindTunnel is WindTunnel
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        _ = pytest_windtunnel.Nothing

"""AsyncResolver, with a stand-in for aiodns, which is an optional package."""

from __future__ import annotations

import socket
import sys
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import pytest

import windtunnel
from windtunnel_fakeserver import Tunnel


class FakeDns:
    """What of ``aiodns.DNSResolver`` is used."""

    made: ClassVar[list[FakeDns]]
    nodes: ClassVar[list[Any]]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.pop("loop")
        self.given = (args, kwargs)
        self.is_cancelled = False
        self.made.append(self)

    async def getaddrinfo(self, host: str, **asked: Any) -> Any:
        if host == "nobody.test":
            raise LookupError(4, "Domain name not found")
        if host == "odd.test":
            raise LookupError
        assert asked["type"] is socket.SOCK_STREAM
        assert asked["flags"] == socket.AI_ADDRCONFIG
        return SimpleNamespace(nodes=self.nodes)

    def cancel(self) -> None:
        self.is_cancelled = True


@pytest.fixture
def aiodns(monkeypatch: pytest.MonkeyPatch) -> type[FakeDns]:
    class Fresh(FakeDns):
        made: ClassVar[list[FakeDns]] = []
        nodes: ClassVar[list[Any]] = [
            SimpleNamespace(family=socket.AF_INET, addr=(b"198.18.0.1", 80)),
            SimpleNamespace(family=socket.AF_INET6, addr=("2001:db8::1", 80, 0, 0)),
        ]

    module = ModuleType("aiodns")
    vars(module)["DNSResolver"] = Fresh
    monkeypatch.setitem(sys.modules, "aiodns", module)
    return Fresh


def test_without_aiodns_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def main(tunnel: Tunnel) -> None:
        with pytest.raises(RuntimeError, match="pip install aiodns"):
            windtunnel.AsyncResolver()

    monkeypatch.setitem(sys.modules, "aiodns", None)
    Tunnel().run(main)


def test_answers_of_aiodns_become_results(aiodns: type[FakeDns]) -> None:
    async def main(tunnel: Tunnel) -> None:
        resolver = windtunnel.AsyncResolver()
        found = await resolver.resolve("a.test", 80, socket.AF_UNSPEC)
        assert [(each["host"], each["port"], each["family"]) for each in found] == [
            ("198.18.0.1", 80, socket.AF_INET),
            ("2001:db8::1", 80, socket.AF_INET6),
        ]
        with pytest.raises(OSError, match="Domain name not found"):
            await resolver.resolve("nobody.test")
        with pytest.raises(OSError, match="DNS lookup failed"):
            await resolver.resolve("odd.test")
        aiodns.nodes = []
        with pytest.raises(OSError, match="DNS lookup failed"):
            await resolver.resolve("a.test")
        await resolver.close()
        await resolver.close()
        with pytest.raises(RuntimeError, match="closed"):
            await resolver.resolve("a.test")

    Tunnel().run(main)


def test_resolvers_without_arguments_share_one_of_aiodns(
    aiodns: type[FakeDns],
) -> None:
    async def main(tunnel: Tunnel) -> None:
        one, two = windtunnel.AsyncResolver(), windtunnel.AsyncResolver()
        own = windtunnel.AsyncResolver(None, "first", nameservers=["198.18.0.53"])
        assert len(aiodns.made) == 2
        assert aiodns.made[1].given == (("first",), {"nameservers": ["198.18.0.53"]})
        seen: list[list[bool]] = []
        for each in (one, two, own):
            await each.close()
            seen.append([made.is_cancelled for made in aiodns.made])
        assert seen == [[False, False], [True, False], [True, True]]

    Tunnel().run(main)


def test_the_default_resolver_is_that_of_the_system() -> None:
    assert windtunnel.DefaultResolver is windtunnel.ThreadedResolver


def test_the_interface_of_a_link_local_address_is_kept(aiodns: type[FakeDns]) -> None:
    async def main(tunnel: Tunnel) -> None:
        # Interface 1 is the loopback, whatever its name.
        node = SimpleNamespace(family=socket.AF_INET6, addr=("fe80::1", 80, 0, 1))
        aiodns.nodes = [node]
        resolver = windtunnel.AsyncResolver()
        (found,) = await resolver.resolve("a.test", 80, socket.AF_INET6)
        assert found["host"] == f"fe80::1%{socket.if_indextoname(1)}"
        await resolver.close()

    Tunnel().run(main)

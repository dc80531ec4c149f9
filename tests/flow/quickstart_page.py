"""Runs the code of the quickstart page, block by block, as somebody at a prompt would.

The page prints fragments: a block may use names of the blocks before it, begin with
``async with``, or be a bare call of a verb. So a block is run like the input of an
asynchronous prompt: it may await anywhere, its names stay, and a statement that is an
expression with something to await is awaited.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from typing import TYPE_CHECKING, Any, Final

import windtunnel
from windtunnel_fakeserver.apps import simulated_internet

if TYPE_CHECKING:
    import pytest

    from pytest_windtunnel import WindTunnel

_AWAIT_ANYWHERE: Final = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT


class Page:
    """A reader's prompt: the names that the page has, and what was printed.

    Attributes:
        names: What the blocks can use, and what they have made.
        tunnel: The simulated internet.
    """

    def __init__(self, tunnel: WindTunnel, capture: pytest.CaptureFixture[str]) -> None:
        simulated_internet(tunnel)
        self.tunnel = tunnel
        self.names: dict[str, Any] = {"aiohttp": windtunnel}
        self._capture = capture

    @property
    def printed(self) -> str:
        """What was printed since the last look."""
        return self._capture.readouterr().out

    async def run(self, block: str, *stands_for: tuple[str, str]) -> Any:
        """Run one block.

        Args:
            block: As printed on the page; its indentation here does not count.
            *stands_for: What the page leaves to its reader: the text of a placeholder,
                and what a reader would write there. Each must be in the block.

        Returns:
            What the last statement came to, None if it is not an expression.
        """
        result = None
        for statement in ast.parse(self.text(block, *stands_for)).body:
            result = await self._step(statement)
        return result

    @staticmethod
    def text(block: str, *stands_for: tuple[str, str]) -> str:
        """Return a block as it is printed on the page, with its placeholders filled."""
        block = textwrap.dedent(block).lstrip("\n")
        for placeholder, meant in stands_for:
            assert block.count(placeholder) == 1, placeholder
            block = block.replace(placeholder, meant)
        return block

    async def _step(self, statement: ast.stmt) -> Any:
        tree: ast.Module | ast.Expression
        if isinstance(statement, ast.Expr):
            tree = ast.Expression(statement.value)
            code = compile(tree, "quickstart", "eval", flags=_AWAIT_ANYWHERE)
        else:
            tree = ast.Module([statement], [])
            code = compile(tree, "quickstart", "exec", flags=_AWAIT_ANYWHERE)
        result = eval(code, self.names)  # the page is ours
        if code.co_flags & inspect.CO_COROUTINE:
            result = await result
        return await result if inspect.isawaitable(result) else result

    def asked(self) -> list[str]:
        """Return what the hosts were asked, in order: ``GET http://a.test/x``."""
        return [
            f"{each.request.method} {each.request.server}{each.request.target}"
            for each in self.tunnel.journal
        ]

"""Each module of the client has a test file of its own.

``client/windtunnel/_room/x.py`` is tested by ``tests/client/room/test_x.py``. A module
whose behaviour is that of something larger is tested where that is, and listed here.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from tests.repo.project import PACKAGES, ROOT

if TYPE_CHECKING:
    from pathlib import Path

TESTS = ROOT / "tests" / "client"

ELSEWHERE: dict[str, str] = {
    "_base/compat": "test_import.py",
    "_base/watch": "session/test_tracing.py",
    "_body/stream_buffer": "body/test_stream.py",
    "_exchange/attempt": "exchange/test_client_request.py",
    "_exchange/handmade": "exchange/test_response.py",
    "_exchange/journey": "session/test_redirects.py",
    "_exchange/lease": "session/test_pool.py",
    "_exchange/request": "session/test_bytes_on_the_wire.py",
    "_exchange/response_head": "exchange/test_response_fields.py",
    "_exchange/run": "session/test_exchange.py",
    "_exchange/translate": "session/test_failures.py",
    "_exchange/way": "transport/test_tunnel.py",
    "_session/call": "session/test_arguments.py",
    "_session/context": "session/test_exchange.py",
    "_session/defaults": "session/test_arguments.py",
    "_session/life": "session/test_arguments.py",
    "_session/once": "session/test_exchange.py",
    "_session/options": "session/test_arguments.py",
    "_session/policies": "session/test_redirects.py",
    "_session/session": "session/test_exchange.py",
    "_session/verbs": "session/test_exchange.py",
    "_transport/channel": "session/test_pool.py",
    "_transport/connection": "session/test_exchange.py",
    "_transport/failures": "session/test_failures.py",
    "_transport/pool": "session/test_pool.py",
    "_transport/settings": "session/test_exchange.py",
    "_transport/tcp": "transport/test_connector.py",
    "_transport/tls": "session/test_tls.py",
    "_transport/upload": "body/test_uploads.py",
    "_wire/ws_message": "wire/test_ws_frames.py",
    "abc": "session/test_cookie_jar.py",
    "client_middlewares": "exchange/test_client_request.py",
    "errors/connection": "test_errors.py",
    "errors/exchange": "test_errors.py",
    "errors/http": "test_http_errors.py",
    "errors/response": "test_errors.py",
}


def has_code(path: Path) -> bool:
    """Say whether a module does anything, rather than name things."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return any(
        isinstance(node, kinds) and node.name != "__getattr__"
        for node in ast.walk(tree)
    )


def modules_without_mirror() -> dict[str, str]:
    """Give the modules that do something and have no mirrored test file, and that."""
    client = PACKAGES["windtunnel"]
    missing: dict[str, str] = {}
    for path in sorted(client.rglob("*.py")):
        name = path.relative_to(client).with_suffix("").as_posix()
        folder, _, stem = name.rpartition("/")
        mirror = f"{folder.lstrip('_')}/test_{stem}.py".lstrip("/")
        if stem == "__init__" or (TESTS / mirror).exists() or not has_code(path):
            continue
        missing[name] = mirror
    return missing


def test_each_module_of_the_client_has_its_test_file_or_says_where_it_is_tested() -> (
    None
):
    missing = modules_without_mirror()
    unsaid = {f"{name}: make {missing[name]}" for name in missing.keys() - ELSEWHERE}
    assert unsaid == set()


def test_what_the_table_names_is_there() -> None:
    client = PACKAGES["windtunnel"]
    modules = {name for name in ELSEWHERE if not (client / f"{name}.py").exists()}
    files = {file for file in ELSEWHERE.values() if not (TESTS / file).exists()}
    assert (modules, files) == (set(), set())

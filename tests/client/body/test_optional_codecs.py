"""A coding whose library is not there is neither offered nor undone."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("brotli", "brotlicffi", "compression", "backports"):
            raise ImportError(name)

sys.meta_path.insert(0, Missing())
from windtunnel._body.decoders import ACCEPT_ENCODING, make_decoder
from windtunnel._body.encoders import make_encoder
assert ACCEPT_ENCODING == "gzip, deflate", ACCEPT_ENCODING
assert make_decoder("br") is None
assert make_decoder("gzip, zstd") is None
for name in ("br", "zstd"):
    try:
        make_encoder(name)
    except ValueError:
        pass
    else:
        raise SystemExit(name)
"""


def test_codings_without_a_library_are_left_alone() -> None:
    subprocess.run([sys.executable, "-c", PROGRAM], check=True, timeout=30)

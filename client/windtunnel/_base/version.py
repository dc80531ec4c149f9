"""The version of the distribution; reading its metadata would cost the import time."""

from __future__ import annotations

import sys

__version__ = "0.0.1"

#: How the client introduces itself, to servers and to proxies.
USER_AGENT = (
    f"Python/{sys.version_info.major}.{sys.version_info.minor} windtunnel/{__version__}"
)

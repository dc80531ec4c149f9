"""A fake HTTP server on a simulated network and clock: the public authoring words."""

from __future__ import annotations

from windtunnel_fakeserver._journal.journal import Journal
from windtunnel_fakeserver._journal.record import (
    ConnectionRecord,
    Exchange,
    WireEvent,
)
from windtunnel_fakeserver._script.reply import App, Pause, Reply, pause
from windtunnel_fakeserver._wire.request import Request
from windtunnel_fakeserver.errors import VerificationError, WireClosedError

__all__ = [
    "App",
    "ConnectionRecord",
    "Exchange",
    "Journal",
    "Pause",
    "Reply",
    "Request",
    "VerificationError",
    "WireClosedError",
    "WireEvent",
    "pause",
]

"""A fake HTTP server on a simulated network and clock: the public authoring words."""

from __future__ import annotations

from windtunnel_fakeserver._journal.journal import Journal
from windtunnel_fakeserver._journal.record import (
    ConnectionRecord,
    Exchange,
    WireEvent,
)
from windtunnel_fakeserver._script.fault import (
    Eof,
    Fault,
    Garbage,
    HalfClose,
    Moment,
    Reset,
    Stall,
    TlsAlert,
)
from windtunnel_fakeserver._script.json_diff import subset
from windtunnel_fakeserver._script.pace import Delay, Pause, pause
from windtunnel_fakeserver._script.reply import App, Reply
from windtunnel_fakeserver._script.routes import Route
from windtunnel_fakeserver._serve.authority import Authority, Identity, Tls
from windtunnel_fakeserver._serve.gate import Gate
from windtunnel_fakeserver._serve.server import FakeServer
from windtunnel_fakeserver._serve.wire import Script, Wire
from windtunnel_fakeserver._verify.verdict import Problem, Verdict
from windtunnel_fakeserver._wire.coding import Encoding
from windtunnel_fakeserver._wire.request import Request
from windtunnel_fakeserver.errors import SweepError, VerificationError, WireClosedError
from windtunnel_fakeserver.loopback import Loopback
from windtunnel_fakeserver.sweep import Cut, cuts, split_at, splits, sweep
from windtunnel_fakeserver.threaded import ThreadedGate, ThreadedLoopback
from windtunnel_fakeserver.tunnel import Tunnel

__all__ = [
    "App",
    "Authority",
    "ConnectionRecord",
    "Cut",
    "Delay",
    "Encoding",
    "Eof",
    "Exchange",
    "FakeServer",
    "Fault",
    "Garbage",
    "Gate",
    "HalfClose",
    "Identity",
    "Journal",
    "Loopback",
    "Moment",
    "Pause",
    "Problem",
    "Reply",
    "Request",
    "Reset",
    "Route",
    "Script",
    "Stall",
    "SweepError",
    "ThreadedGate",
    "ThreadedLoopback",
    "Tls",
    "TlsAlert",
    "Tunnel",
    "Verdict",
    "VerificationError",
    "Wire",
    "WireClosedError",
    "WireEvent",
    "cuts",
    "pause",
    "split_at",
    "splits",
    "subset",
    "sweep",
]

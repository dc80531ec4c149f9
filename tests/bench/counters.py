"""Count the instructions that this process executes in user space, and its memory.

The Linux kernel can be asked for the processor's own counter (perf_event_open); virtual
machines often do not have one. Nothing is estimated: where there is no counter, the
answer is None.
"""

from __future__ import annotations

import ctypes
import os
import re
import resource
import struct
import sys
from pathlib import Path
from typing import Final

_SYSCALL_NUMBERS: Final = {"x86_64": 298, "aarch64": 241}
_ATTR_BYTES: Final = 128
_TYPE_HARDWARE: Final = 0
_COUNT_INSTRUCTIONS: Final = 1
_DISABLED, _INHERIT, _EXCLUDE_KERNEL, _EXCLUDE_HV = 1 << 0, 1 << 1, 1 << 5, 1 << 6
_IOC_ENABLE, _IOC_DISABLE, _IOC_RESET = 0x2400, 0x2401, 0x2403


def _open_counter() -> int | None:
    """Return a descriptor of a stopped counter, None if there is none to have."""
    number = _SYSCALL_NUMBERS.get(os.uname().machine)
    if not sys.platform.startswith("linux") or number is None:
        return None
    flags = _DISABLED | _INHERIT | _EXCLUDE_KERNEL | _EXCLUDE_HV
    attributes = struct.pack(
        "<IIQQQQQ", _TYPE_HARDWARE, _ATTR_BYTES, _COUNT_INSTRUCTIONS, 0, 0, 0, flags
    ).ljust(_ATTR_BYTES, b"\0")
    syscall = ctypes.CDLL(None, use_errno=True).syscall
    # This process, any processor, no group, no flags.
    descriptor: int = syscall(number, attributes, 0, -1, -1, 0)
    return None if descriptor < 0 else descriptor


class InstructionCounter:
    """Counts between ``start`` and ``stop``; gives None if it cannot."""

    def __init__(self) -> None:
        self._descriptor = _open_counter()

    @property
    def available(self) -> bool:
        """Whether the processor can be asked."""
        return self._descriptor is not None

    def start(self) -> None:
        """Begin at zero."""
        if self._descriptor is not None:
            self._control(_IOC_RESET)
            self._control(_IOC_ENABLE)

    def stop(self) -> int | None:
        """End, and say how many instructions there were."""
        if self._descriptor is None:
            return None
        self._control(_IOC_DISABLE)
        (count,) = struct.unpack("<q", os.read(self._descriptor, 8))
        os.close(self._descriptor)
        self._descriptor = None
        return int(count)

    def _control(self, request: int) -> None:
        ctypes.CDLL(None).ioctl(self._descriptor, request, 0)


def peak_kib() -> int:
    """Say how much memory this process ever had resident, in KiB."""
    # What getrusage says on Linux includes the process that this one was forked from.
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        status = ""
    found = re.search(r"^VmHWM:\s*(\d+) kB", status, re.MULTILINE)
    if found:
        return int(found[1])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // 1024 if sys.platform == "darwin" else peak


def allow_open_files() -> None:
    """Raise the limit of open files to the most that this process may have."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))

"""Words of the typing module that the oldest supported Python does not have.

In: nothing. Out: ``override``. It must not know anything of the simulation.
"""

from __future__ import annotations

import typing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import override
else:
    # typing.override came with Python 3.12; before that the mark has no effect.
    override = getattr(typing, "override", lambda method: method)

__all__ = ["override"]

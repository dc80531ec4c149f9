"""Names that the oldest supported Python does not have yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import override
else:

    def override(method):  # noqa: ANN001, ANN202  # typed for checkers by the branch above
        """Mark a method that replaces one of a base class; only checkers look."""
        return method


__all__ = ("override",)

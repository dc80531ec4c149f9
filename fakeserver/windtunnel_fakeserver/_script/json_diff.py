"""Two JSON values compared: where they differ, as paths a reader can follow.

Comes in: an expected and a found value. Goes out: the differences, outermost first.
Must not know: requests.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, TypeGuard

from windtunnel_fakeserver._wire.compat import override

if TYPE_CHECKING:
    from collections.abc import Sequence

Difference: TypeAlias = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Subset:
    """A JSON value of which only the named keys are compared, at every depth."""

    value: Any

    @override
    def __repr__(self) -> str:
        return f"subset({self.value!r})"


def subset(value: Any) -> Subset:
    """Ask for these keys and their values; others may be there too.

    Lists inside must have the same length; their members are compared as subsets.
    """
    return Subset(value)


def json_differences(
    wanted: Any, got: Any, *, exact: bool, where: str = "$"
) -> list[Difference]:
    """Return (path, expected, got) for each place where two values differ.

    Args:
        wanted: The expected value.
        got: The found value.
        exact: False ignores keys that only ``got`` has.
        where: Path of both values, for the messages.
    """
    if _is_object(wanted) and _is_object(got):
        return _in_objects(wanted, got, exact, where)
    if _is_list(wanted) and _is_list(got):
        return _in_lists(wanted, got, exact, where)
    # JSON tells true from 1, Python's == does not.
    if wanted == got and isinstance(wanted, bool) == isinstance(got, bool):
        return []
    return [(where, repr(wanted), repr(got))]


def _is_object(value: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def _is_list(value: object) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, list | tuple)


def _in_objects(
    wanted: dict[str, Any], got: dict[str, Any], exact: bool, where: str
) -> list[Difference]:
    found: list[Difference] = []
    for key, value in wanted.items():
        place = f"{where}.{key}"
        if key not in got:
            found.append((place, repr(value), "absent"))
        else:
            found += json_differences(value, got[key], exact=exact, where=place)
    if exact:
        extra = [key for key in got if key not in wanted]
        found += [(f"{where}.{key}", "absent", repr(got[key])) for key in extra]
    return found


def _in_lists(
    wanted: Sequence[Any], got: Sequence[Any], exact: bool, where: str
) -> list[Difference]:
    if len(wanted) != len(got):
        return [(where, f"{len(wanted)} items", f"{len(got)} items")]
    found: list[Difference] = []
    for index, (left, right) in enumerate(zip(wanted, got, strict=True)):
        found += json_differences(left, right, exact=exact, where=f"{where}[{index}]")
    return found

"""Small public values of the compatible API that belong to no request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from windtunnel._base.compat import override


@dataclass(frozen=True, slots=True)
class ETag:
    """An entity tag.

    Attributes:
        value: The text between the quotes.
        is_weak: Whether equal tags may stand for different bytes.

    Spec: RFC 9110 section 8.8.3.
    """

    value: str
    is_weak: bool = False


class ChainMapProxy(Mapping[Any, Any]):
    """Several mappings as one that cannot be changed; earlier ones win.

    Args:
        maps: The mappings; changes in them show.

    Raises:
        TypeError: Somebody makes a subclass.
    """

    __slots__ = ("_maps",)

    def __init__(self, maps: Iterable[Mapping[Any, Any]]) -> None:
        self._maps = tuple(maps)

    @override
    def __init_subclass__(cls) -> NoReturn:
        msg = f"Inheritance class {cls.__name__} from ChainMapProxy is forbidden"
        raise TypeError(msg)

    @override
    def __getitem__(self, key: Any) -> Any:
        for each in self._maps:
            if key in each:
                return each[key]
        raise KeyError(key)

    @override
    def get(self, key: Any, default: Any = None) -> Any:
        """Return the value of the first mapping that has the key."""
        for each in self._maps:
            if key in each:
                return each[key]
        return default

    @override
    def __len__(self) -> int:
        return len(set[Any]().union(*self._maps))

    @override
    def __iter__(self) -> Iterator[Any]:
        seen: dict[Any, None] = {}
        for each in reversed(self._maps):
            seen.update(dict.fromkeys(each))
        return iter(seen)

    @override
    def __contains__(self, key: object) -> bool:
        return any(key in each for each in self._maps)

    def __bool__(self) -> bool:
        return any(self._maps)

    @override
    def __repr__(self) -> str:
        return f"ChainMapProxy({', '.join(map(repr, self._maps))})"

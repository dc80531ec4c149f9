"""Rules for connects: which are refused, never answered, or unreachable.

In: rules in the order in which they were added, then one target after the other. Out:
the first rule that applies. It must not know what the network does about it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["ConnectRule", "RuleBook", "Verdict"]

Verdict = Literal["refuse", "hang", "unreachable"]


@dataclass(slots=True, eq=False)
class ConnectRule:
    """What happens to connects to some addresses.

    Attributes:
        kind: What happens.
        addresses: IP literals to which it applies.
        port: The only port to which it applies, or None for all.
        times: To how many connects it applies, or None for all.
        hits: To how many connects it applied so far.
    """

    kind: Verdict
    addresses: frozenset[str]
    port: int | None
    times: int | None
    hits: int = 0
    is_removed: bool = False

    def remove(self) -> None:
        """Let the rule apply no more."""
        self.is_removed = True

    def applies(self, literal: str, port: int) -> bool:
        """Whether a connect to this target falls under the rule."""
        return (
            not self.is_removed
            and literal in self.addresses
            and self.port in (None, port)
            and (self.times is None or self.hits < self.times)
        )


class RuleBook:
    """All rules of one network."""

    def __init__(self) -> None:
        self._rules: list[ConnectRule] = []

    def add(
        self,
        kind: Verdict,
        addresses: frozenset[str],
        port: int | None,
        times: int | None,
    ) -> ConnectRule:
        """Add a rule behind the others."""
        rule = ConnectRule(kind, addresses, port, times)
        self._rules.append(rule)
        return rule

    def match(self, literal: str, port: int) -> ConnectRule | None:
        """Find the first rule for a target, and count the hit."""
        for rule in self._rules:
            if rule.applies(literal, port):
                rule.hits += 1
                return rule
        return None

"""A claim about a function: what is said, how sure it is, and what shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

STATUSES = ("proven", "sampled", "unknown")


@dataclass(frozen=True)
class Claim:
    """`value` is what is claimed, `status` one of "proven", "sampled" and "unknown", `certificate` the steps that show it.

    A yes-or-no claim that is refuted has `value=False` and `status="proven"`. `ball` is the certified enclosure
    (midpoint, radius) of a number, where there is one.
    """

    value: Any
    status: str
    certificate: tuple[str, ...] = ()
    ball: tuple[str, str] | None = None

    def __post_init__(self) -> None:
        if self.status not in STATUSES:
            raise ValueError(f"a claim's status is one of {', '.join(STATUSES)}, not {self.status!r}")

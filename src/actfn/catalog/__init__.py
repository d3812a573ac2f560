"""The catalog: every activation function that has a name, as data.

One file a family, holding `Definition`s and nothing else; adding a function is adding an entry there. `units` holds the
layers that gate one half of their input by an entry. Importing the catalog parses no formula: an entry does that on
first use.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from types import MappingProxyType

from actfn.catalog import (
    bends,
    composite,
    distributions,
    exponential,
    gated,
    hard,
    periodic,
    powers,
    radial,
    rectifiers,
    shrinkage,
    sigmoids,
    units,
)
from actfn.definition import Definition, GatedUnit

_FAMILIES = (
    bends,
    composite,
    distributions,
    exponential,
    gated,
    hard,
    periodic,
    powers,
    radial,
    rectifiers,
    shrinkage,
    sigmoids,
)


class UnknownName(LookupError):
    """No entry goes by this name; `near` has the names that look like it, nearest first."""

    def __init__(self, name: str) -> None:
        spellings = _spellings()
        key = _key(name)
        close = get_close_matches(key, spellings, n=6, cutoff=0.5)
        close += [spelling for spelling in spellings if len(key) > 2 and key in spelling]
        self.name = name
        self.near = tuple(dict.fromkeys(spellings[spelling] for spelling in close))[:3]
        hint = f"did you mean {', '.join(self.near)}?" if self.near else "`actfn list` shows every name"
        shown = name if len(name) <= 60 else name[:57] + "..."
        super().__init__(f"no activation function is called {shown!r}; {hint}")


@cache
def entries() -> Mapping[str, Definition]:
    """Name -> entry, in alphabetical order."""
    found = (value for family in _FAMILIES for value in vars(family).values() if isinstance(value, Definition))
    return MappingProxyType({entry.name: entry for entry in sorted(found, key=lambda entry: entry.name)})


@cache
def gated_units() -> Mapping[str, GatedUnit]:
    """Name -> gated unit, in alphabetical order: GLU and its kin, each an entry times a linear half."""
    found = (value for value in vars(units).values() if isinstance(value, GatedUnit))
    return MappingProxyType({unit.name: unit for unit in sorted(found, key=lambda unit: unit.name)})


def find(name: str) -> Definition:
    """The entry of a name, a title or an alias: "elu", "Leaky ReLU", "nn.SiLU", "gaussian".

    Case, spaces, hyphens and underscores don't matter. Raises `UnknownName`, with the nearest names.
    """
    try:
        return entries()[_spellings()[_key(name)]]
    except KeyError:
        raise UnknownName(name) from None


@cache
def _spellings() -> Mapping[str, str]:
    """Every spelling that `find` takes -> the entry's name; no spelling belongs to two entries."""
    return {_key(spelling): entry.name for entry in entries().values() for spelling in _written(entry)}


def _written(entry: Definition) -> Iterator[str]:
    yield entry.name
    yield entry.title
    for alias in entry.aliases.values():
        if "(" in alias:  # the function at other than its own defaults: its bare name may belong to another entry
            yield alias
            continue
        parts = alias.split(".")
        yield from (".".join(parts[i:]) for i in range(len(parts)))  # torch.nn.ELU, nn.ELU, ELU


def class_name(name: str, aliases: Mapping[str, str]) -> str:
    """What classes of an entry are called: `torch.nn`'s name where it has the function, else the entry's in capitals."""
    own = aliases.get("torch", "")
    if own.startswith("torch.nn.") and "functional" not in own and "(" not in own:
        return own.rpartition(".")[2]
    return "".join(part.capitalize() for part in name.split("_"))


def _key(text: str) -> str:
    return re.sub(r"[\s_-]+", "", text.casefold())

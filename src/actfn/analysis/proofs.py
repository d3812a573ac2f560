"""The proofs of the catalog as data: one JSON file an entry, beside this module, written by one command.

`python -m actfn.analysis.proofs` derives them all again and writes them (`make proofs`). Whoever asks for the claims of
an entry at its defaults reads them from there; an entry that has no file, or whose definition has changed since, is proven anew.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any

from actfn import catalog
from actfn.analysis.claims import STATUSES, Claim
from actfn.analysis.properties import MEANINGS, SECONDS, properties
from actfn.definition import Definition
from actfn.files import write_json

FOLDER = Path(__file__).with_name("proofs")
SCHEMA = "actfn/proofs/1"


def proven(definition: Definition) -> Mapping[str, Claim]:
    """Every claim of a definition for all its parameters, else at their defaults: kept ones where they are of it, else made now."""
    return kept(definition) or _now(definition)


@lru_cache(maxsize=64)
def _now(definition: Definition) -> Mapping[str, Claim]:
    return properties(definition)


@lru_cache(maxsize=1024)
def kept(definition: Definition) -> Mapping[str, Claim] | None:
    """The claims that are kept of a definition, or None where there are none, or of another definition of that name."""
    place = FOLDER / f"{definition.name}.json"
    if not (catalog.entries().get(definition.name) == definition and place.is_file()):
        return None
    found = json.loads(place.read_text(encoding="utf-8"))
    if (
        found["schema"] != SCHEMA
        or found["definition"] != digest(definition)
        or list(found["claims"]) != list(MEANINGS)
    ):
        return None
    return {name: claim_of(data) for name, data in found["claims"].items()}


def digest(definition: Definition) -> str:
    """A name for all that claims depend on in a definition."""
    parts = [
        definition.formula,
        repr(definition.conventions),
        [[p.name, p.default, p.domain] for p in definition.parameters],
        definition.antiderivative,
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def data_of(claim: Claim) -> dict[str, Any]:
    """A claim as JSON."""
    ball = {} if claim.ball is None else {"ball": list(claim.ball)}
    return {"value": claim.value, "status": claim.status, **ball, "certificate": list(claim.certificate)}


def claim_of(data: Mapping[str, Any]) -> Claim:
    """The claim of its JSON."""
    ball = data.get("ball")
    return Claim(
        data["value"], data["status"], tuple(data["certificate"]), None if ball is None else (ball[0], ball[1])
    )


def derive(
    entries: Sequence[Definition], processes: int = 2, seconds: float = SECONDS
) -> Iterator[tuple[Definition, dict[str, Claim]]]:
    """Each entry with its claims, made now, in the order given; so many processes work at once."""
    with ThreadPoolExecutor(processes) as pool:  # each thread waits for a process
        try:
            yield from zip(entries, pool.map(lambda entry: properties(entry, seconds=seconds), entries), strict=True)
        finally:
            pool.shutdown(cancel_futures=True)


def write(definition: Definition, claims: Mapping[str, Claim], folder: Path = FOLDER) -> None:
    """Keeps the claims of an entry."""
    write_json(
        folder / f"{definition.name}.json",
        {
            "schema": SCHEMA,
            "name": definition.name,
            "formula": definition.formula,
            "parameters": dict(definition.defaults),
            "definition": digest(definition),
            "claims": {name: data_of(claim) for name, claim in claims.items()},
        },
    )


def counts(claims: Mapping[str, Mapping[str, Claim]]) -> dict[str, Counter[str]]:
    """Claim name -> status -> in how many entries; statuses are never merged."""
    found: dict[str, Counter[str]] = {name: Counter(dict.fromkeys(STATUSES, 0)) for name in MEANINGS}
    for each in claims.values():
        for name, claim in each.items():
            found[name][claim.status] += 1
    return found


def main(arguments: Sequence[str]) -> None:
    """Derives the claims of these entries, or of all, and writes them; with --check compares them with those kept."""
    from rich.progress import track

    check = "--check" in arguments
    names = [argument for argument in arguments if argument != "--check"]
    wanted = [catalog.find(name) for name in names] if names else list(catalog.entries().values())
    undecided, different = [], []
    for entry, claims in track(derive(wanted), "proving", total=len(wanted)):
        if not check:
            write(entry, claims)
        known = kept(entry) or {}
        different += [(entry.name, name) for name in claims if check and claims[name] != known.get(name)]
        undecided += [(entry.name, name, claim) for name, claim in claims.items() if claim.status != "proven"]
    if not (names or check):
        for stray in {path.stem for path in FOLDER.glob("*.json")} - set(catalog.entries()):
            (FOLDER / f"{stray}.json").unlink()
    for entry_name, name, claim in undecided:
        print(f"{entry_name:20} {name:24} {claim.status:8} {claim.certificate[-1] if claim.certificate else ''}"[:160])
    print(f"{len(wanted) * len(MEANINGS) - len(undecided)} of {len(wanted) * len(MEANINGS)} claims are proven")
    if different:
        sys.exit("not as kept: " + ", ".join(f"{entry} {name}" for entry, name in different))


if __name__ == "__main__":
    main(sys.argv[1:])

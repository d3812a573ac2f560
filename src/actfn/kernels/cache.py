"""The cache of compiled kernels: object code with a digest, and the readable source it came from.

A folder of the user's own, mode 0700, or none at all: an entry of another owner is code that one doesn't load. Entries
are written whole and named by what they were made from, so many processes may write the same one at once, and a
damaged one is rebuilt.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

from actfn.files import write_bytes, write_text

_MAGIC = b"actfn kernel 2\n"


@dataclass(frozen=True)
class Entry:
    """A compiled kernel: its entry point's symbol, its object code, its source."""

    symbol: str
    code: bytes
    source: str


def folder() -> Path:
    """Where entries lie: `ACTFN_CACHE_DIR`, or `actfn` in the platform's folder for caches."""
    given = os.environ.get("ACTFN_CACHE_DIR")
    if given:
        return Path(given)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "actfn" / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "actfn"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "actfn"


def load(key: str) -> Entry | None:
    """The entry of a key; None where there is none, it is damaged, or the folder isn't the user's own."""
    place = _usable(create=False)
    if place is None:
        return None
    try:
        data = (place / f"{key}.kernel").read_bytes()
        source = (place / f"{key}.py").read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    head, _, rest = data.removeprefix(_MAGIC).partition(b"\n")
    if not data.startswith(_MAGIC):
        return None
    try:
        about = json.loads(head)
        symbol, digest, source_digest = str(about["symbol"]), about["digest"], about["source"]
    except (ValueError, KeyError, TypeError):
        return None
    if _digest(symbol, rest) != digest or hashlib.sha256(source.encode()).hexdigest() != source_digest:
        return None
    return Entry(symbol, rest, source)


def _digest(symbol: str, code: bytes) -> str:
    return hashlib.sha256(symbol.encode() + b"\n" + code).hexdigest()


def store(key: str, entry: Entry) -> None:
    """Write an entry; a folder that can't be written only costs the cache."""
    place = _usable(create=True)
    if place is None:
        return
    about = {
        "symbol": entry.symbol,
        "digest": _digest(entry.symbol, entry.code),
        "source": hashlib.sha256(entry.source.encode()).hexdigest(),
    }
    try:
        write_text(place / f"{key}.py", entry.source)
        write_bytes(place / f"{key}.kernel", _MAGIC + json.dumps(about).encode() + b"\n" + entry.code)
    except OSError:
        return


@dataclass(frozen=True)
class Contents:
    """What lies in the cache."""

    folder: Path
    usable: bool
    kernels: int
    size: int


def contents() -> Contents:
    """The folder, whether it can be used, how many kernels it holds and how many bytes."""
    place = _usable(create=False)
    files = list(place.glob("*.kernel")) + list(place.glob("*.py")) if place else []
    sizes = [f.stat().st_size for f in files]
    return Contents(
        folder(), place is not None or not folder().exists(), sum(f.suffix == ".kernel" for f in files), sum(sizes)
    )


def clear() -> int:
    """Remove every entry; how many kernels there were."""
    place = _usable(create=False)
    removed = 0
    for file in [*place.glob("*.kernel"), *place.glob("*.py")] if place else []:
        file.unlink(missing_ok=True)
        removed += file.suffix == ".kernel"
    return removed


def _usable(create: bool) -> Path | None:
    """The folder if it is the user's own and nobody else may write to it; made with mode 0700 where asked for."""
    place = folder()
    try:
        if create:
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
        about = os.lstat(place)
    except OSError:
        return None
    if not stat.S_ISDIR(about.st_mode):
        return None
    if hasattr(os, "getuid") and (about.st_uid != os.getuid() or about.st_mode & 0o077):
        return None
    return place

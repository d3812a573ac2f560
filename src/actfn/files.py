"""Files that are whole or absent, and strict JSON.

Leans on the standard library only. A file is written under another name beside its place and renamed when it is
complete, so whoever reads the place finds the old file or the new one, never half of one.
"""

from __future__ import annotations

import errno
import json
import math
import os
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

_NUMBERS_PER_LINE = 6
"""Six float64 in their shortest exact spelling fill a line of about 120 characters."""


def write_bytes(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a file whole or not at all, making its folders.

    Raises `OSError`, naming `path`, where it can't be written; the file that stood there before then still stands.
    """
    place = Path(os.path.realpath(path))  # through a symbolic link, which `os.replace` would replace
    temporary = place.with_name(f".actfn-{secrets.token_hex(8)}.tmp")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            with open(temporary, "xb") as file:
                file.write(data)
            os.replace(temporary, place)
        except BaseException:  # KeyboardInterrupt too
            temporary.unlink(missing_ok=True)
            raise
    except FileExistsError:  # what mkdir says of a file where a folder should be
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path)) from None
    except OSError as error:  # names the temporary file or a folder; the caller knows the place
        raise OSError(error.errno, error.strerror, str(path)) from None


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write a text file in UTF-8, whole or not at all; see `write_bytes`."""
    write_bytes(path, text.encode())


def write_json(path: str | os.PathLike[str], data: Any) -> None:
    """Write `dumps(data)` to a file, whole or not at all; see `write_bytes`."""
    write_text(path, dumps(data))


def dumps(data: Any) -> str:
    """JSON that every reader accepts: NaN and the infinities become null, keys keep their order.

    Takes what `json.dumps` takes, and NumPy arrays and numbers. Raises `TypeError` for anything else and for a key
    that isn't text, which `json.dumps` would turn into text that it isn't.
    """
    return "".join(_chunks(data, "\n")) + "\n"


def _chunks(value: Any, newline: str) -> Iterator[str]:
    if hasattr(value, "tolist"):  # a NumPy array or number
        value = value.tolist()
    inner = newline + "    "
    if isinstance(value, Mapping) and value:
        separator = "{"
        for key, item in value.items():
            if not isinstance(key, str):
                raise TypeError(f"a JSON key is text; got {key!r}")
            yield f"{separator}{inner}{_scalar(key)}: "
            yield from _chunks(item, inner)
            separator = ","
        yield newline + "}"
    elif isinstance(value, list | tuple) and value:
        if all(item is None or isinstance(item, int | float) for item in value):
            numbers = [_scalar(item) for item in value]
            rows = [", ".join(numbers[i : i + _NUMBERS_PER_LINE]) for i in range(0, len(numbers), _NUMBERS_PER_LINE)]
        else:
            rows = ["".join(_chunks(item, inner)) for item in value]
        yield "[" + inner + f",{inner}".join(rows) + newline + "]"
    else:
        yield _scalar(dict(value) if isinstance(value, Mapping) else value)


def _scalar(value: Any) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return "null"
    return json.dumps(value, ensure_ascii=False, allow_nan=False)

"""Proofs with a time limit: the work runs in a process of its own, which is stopped when its time is over.

Symbolic work needs this (a user's formula can be hard to prove anything of), and only results cross back. Several pieces
of work share a process, each with its own limit: what one of them takes too long over costs nothing that others found.
"""

from __future__ import annotations

import importlib
import pickle
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from actfn.analysis.smoothness import Smoothness, unknown
from actfn.definition import Definition

SECONDS = 20.0
"""How long a proof of a user's formula may take."""

_WORK = "from actfn.analysis.limited import _work; _work()"


def smoothness_within(definition: Definition, parameters: Mapping[str, float], seconds: float = SECONDS) -> Smoothness:
    """`analysis.smoothness.smoothness`, or an unknown one where it takes longer than `seconds` or more memory than there is."""
    definition.values(parameters)
    ((found, reason),) = within(["actfn.analysis.smoothness:smoothness"], definition, parameters, seconds)
    return unknown(reason) if reason else found


def within(
    works: Sequence[str], definition: Definition, parameters: Mapping[str, float], seconds: float = SECONDS
) -> Iterator[tuple[Any, str]]:
    """What each function ("package.module:name") returns for a definition and parameters, in order: (result, "") or (None, reason).

    Each has `seconds` of real time; the start of the process counts for its first.
    """
    pending = list(works)
    while pending:
        with _Process(definition, parameters, pending) as process:
            while pending:
                reason, result = process.next(seconds)
                pending.pop(0)
                yield result, reason
                if process.over:
                    break


class _Process:
    """One process that works through a list; whatever happens, it has ended when the block is left."""

    def __init__(self, definition: Definition, parameters: Mapping[str, float], works: Sequence[str]):
        self.over = False
        self._request = pickle.dumps((definition, dict(parameters), list(works)))
        self._found: queue.Queue[tuple[str, Any] | None] = queue.Queue()

    def __enter__(self) -> _Process:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _WORK], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self._errors: list[bytes] = []
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._give, self._read, self._listen)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        for thread in self._threads:
            thread.join()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            assert pipe is not None
            with suppress(OSError):
                pipe.close()

    def next(self, seconds: float) -> tuple[str, Any]:
        """("", the next result) or (why there is none, None)."""
        try:
            found = self._found.get(timeout=seconds)
        except queue.Empty:
            self.over = True
            return f"not decided within {seconds:g} seconds", None
        if found is not None:
            return found
        self.over = True
        code = self._process.wait()
        self._threads[2].join()
        lines = b"".join(self._errors).decode(errors="replace").strip().splitlines()
        return f"not decided: the proof ended with {lines[-1] if lines else code}", None

    def _give(self) -> None:
        assert self._process.stdin is not None
        with suppress(OSError):  # it ended before it had read everything
            self._process.stdin.write(self._request)
            self._process.stdin.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        try:
            while True:
                self._found.put(pickle.load(self._process.stdout))
        except (EOFError, pickle.UnpicklingError, OSError):
            self._found.put(None)

    def _listen(self) -> None:
        assert self._process.stderr is not None
        self._errors.append(self._process.stderr.read())


def _work() -> None:
    """The process's side: a definition and a list of functions in, their results out, each as soon as it is there."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
    except (ImportError, ValueError, OSError):
        pass  # not every system can limit memory; the time limit holds everywhere
    definition, parameters, works = pickle.load(sys.stdin.buffer)
    answers = sys.stdout.buffer
    sys.stdout = sys.stderr  # what a library prints must not get between the results
    for work in works:
        module, _, name = work.partition(":")
        try:
            found = "", getattr(importlib.import_module(module), name)(definition, **parameters)
        except (Exception, RecursionError) as error:
            found = f"not decided: {type(error).__name__}: {str(error)[:200]}", None
        answers.write(pickle.dumps(found))
        answers.flush()

"""What the suites of peers' tests share: outcomes, the page that a run writes, what it says to CI, and the test that asks.

A suite is run as `python -m tests.peers.NAME_suite`, in a process of its own, as peers' test code changes global settings.
A failure that is right, or not ours to mend, is expected by name, with its reason; one that passes is a stray.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import unittest
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass
class Tally:
    """Of one name and check."""

    passed: int = 0
    failed: list[str] = field(default_factory=list)

    def do(self, test: Callable[[], object]) -> None:
        error = raised(test)
        if error:
            self.failed.append(error)
        else:
            self.passed += 1


def raised(test: Callable[[], object]) -> str:
    """What a test raises, in a line; empty where it passes."""
    try:
        test()
    except Exception as error:
        said = " ".join(str(error).split())
        return f"{type(error).__name__}: {said[:300]}"
    return ""


def cases(suite: Iterable[unittest.TestSuite | unittest.TestCase]) -> Iterator[tuple[str, unittest.TestCase]]:
    """(name, case) of each case of a suite of unittest, in its order."""
    for one in suite:
        if isinstance(one, unittest.TestCase):
            yield f"{type(one).__name__}.{one._testMethodName}", one
        else:
            yield from cases(one)


def outcome(case: unittest.TestCase) -> str:
    """What a case of unittest raises, in a line, or why it was skipped; empty where it passes."""
    result = unittest.TestResult()
    case.run(result)
    told = [re.search(r"^(?!Traceback)\S.*", text, re.M | re.S) for _, text in (*result.errors, *result.failures)]
    found = [" ".join(error.group().split())[:300] for error in told if error]
    return " | ".join([*found, *(f"skipped: {why}" for _, why in result.skipped)])


def run_applicable(listed: Mapping[str, Callable[[], str]], patterns: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """`ran`: case -> what it raised. `aside`: case -> why ours can't be put there, from patterns of names.

    Raises `ValueError` for a pattern that no case has.
    """
    of = {pattern: [case for case in listed if re.fullmatch(pattern, case)] for pattern in patterns}
    stray = next((pattern for pattern, names in of.items() if not names), None)
    if stray is not None:
        raise ValueError(f"theirs have no case {stray}")
    aside = {case: why for pattern, why in patterns.items() for case in of[pattern]}
    return {"ran": {case: run() for case, run in listed.items() if case not in aside}, "aside": aside}


def of_processes(name: str, settings: Mapping[str, dict[str, str]], *arguments: str) -> tuple[dict, dict]:
    """Way -> case -> what it raised, and way -> case -> why not, where each way is a process of its own environment.

    A process that is asked for `--found` prints what `run_applicable` returns.
    """
    said = {way: said_by(name, *arguments, "--found", environment=given) for way, given in settings.items()}
    return {way: of["ran"] for way, of in said.items()}, {way: of["aside"] for way, of in said.items()}


def said_by(
    name: str, *arguments: str, environment: Mapping[str, str] | None = None, seconds: float | None = None
) -> dict[str, Any]:
    """The last line that a suite prints, in a process of its own."""
    command = [sys.executable, "-W", "ignore", "-m", f"tests.peers.{name}_suite", *arguments]
    given = os.environ | (environment or {})
    done = subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True, timeout=seconds, check=False)
    if not done.stdout:
        raise RuntimeError(f"{name}, {environment}: {done.stderr[-3000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def finish(name: str, text: str, failed: Mapping[str, object], expected: Mapping[str, str]) -> int:
    """Write the page, unless `--check` was asked for; print what CI reads; 1 for a failure or a stray."""
    if "--check" not in sys.argv:
        page(name).write_text(text)
    unexplained = {k: v for k, v in failed.items() if k not in expected}
    strays = [k for k in expected if k not in failed]
    print(json.dumps({"failures": unexplained, "strays": strays, "page": text}))
    return 1 if unexplained or strays else 0


def summary(found: Mapping[str, Mapping[str, str]], aside: Mapping[str, Collection[str]]) -> list[str]:
    """Way -> case -> what it raised, empty where it passed; and way -> cases that aren't applicable: a table of counts."""
    lines = ["| | passed | failed | not applicable |", "|---|---|---|---|"]
    for way, said in found.items():
        failed = sum(map(bool, said.values()))
        lines.append(f"| {way} | {len(said) - failed} | {failed} | {len(aside[way])} |")
    return lines


def by_test(found: Mapping[str, str], ending: str) -> dict[str, list[str]]:
    """Test -> what is said of each of its cases, whose names differ in an ending of this pattern."""
    of: dict[str, dict[str, str]] = {}
    for case, said in found.items():
        of.setdefault(re.sub(f"{ending}$", "", case), {})[case] = said
    return {test if len(said) > 1 else next(iter(said)): [*said.values()] for test, said in of.items()}


def details(ran: Mapping[str, Mapping[str, str]], ending: str) -> list[str]:
    """A table of tests: how many cases passed, of how many, each way."""
    columns = [by_test(said, ending) for said in ran.values()]
    lines = ["", f"| passed/applicable | {' | '.join(ran)} |", "|---" * (1 + len(columns)) + "|"]
    for test in columns[0]:
        cells = [f"{of[test].count('')}/{len(of[test])}" for of in columns]
        lines.append(f"| {test} | {' | '.join(cells)} |")
    return lines


def failures(found: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Case and way -> what it raised."""
    return {f"{case}, {way}": said for way, of in found.items() for case, said in of.items() if said}


def reasons(title: str, listed: Mapping[str, str]) -> list[str]:
    """A section of a page: each reason and whom it is of; nothing where none is listed."""
    of: dict[str, list[str]] = {}
    for name, why in listed.items():
        of.setdefault(why, []).append(name)
    return ["", f"## {title}", "", *(f"- {why}: {', '.join(names)}" for why, names in of.items())] if of else []


def page(name: str) -> Path:
    return ROOT / "docs" / f"peers-{name}.md"


def assert_suite_passes(name: str, *arguments: str, seconds: float = 110) -> None:
    """Run a suite and compare its page with the committed one."""
    said = said_by(name, *arguments, "--check", seconds=seconds)
    assert said["failures"] == {}
    assert said["strays"] == []
    assert page(name).read_text() == said["page"], f"run `python -m tests.peers.{name}_suite`"

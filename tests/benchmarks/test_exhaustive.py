"""The exhaustive check: its verdicts are the oracle's, a wrong kernel doesn't pass, and a stopped run goes on."""

from __future__ import annotations

import itertools
import json
import math

import numpy as np
import pytest

from actfn import catalog
from actfn.definition import Definition
from actfn.kernels import build
from actfn.kernels.build import Request
from benchmarks.exhaustive import __main__ as command
from benchmarks.exhaustive import bounds, digest, others, results, scan
from benchmarks.exhaustive.judging import Tally
from benchmarks.exhaustive.scan import Scanner, reference_program
from benchmarks.exhaustive.truth import Truth

HARD = (0xB675CBFC, 0xBB7B3B6C)  # expm1 lies within 4 float64 ulps of a tie


def float32(bits: int) -> float:
    return float(np.array([bits], np.uint32).view(np.float32)[0])


def reference(definition: Definition, order: int = 0):
    truth = Truth(definition, order, "float32")
    return bounds.reference(reference_program(definition, order), truth.symbols), truth


@pytest.mark.parametrize(("name", "order"), list(itertools.product(["elu", "silu"], (0, 1))))
def test_verdicts_are_the_oracles(name: str, order: int):
    """Slices with subnormals, the smallest normals, ties and the tail."""
    definition = catalog.find(name)
    fill, truth = reference(definition, order)
    compute = scan.calling(build.kernel(Request(definition, order)))
    scanner = Scanner(fill, {"fast": compute}, truth)
    for start in (0, 0x007FFFF0, 0x80000001, 0xB2FFFFE0, 0xBE000000, 0xBFA3B000, 0xC2CE0000):
        tally, doubtful = scanner.scan(start, 200)["fast"]
        scanner.settle("fast", tally, doubtful)
        x = np.arange(start, start + 200).astype(np.uint32).view(np.float32)
        y = np.empty_like(x)
        compute(x, y)
        verdicts = [truth.judged(a, b) for a, b in zip(x.tolist(), y.tolist(), strict=True)]
        assert tally.misrounded == sum(wrong for wrong, _ in verdicts), hex(start)
        near = (
            0.02 if (name, start) == ("silu", 0xBFA3B000) else 1e-6
        )  # an interval may be so wide; it is beside a root
        assert tally.max_ulp == pytest.approx(max(error for _, error in verdicts), abs=near), hex(start)
        assert tally.nan == tally.not_decided == 0


@pytest.mark.parametrize("bits", HARD)
def test_near_ties_are_settled(bits: int):
    fill, truth = reference(catalog.find("elu"))

    def right(x: np.ndarray, y: np.ndarray) -> None:
        y[:] = [truth.rounded(a) for a in x.tolist()]

    def one_off(x: np.ndarray, y: np.ndarray) -> None:
        right(x, y)
        y[5] = np.nextafter(y[5], np.float32(0))

    scanner = Scanner(fill, {"right": right, "one off": one_off}, truth)
    found = scanner.scan(bits - 5, 10)
    for name, (tally, doubtful) in found.items():
        scanner.settle(name, tally, doubtful)
    assert found["right"][0].misrounded == 0
    assert found["right"][0].max_ulp <= 0.5
    assert found["one off"][0].misrounded == 1
    assert found["one off"][0].examples == [float32(bits)]


@pytest.mark.parametrize(
    ("wrong", "misrounded", "nan", "max_ulp"),
    [
        (lambda y: np.nextafter(y, np.float32(np.inf)), 1, 0, (0.5, 1.5)),
        (lambda y: np.float32(np.nan), 0, 1, (0.0, 0.5)),
        (lambda y: np.float32(np.inf), 1, 0, (1e46, 2e46)),
        (lambda y: -y, 1, 0, (1e7, 1e8)),
    ],
)
def test_one_wrong_result_is_found(wrong, misrounded: int, nan: int, max_ulp: tuple[float, float]):
    definition = catalog.find("elu")
    fill, truth = reference(definition)
    compute = scan.calling(build.kernel(Request(definition, accuracy="correct")))
    start, place = 0xBF000000, 40_000  # the second block

    def mutated(x: np.ndarray, y: np.ndarray) -> None:
        compute(x, y)
        y[x == np.float32(float32(start + place))] = wrong(y[x == np.float32(float32(start + place))])

    scanner = Scanner(fill, {"sound": compute, "mutated": mutated}, truth)
    found = scanner.scan(start, 2 * scan.BLOCK)
    for name, (tally, doubtful) in found.items():
        scanner.settle(name, tally, doubtful)
    sound, bad = found["sound"][0], found["mutated"][0]
    assert (sound.misrounded, sound.nan) == (0, 0)
    assert (bad.misrounded, bad.nan) == (misrounded, nan)
    assert bad.examples == [float32(start + place)]
    assert max_ulp[0] <= bad.max_ulp <= max_ulp[1]


def test_a_rounding_test_catches_what_arithmetic_misrounds():
    """silu(x) of a subnormal is a hair above the tie x/2, which float64 can't tell from it."""
    definition = catalog.find("silu")
    fill, truth = reference(definition)
    kernel = build.kernel(Request(definition, accuracy="correct"))

    def without_test(x: np.ndarray, y: np.ndarray) -> None:
        y[:] = x / 2

    test = {"correct": scan.rounding_test(kernel)}
    found, _ = Scanner(fill, {"correct": without_test}, truth, test).scan(1, 10_001)["correct"]
    assert found.misrounded == found.caught == 2501  # those where half to even goes down
    assert not test["correct"](np.array([2.0, -0.5], np.float32)).any()
    row = results.new_row(kernel, "", found, 10_001, 0.0, "exhaustive", 0)
    assert (row["misrounded_without_test"], row["misrounded"], row["max_ulp"]) == (2501, 0, 0.5)
    assert row["examples"] == []


def test_a_kernel_that_overflows_early_has_a_finite_error():
    """A product that is rounded up to infinity, where the largest float32 is right."""
    largest = np.finfo(np.float32).max
    definition = Definition(name="mine", formula="1.0507*x")
    fill, truth = reference(definition)

    def early(x: np.ndarray, y: np.ndarray) -> None:
        y[:] = [truth.rounded(a) for a in x.tolist()]
        y[y == largest] = np.inf

    last = int(np.float32(float(largest) / 1.0507).view(np.uint32))
    scanner = Scanner(fill, {"early": early}, truth)
    tally, doubtful = scanner.scan(last - 50, 100)["early"]
    scanner.settle("early", tally, doubtful)
    assert tally.overflow_early == tally.misrounded > 0
    assert 0.5 < tally.max_ulp <= 1.5


def test_what_cannot_be_decided_is_counted(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(scan, "DOUBTS", 3)
    definition = catalog.find("elu")
    _, truth = reference(definition)

    def clueless(x: np.ndarray, low: np.ndarray, high: np.ndarray) -> None:
        low[:], high[:] = -np.inf, np.inf

    compute = scan.calling(build.kernel(Request(definition)))
    tally, doubtful = Scanner(clueless, {"fast": compute}, truth).scan(1, 100)["fast"]
    assert (len(doubtful), tally.not_decided) == (3, 97)


def test_a_program_that_is_not_the_formula_is_refused():
    fill, _ = reference(catalog.find("elu"))
    compute = scan.calling(build.kernel(Request(catalog.find("elu"))))
    scanner = Scanner(fill, {"fast": compute}, Truth(catalog.find("selu"), 0, "float32"))
    with pytest.raises(scan.WrongProgram, match="isn't the formula's"):
        scanner.scan(0x3F800000, 100)


def test_chunks_are_all_finite_patterns_once():
    every = scan.chunks()
    assert sum(count for _, count in every) == (1 << 32) - 2 * (1 << 23)
    assert all(a + n <= b for (a, n), (b, _) in itertools.pairwise(every))


def test_a_stopped_run_goes_on(tmp_path, monkeypatch: pytest.MonkeyPatch):
    """Stopped after two chunks, then run again: what is written is what one run finds, and a third finds nothing to do."""
    path = tmp_path / "exhaustive.json"
    monkeypatch.setattr(results, "RESULTS", path)
    monkeypatch.setattr(results, "CORRECT", tmp_path / "correct.json")
    monkeypatch.setattr(scan, "chunks", lambda: [(0xBE000000 + i * 1000, 1000) for i in range(5)])
    monkeypatch.setattr(command, "specials_wrong", lambda compute, truth: 0)
    monkeypatch.setattr(command, "without_test", lambda: None)
    monkeypatch.setattr(command, "SECONDS", 0.0)
    arguments = ["--entry", "elu", "--order", "0", "--dtype", "float32", "--accuracy", "fast"]
    save, saved = results.Results.save, []

    def interrupted(self) -> None:
        save(self)
        saved.append(self)
        if len(saved) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(results.Results, "save", interrupted)
    with pytest.raises(KeyboardInterrupt):
        command.main(arguments)
    assert results.Results(path).unfinished["elu"]["done"] == 2
    command.main(arguments)
    (row,) = results.Results(path).rows
    assert results.Results(path).unfinished == {}
    fill, truth = reference(catalog.find("elu"))
    scanner = Scanner(fill, {"fast": scan.calling(build.kernel(Request(catalog.find("elu"))))}, truth)
    whole, _ = scanner.scan(0xBE000000, 5000)["fast"]
    assert (row["misrounded"], row["max_ulp"], row["at"]) == (whole.misrounded, whole.max_ulp, whole.at)
    assert row["misrounded"] > 0
    before = len(saved)
    command.main(arguments)
    command.main([*arguments, "--undecided"])
    assert len(saved) == before
    row["not_decided"] = 3
    path.write_text(json.dumps({"kernels": [row]}))
    command.main(arguments)
    assert len(saved) == before
    command.main([*arguments, "--undecided"])
    assert results.Results(path).rows[0]["not_decided"] == 0


def test_tallies_survive_json():
    tally = Tally(misrounded=2, caught=1, max_ulp=math.inf, at=-1.5, examples=[1.0])
    assert Tally.from_json(tally.as_json()) == tally


def test_a_digest_follows_the_code_and_not_the_rest():
    elu = catalog.find("elu")
    first = digest.digest(build.kernel(Request(elu)))
    assert first == digest.digest(build.kernel(Request(elu)))
    assert first != digest.digest(build.kernel(Request(elu, 1)))
    assert first != digest.digest(build.kernel(Request(elu, dtype="float64")))


@pytest.mark.parametrize(("name", "dtype"), [("selu", "float16"), ("bent_identity", "bfloat16"), ("silu", "bfloat16")])
def test_verdicts_on_16_bits_are_the_oracles(name: str, dtype: str):
    """With and without the bounds the same is found, of a kernel that is right but for a few results."""
    definition = catalog.find(name)
    request = Request(definition, dtype=dtype)
    compute = scan.calling(build.kernel(request))

    def mutated(x: np.ndarray, y: np.ndarray) -> None:
        compute(x, y)
        y[1000:1003] ^= 1
        y[(x & 0x1FF) != 0] = 0

    truth = Truth(definition, 0, dtype)
    fill = bounds.reference(build.program(request), truth.symbols)
    found, wrong = others.sixteen(definition, 0, dtype, mutated, fill)
    oracles, also = others.sixteen(definition, 0, dtype, mutated)
    assert wrong == also
    assert (found.misrounded, found.nan, found.examples) == (oracles.misrounded, oracles.nan, oracles.examples)
    assert found.max_ulp == pytest.approx(oracles.max_ulp, rel=1e-9)
    assert found.settled_by_arb < 1000


def test_the_page_has_a_line_for_each_kernel():
    row = {
        "entry": "selu", "order": 0, "dtype": "float32", "accuracy": "fast", "max_ulp": 1.25, "at": -3.5, "nan": 0,
        "misrounded": 7, "not_decided": 0, "specials_wrong": 2, "overflow_early": 3, "method": "exhaustive",
    }  # fmt: skip
    found = results.Results(results.ROOT / "none")
    correct = row | {"accuracy": "correct", "misrounded": 0, "not_decided": 12, "overflow_early": 0}
    wide = row | {"dtype": "float64", "max_ulp": 23456.0, "nan": 1, "specials_wrong": 0}
    found.rows = [row, correct, wide, row | {"order": 1}]
    found.refused = [["selu", 1]]
    page = results.page(found)
    assert "| `selu` | 1.250 | -3.5 | 0 ?12 |  |  | 2.3e+04 | 1 |" in page
    assert "| `selu`' | 1.250 | -3.5 | no |  |  |  | 0 |" in page
    assert "`selu` (float32 3, float64 3), `selu`' (float32 3)." in page
    assert "`selu` (float32 2), `selu`' (float32 2)." in page

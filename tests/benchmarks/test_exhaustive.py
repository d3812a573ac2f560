"""The exhaustive check: its bounds hold, its verdicts are the oracle's, and a wrong kernel doesn't pass."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import sympy

from actfn import catalog
from actfn.definition import Definition
from actfn.formula.functions import X
from actfn.kernels import build
from actfn.kernels.build import Request
from actfn.kernels.lower import Program
from actfn.reference import working_precision
from benchmarks import exhaustive
from benchmarks.exhaustive import Scanner, Tally, Truth

ENTRIES = ["elu", "selu", "silu", "softplus", "bipolar_sigmoid", "rbf", "leaky_relu"]
HARD = (0xB675CBFC, 0xBB7B3B6C)  # expm1 lies within 4 float64 ulps of a tie


def float32(bits: int) -> float:
    return float(np.array([bits], np.uint32).view(np.float32)[0])


def reference(definition: Definition, order: int = 0):
    truth = Truth(definition, order, "float32")
    return exhaustive.reference(build.program(Request(definition, order)), truth.symbols), truth


def inputs(count: int) -> np.ndarray:
    """Finite float32 over all binades, and near zero and the tails."""
    random = np.random.default_rng(3)
    bits = random.integers(0, 1 << 32, count, dtype=np.uint32).view(np.float32)
    every = np.concatenate(
        [bits, random.normal(0, 20, count).astype(np.float32), np.array([0.0, -0.0, 1e-45, -1e-45], np.float32)]
    )
    return every[np.isfinite(every)]


@pytest.mark.parametrize(("name", "order"), list(itertools.product(ENTRIES, (0, 1))))
def test_the_true_value_lies_within_the_bound(name: str, order: int):
    fill, truth = reference(catalog.find(name), order)
    x = inputs(300)
    v, e = np.empty(x.size), np.empty(x.size)
    fill(x, v, e)
    assert np.isfinite(e).all()
    for at, value, error in zip(x.tolist(), v.tolist(), e.tolist(), strict=True):
        with working_precision(200):
            gap = abs(truth.oracle.ball(at, truth.parameters) - value)
            assert gap <= error or gap.abs_upper() <= error, at


@pytest.mark.parametrize(
    "formula",
    [
        "x*exp(-x**2)/(1 + x**2)",
        "sqrt(1 + x**2) - 1",
        "log(2 + sin(x))",
        "max(x, -2)*erfc(x)",
        "where(tanh(x) > 1/2, 1, x/3)",
    ],
)
def test_bounds_of_other_formulas(formula: str):
    fill, truth = reference(Definition(name="mine", formula=formula))
    x = np.random.default_rng(4).normal(0, 3, 300).astype(np.float32)
    v, e = np.empty(x.size), np.empty(x.size)
    fill(x, v, e)
    assert (e[np.isfinite(e)] <= 1e-11).all()
    for at, value, error in zip(x.tolist(), v.tolist(), e.tolist(), strict=True):
        with working_precision(200):
            assert abs(truth.oracle.ball(at, truth.parameters) - value).abs_upper() <= error, at


def test_a_function_without_a_rule_is_refused():
    with pytest.raises(exhaustive.UnprintableError, match="acos"):
        exhaustive.BoundsPrinter().function(Program(("x",), (), (sympy.acos(X),)), {})


@pytest.mark.parametrize(("name", "order"), list(itertools.product(["elu", "silu"], (0, 1))))
def test_verdicts_are_the_oracles(name: str, order: int):
    """Slices with subnormals, the smallest normals, ties and the tail."""
    definition = catalog.find(name)
    fill, truth = reference(definition, order)
    compute = exhaustive.calling(build.kernel(Request(definition, order)))
    scanner = Scanner(fill, {"fast": compute}, truth)
    for start in (0, 0x007FFFF0, 0x80000001, 0xB2FFFFE0, 0xBE000000, 0xBFA3B000, 0xC2CE0000):
        tally, doubtful = scanner.scan(start, 200)["fast"]
        scanner.settle(tally, doubtful)
        x = np.arange(start, start + 200).astype(np.uint32).view(np.float32)
        y = np.empty_like(x)
        compute(x, y)
        verdicts = [truth.judged(a, b) for a, b in zip(x.tolist(), y.tolist(), strict=True)]
        assert tally.misrounded == sum(wrong for wrong, _ in verdicts), hex(start)
        assert tally.max_ulp == pytest.approx(max(error for _, error in verdicts), abs=1e-6), hex(start)
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
    for tally, doubtful in found.values():
        scanner.settle(tally, doubtful)
    assert found["right"][0].misrounded == 0
    assert found["right"][0].max_ulp <= 0.5
    assert found["one off"][0].misrounded == 1
    assert found["one off"][0].examples == [float32(bits)]


@pytest.mark.parametrize(
    ("wrong", "misrounded", "nan", "max_ulp"),
    [
        (lambda y: np.nextafter(y, np.float32(np.inf)), 1, 0, (0.5, 1.5)),
        (lambda y: np.float32(np.nan), 0, 1, (0.0, 0.5)),
        (lambda y: np.float32(np.inf), 1, 0, (math.inf, math.inf)),
        (lambda y: -y, 1, 0, (1e7, 1e8)),
    ],
)
def test_one_wrong_result_is_found(wrong, misrounded: int, nan: int, max_ulp: tuple[float, float]):
    definition = catalog.find("elu")
    fill, truth = reference(definition)
    compute = exhaustive.calling(build.kernel(Request(definition, accuracy="correct")))
    start, place = 0xBF000000, 40_000  # the second block

    def mutated(x: np.ndarray, y: np.ndarray) -> None:
        compute(x, y)
        y[x == np.float32(float32(start + place))] = wrong(y[x == np.float32(float32(start + place))])

    scanner = Scanner(fill, {"sound": compute, "mutated": mutated}, truth)
    found = scanner.scan(start, 2 * exhaustive.BLOCK)
    for tally, doubtful in found.values():
        scanner.settle(tally, doubtful)
    sound, bad = found["sound"][0], found["mutated"][0]
    assert (sound.misrounded, sound.nan) == (0, 0)
    assert (bad.misrounded, bad.nan) == (misrounded, nan)
    assert bad.examples == [float32(start + place)]
    assert max_ulp[0] <= bad.max_ulp <= max_ulp[1]


def test_subnormal_ties_are_settled_by_the_tangent():
    definition = catalog.find("silu")
    fill, truth = reference(definition)

    def right(x: np.ndarray, y: np.ndarray) -> None:
        y[:] = [truth.rounded(a) for a in x.tolist()]

    scanner = Scanner(fill, {"right": right}, truth)
    for start in (1, 0x80000001, 0x00FFFE00, 0x80FFFE00):  # up to where half of x is normal
        tally, doubtful = scanner.scan(start, 400)["right"]
        assert (tally.settled_by_tangent, tally.misrounded, doubtful) == (200, 0, [])


def test_the_rounding_test_catches_what_arithmetic_misrounds(monkeypatch: pytest.MonkeyPatch):
    """silu(x) of the smallest float32 is a hair above the tie x/2, which float64 can't tell from it."""
    monkeypatch.setattr(build, "_kernels", {})
    monkeypatch.setattr(build, "tried_on_every_input", build.tried_on_every_input)
    exhaustive.without_test()
    definition = catalog.find("silu")
    fill, truth = reference(definition)
    kernel = build.kernel(Request(definition, accuracy="correct"))
    tally, _ = Scanner(fill, {"correct": exhaustive.calling(kernel)}, truth).scan(1, 3)["correct"]
    assert (tally.misrounded, tally.examples) == (1, [float32(1)])
    after = exhaustive._with_test(kernel, tally)
    assert (after["misrounded_without_test"], after["misrounded"], after["not_decided"]) == (1, 0, 0)


def test_what_cannot_be_decided_is_counted(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(exhaustive, "DOUBTS", 3)
    definition = catalog.find("elu")
    _, truth = reference(definition)

    def clueless(x: np.ndarray, v: np.ndarray, e: np.ndarray) -> None:
        v[:], e[:] = 0.0, np.inf

    compute = exhaustive.calling(build.kernel(Request(definition)))
    tally, doubtful = Scanner(clueless, {"fast": compute}, truth).scan(0, 100)["fast"]
    assert (len(doubtful), tally.not_decided) == (3, 97)


def test_chunks_are_all_finite_patterns_once():
    every = exhaustive.chunks()
    assert sum(count for _, count in every) == (1 << 32) - 2 * (1 << 23)
    assert all(a + n <= b for (a, n), (b, _) in itertools.pairwise(every))


def test_a_stopped_run_goes_on(tmp_path, monkeypatch: pytest.MonkeyPatch):
    """Stopped after two chunks, then run again: what is written is what one run finds, and a third finds nothing to do."""
    monkeypatch.setattr(exhaustive, "RESULTS", tmp_path / "exhaustive.json")
    monkeypatch.setattr(exhaustive, "CORRECT", tmp_path / "correct.json")
    monkeypatch.setattr(exhaustive, "chunks", lambda: [(0xBE000000 + i * 1000, 1000) for i in range(5)])
    monkeypatch.setattr(exhaustive, "specials_wrong", lambda compute, truth: 0)
    monkeypatch.setattr(exhaustive, "without_test", lambda: None)
    arguments = ["--entry", "elu", "--order", "0", "--dtype", "float32", "--accuracy", "fast"]
    results = exhaustive.Results
    save, saved = results.save, []

    def interrupted(self) -> None:
        save(self)
        saved.append(self)
        if len(saved) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(results, "save", interrupted)
    monkeypatch.setattr(results, "__init__", _at(results.__init__, tmp_path / "exhaustive.json"))
    with pytest.raises(KeyboardInterrupt):
        exhaustive.main(arguments)
    assert results().unfinished["elu"]["done"] == 2
    exhaustive.main(arguments)
    (row,) = results().rows
    assert results().unfinished == {}
    fill, truth = reference(catalog.find("elu"))
    scanner = Scanner(fill, {"fast": exhaustive.calling(build.kernel(Request(catalog.find("elu"))))}, truth)
    whole, _ = scanner.scan(0xBE000000, 5000)["fast"]
    assert (row["misrounded"], row["max_ulp"], row["at"]) == (whole.misrounded, whole.max_ulp, whole.at)
    assert row["misrounded"] > 0
    before = len(saved)
    exhaustive.main(arguments)
    assert len(saved) == before


def _at(initialise, path):
    return lambda self: initialise(self, path)


def test_tallies_survive_json():
    tally = Tally(misrounded=2, max_ulp=math.inf, at=-1.5, examples=[1.0])
    assert Tally.from_json(tally.as_json()) == tally


def test_a_digest_follows_the_code_and_not_the_rest():
    elu = catalog.find("elu")
    first = exhaustive.digest(build.kernel(Request(elu)))
    assert first == exhaustive.digest(build.kernel(Request(elu)))
    assert first != exhaustive.digest(build.kernel(Request(elu, 1)))
    assert first != exhaustive.digest(build.kernel(Request(elu, dtype="float64")))

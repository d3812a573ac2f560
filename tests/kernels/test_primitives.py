"""Every primitive at every level against Arb: bounds, infinities, zeros, subnormals, NaN, flags, and that LLVM vectorises."""

from __future__ import annotations

import ctypes
import math
import platform
import re
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm
import numpy as np
import pytest
from flint import arb
from numba import njit

from actfn.kernels.primitives import intrinsics
from actfn.kernels.primitives.quadrants import LARGEST_NEAR
from actfn.kernels.primitives.table import PRIMITIVES, TWO_PART, Primitive
from actfn.reference import working_precision

ONE_ARGUMENT = [
    p for p in PRIMITIVES.values() if not p.name.startswith("times_") and p.name not in ("pow", "softplus_of_sum")
]
PRODUCTS = [p for p in PRIMITIVES.values() if p.name.startswith("times_")]
INF, NAN = math.inf, math.nan
HALF_PI = 1.5707963267948966

TRUE: dict[str, Callable[[arb], arb]] = {
    "exp": arb.exp,
    "exp_nonpositive": arb.exp,
    "expm1": arb.expm1,
    "expm1_nonpositive": arb.expm1,
    "sigmoid": lambda x: 1 / (1 + (-x).exp()),
    "gate": lambda x: 1 / (1 + (-x).exp()),
    "gate_of_sum": lambda x: 1 / (1 + (-x).exp()),
    "cogate": lambda x: 1 / (1 + x.exp()),
    "cogate_of_sum": lambda x: 1 / (1 + x.exp()),
    "gaussian": lambda x: (-x * x).exp(),
    "gaussian_of_root": lambda x: (-x * x / 2).exp(),
    "erfc_of_root": lambda x: (x / arb(2).sqrt()).erfc(),
    "tanh": arb.tanh,
    "softplus": lambda x: x.exp().log1p() if x < 0 else x + (-x).exp().log1p(),
    "erf_softplus": lambda x: (x.exp().log1p() if x < 0 else x + (-x).exp().log1p()).erf(),
    "tanh_softplus": lambda x: (x.exp().log1p() if x < 0 else x + (-x).exp().log1p()).tanh(),
    "log": arb.log,
    "log1p": arb.log1p,
    "erf": arb.erf,
    "erfc": arb.erfc,
    "sin": arb.sin,
    "cos": arb.cos,
    "sin_near": arb.sin,
    "cos_near": arb.cos,
    "tan": arb.tan,
    "atan": arb.atan,
    "asin": arb.asin,
    "acos": arb.acos,
    "sinh": arb.sinh,
    "cosh": arb.cosh,
    "asinh": arb.asinh,
    "cbrt": lambda x: x.root(3) if x >= 0 else -(-x).root(3),
}

INTERVALS = {  # where errors are largest or the algorithm changes; every binade comes in addition
    "exp": [(-1, 1), (-160, 100), (-760, 720)],
    "exp_nonpositive": [(-1, 0), (-160, 0), (-760, 0)],
    "expm1": [(-0.4, 0.8), (-40, 40), (80, 90), (700, 710)],
    "expm1_nonpositive": [(-0.8, 0), (-40, 0)],
    "sigmoid": [(-2, 2), (-110, 40), (-750, -700)],
    "tanh": [(-0.4, 0.4), (-10, 10), (18, 20)],
    "erf_softplus": [(-8, 4), (-110, 20), (-750, -600)],
    "tanh_softplus": [(-8, 10), (-110, 20), (-750, -600)],
    "softplus": [(-1.4, 1.4), (-110, 42), (-750, -700)],
    "log": [(0.6, 1.6), (0.99, 1.01)],
    "log1p": [(-0.5, 0.8), (-1, 3)],
    "erf": [(-1.1, 1.1), (0.7, 6)],
    "erfc": [(-1, 1), (0.4, 3), (-6, 11), (11, 27)],
    "sin": [(-4, 4), (-1e3, 1e3)],
    "cos": [(-4, 4), (-1e3, 1e3)],
    "sin_near": [(-4, 4), (-LARGEST_NEAR, LARGEST_NEAR)],
    "cos_near": [(-4, 4), (-LARGEST_NEAR, LARGEST_NEAR)],
    "tan": [(-4, 4), (-1e3, 1e3)],
    "atan": [(-1, 1), (0.4, 0.5), (2, 3)],
    "asin": [(-1, 1), (0.45, 0.55)],
    "acos": [(-1, 1), (0.45, 0.55)],
    "sinh": [(-1, 1), (-90, 90), (-711, 711)],
    "cosh": [(-1, 1), (-90, 90), (-711, 711)],
    "asinh": [(-1, 1), (-10, 10)],
    "cbrt": [(0.5, 8)],
}

BESIDE_MULTIPLES = tuple(
    [
        float(kind((k + offset) * math.pi))
        for kind in (np.float32, np.float64)
        for k in range(int(LARGEST_NEAR / math.pi))
    ]
    for offset in (0.0, 0.5)
)
"""The floats next to multiples of pi, and to those halfway between, up to LARGEST_NEAR."""

HARD = {  # the worst that longer searches found, and floats beside a multiple of pi/2
    "exp": [-5.8514752, 5.1992145, 0.42496022, -708.7740097746215, -103.9, -745.13],
    "exp_nonpositive": [-5.8408537, -38.431496, -708.7740097746215, -103.9, -745.13],
    "expm1": [0.34679103, 0.39178672, 0.3616863592234356, 16.982635, 1.4e-45, 88.722839, 709.782712893384],
    "expm1_nonpositive": [-0.38217795, -0.35996618488644305, -17.33],
    "sigmoid": [-28.072548, -26.039114, -16.641161, -20.46006850536699, -103.9],
    "tanh": [0.19577411, 0.18385057849342235, 8.491086, 9.0109129, 19.0615],
    "erf_softplus": [-20.0, -103.9],
    "tanh_softplus": [8.674395, -4.1538672, -103.9],
    "softplus": [-1.2604226, -1.2815034909899765, 0.00017402977, -1.0931363, -103.9],
    "log": [0.7067209, 0.7018319953591622, 1.403305899283738, 1.4e-45],
    "log1p": [-0.29307753, 0.4106725, 0.2750234, 0.412218602676649],
    "erf": [0.8083912, 0.80513489, 1.0136564154979957],
    "erfc": [0.83285004, 0.54189378, 0.50051206, 0.49893615, 9.159, 1.8e-3, 0.5285020389874961, 26.5, 10.05],
    "sin": [
        4.9459756e27,
        1.2334269e29,
        6381956970095103 * 2.0**797,
        3.1415927,
        3.141592653589793,
        1e22,
        16367173 * 2.0**72,
    ],
    "cos": [4.9451075e27, 1.4126768e35, 6381956970095103 * 2.0**797, 1.5707963267948966, 1e22, 1e300],
    "sin_near": [*BESIDE_MULTIPLES[0], -544.30475, 1024.0],
    "cos_near": [*BESIDE_MULTIPLES[1], -137.50272, 1024.0],
    "tan": [2.8819264e18, 6381956970095103 * 2.0**797, 1.5707963267948966, 897.7122194821504],
    "atan": [0.43191808, 0.41618563968179935, 2.4142137],
    "asin": [0.5262544511231126, 0.9999999, 1.0],
    "acos": [0.548291928520823, 0.9999999, 1.0, -1.0],
    "sinh": [-0.3639477798261533, 89.415986, 710.4758600739439],
    "cosh": [89.415986, 710.4758600739439],
    "asinh": [0.34200347540197784, 1e300],
    "cbrt": [4.9e-324, 1e-310],
}


def dtype_of(primitive: Primitive) -> type[Any]:
    return np.float32 if primitive.level == "float32" else np.float64


@cache
def loop(primitive: Primitive) -> Any:
    """A compiled loop over contiguous arrays, as generated kernels have it."""
    function, zero = primitive.function, dtype_of(primitive)(0)

    def one(x, y):
        for i in range(x.size):
            y[i] = function(x[i])

    def two(a, x, y):
        for i in range(x.size):
            y[i] = function(a[i], x[i])

    def two_part(a, x, y):
        for i in range(x.size):
            y[i] = function(a[i], x[i], zero)

    body = two_part if primitive.name in TWO_PART else two if primitive in PRODUCTS or primitive.name == "pow" else one
    return njit(error_model="numpy")(body)


def called(primitive: Primitive, *arguments: Any) -> np.ndarray:
    arrays = [np.ascontiguousarray(a, dtype_of(primitive)) for a in arguments]
    y = np.empty_like(arrays[0])
    loop(primitive)(*arrays, y)
    return y


def error(primitive: Primitive, got: float, true: arb) -> float:
    """In the unit of the bound; 0 where the true value overflows and so does what was got."""
    info = np.finfo(dtype_of(primitive))
    value = float(true)
    if abs(value) > float(info.max):
        return 0.0 if got == math.copysign(INF, value) else INF
    if not math.isfinite(got):
        return INF
    distance, last = abs(arb(got) - true), arb(float(info.smallest_subnormal))
    if primitive.level == "wide":
        return float((distance - last) / abs(true)) if distance > last else 0.0
    exponent = math.frexp(value)[1] - info.nmant - 1 if value else -10_000
    return float(
        distance
        / (arb(math.ldexp(1.0, exponent)) if exponent > -1074 and exponent > info.minexp - info.nmant else last)
    )


def worst(primitive: Primitive, got: Any, true: Callable[..., arb], *arguments: Any) -> tuple[float, Any]:
    """The largest error, and its arguments."""
    found: tuple[float, Any] = (0.0, None)
    for y, *at in zip(got.tolist(), *(a.tolist() for a in arguments), strict=True):
        bits = 200 + max(0, *(math.frexp(a)[1] for a in at)) + max(0, *(-math.frexp(a)[1] for a in at))
        with working_precision(bits):
            size = error(primitive, y, true(*(arb(a) for a in at)))
        if size > found[0]:
            found = size, at
    return found


def points(primitive: Primitive) -> np.ndarray:
    """Every binade of both signs, the named intervals, and the hard points, inside the domain."""
    dtype = dtype_of(primitive)
    info = np.finfo(dtype)
    rng = np.random.default_rng(11)
    exponents = np.arange(info.minexp - info.nmant, info.maxexp, 1 if dtype is np.float32 else 3)
    binades = np.ldexp(rng.uniform(1, 2, len(exponents)), exponents)
    hard = np.array(HARD[primitive.name])
    dense = [rng.uniform(low, high, 400) for low, high in INTERVALS[primitive.name]]
    values = np.concatenate([binades, -binades, hard, -hard, *dense])
    with np.errstate(over="ignore"):
        values = values.astype(dtype)
    low, high = primitive.domain
    return values[np.isfinite(values) & (values >= low) & (values <= high)]


def by_level(primitive: Primitive) -> str:
    return f"{primitive.name}-{primitive.level}"


@pytest.mark.parametrize("primitive", ONE_ARGUMENT, ids=by_level)
def test_keeps_its_bound(primitive: Primitive) -> None:
    x = points(primitive)
    if primitive.name in ("log", "log1p"):
        x = x[x > primitive.domain[0]]
    size, at = worst(primitive, called(primitive, x), TRUE[primitive.name], x)
    assert size <= primitive.bound, at


@pytest.mark.parametrize("primitive", PRODUCTS, ids=by_level)
def test_products_keep_their_bound(primitive: Primitive) -> None:
    """a*f(x) with a near 1, a = x down to subnormal products, and a that f(x) alone would not survive."""
    name = primitive.name.removeprefix("times_")
    rng = np.random.default_rng(12)
    reach = 125 if primitive.level == "float32" else 1000
    far = math.sqrt(reach * 0.7) if name.removesuffix("_of_root") in ("erfc", "gaussian") else reach * 0.7
    x = np.concatenate([rng.normal(0, 2, 500), rng.uniform(-far, far, 500), rng.uniform(0, far, 500)])
    scale = np.exp2(rng.uniform(-reach, reach, 500))
    a = np.concatenate([rng.normal(0, 1, 500), x[500:1000], scale])
    if name in (
        "exp",
        "expm1",
        "sigmoid",
        "gate",
        "gate_of_sum",
        "cogate",
        "cogate_of_sum",
        "gaussian",
        "tanh_softplus",
        "softplus",
        "erfc",
        "erfc_of_root",
        "gaussian_of_root",
    ):  # what is left of a large a times a tiny value
        falls = name.startswith(("erfc", "cogate", "gaussian"))
        x[1000:] = np.abs(x[1000:]) * (1 if falls else -1)
    x, a = x.astype(dtype_of(primitive)), a.astype(dtype_of(primitive))
    size, at = worst(primitive, called(primitive, a, x), lambda a, x: a * TRUE[name](x), a, x)
    assert size <= primitive.bound, at


@pytest.mark.parametrize("level", ["float32", "float64"])
def test_two_part_arguments(level: str) -> None:
    """erfc(x/sqrt 2) and exp(-x^2/2) of the exact argument, where a rounded argument would be many ulps off."""
    real = np.float32 if level == "float32" else np.float64
    times_exp, times_erfc = (PRIMITIVES[name, level].function for name in ("times_exp", "times_erfc"))
    root = real(math.sqrt(0.5))
    with working_precision(200):
        root_low = real(float(arb(0.5).sqrt() - arb(float(root))))

    @njit(error_model="numpy")
    def gaussian(x, upper, density):
        for i in range(x.size):
            u, u_low = intrinsics.scaled(x[i], root, root_low)
            upper[i] = times_erfc(real(0.5), u, u_low)
            h = real(-0.5) * x[i]
            square = h * x[i]
            density[i] = times_exp(real(1), square, intrinsics.fma(h, x[i], -square))

    x = np.random.default_rng(13).uniform(-6, 13, 1500).astype(real)
    upper, density = np.empty_like(x), np.empty_like(x)
    gaussian(x, upper, density)
    for got, true, name in (
        (upper, lambda x: (x / arb(2).sqrt()).erfc() / 2, "times_erfc"),
        (density, lambda x: (-x * x / 2).exp(), "times_exp"),
    ):
        primitive = PRIMITIVES[name, level]
        size, at = worst(primitive, got, true, x)
        assert size <= primitive.bound + 0.1, (name, at)


@pytest.mark.parametrize("level", ["float32", "wide", "float64"])
def test_powers(level: str) -> None:
    primitive = PRIMITIVES["pow", level]
    rng = np.random.default_rng(14)
    reach = {"float32": 88.0, "wide": 104.0, "float64": 708.0}[level]
    a = np.exp(np.concatenate([rng.uniform(-3, 3, 600), rng.uniform(-0.1, 0.1, 600), rng.uniform(-80, 80, 600)]))
    a = a.astype(dtype_of(primitive))
    b = (rng.uniform(-reach, reach, 1800) / np.log(a.astype(float))).astype(dtype_of(primitive))
    size, at = worst(primitive, called(primitive, a, b), lambda a, b: a**b, a, b)
    assert size <= primitive.bound, at


@pytest.mark.parametrize("level", ["float32", "wide", "float64"])
@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (0, 0, 1),
        (0, 1.5, 0),
        (0, -1.5, INF),
        (INF, 2.5, INF),
        (INF, -2.5, 0),
        (1, 1e30, 1),
        (-1, 0.5, NAN),
        (NAN, 2, NAN),
        (2, NAN, NAN),
        (3, 1e6, INF),
        (3, -1e6, 0),
        (0.5, 1e6, 0),
    ],
)
def test_powers_at_the_edges(level: str, a: float, b: float, expected: float) -> None:
    np.testing.assert_array_equal(called(PRIMITIVES["pow", level], [a] * 40, [b] * 40), expected)


EDGES: dict[str, list[tuple[float, float]]] = {
    "exp": [(-INF, 0), (INF, INF), (0, 1), (-0.0, 1), (1e30, INF), (-1e30, 0)],
    "exp_nonpositive": [(-INF, 0), (0, 1), (-0.0, 1), (-1e30, 0)],
    "expm1": [(-INF, -1), (INF, INF), (0, 0), (-0.0, -0.0), (1e30, INF), (-1e30, -1)],
    "expm1_nonpositive": [(-INF, -1), (0, 0), (-0.0, -0.0), (-1e30, -1)],
    "sigmoid": [(-INF, 0), (INF, 1), (0, 0.5), (-0.0, 0.5), (1e30, 1), (-1e30, 0)],
    "tanh": [(-INF, -1), (INF, 1), (0, 0), (-0.0, -0.0), (1e30, 1)],
    "erf_softplus": [(-INF, 0), (INF, 1), (1e30, 1), (-1e30, 0)],
    "tanh_softplus": [(-INF, 0), (INF, 1), (0, 0.6), (-0.0, 0.6), (1e30, 1), (-1e30, 0)],
    "softplus": [(-INF, 0), (INF, INF), (2.0**100, 2.0**100), (-1e30, 0)],
    "log": [(0, -INF), (-0.0, -INF), (1, 0), (INF, INF), (-1, NAN), (-INF, NAN)],
    "log1p": [(0, 0), (-0.0, -0.0), (-1, -INF), (INF, INF), (-2, NAN), (-INF, NAN)],
    "erf": [(-INF, -1), (INF, 1), (0, 0), (-0.0, -0.0), (1e30, 1)],
    "erfc": [(-INF, 2), (INF, 0), (0, 1), (1e30, 0), (-1e30, 2)],
    "sin": [(0, 0), (-0.0, -0.0), (INF, NAN), (-INF, NAN)],
    "cos": [(0, 1), (-0.0, 1), (INF, NAN), (-INF, NAN)],
    "sin_near": [(0, 0), (-0.0, -0.0)],
    "cos_near": [(0, 1), (-0.0, 1)],
    "tan": [(0, 0), (-0.0, -0.0), (INF, NAN)],
    "atan": [(0, 0), (-0.0, -0.0), (INF, HALF_PI), (-INF, -HALF_PI), (1e30, HALF_PI)],
    "asin": [(0, 0), (-0.0, -0.0), (1, HALF_PI), (-1, -HALF_PI), (1.5, NAN), (INF, NAN)],
    "acos": [(1, 0), (0, HALF_PI), (-1, 2 * HALF_PI), (1.5, NAN), (-INF, NAN)],
    "sinh": [(0, 0), (-0.0, -0.0), (INF, INF), (-INF, -INF), (1e30, INF)],
    "cosh": [(0, 1), (-0.0, 1), (INF, INF), (-INF, INF), (1e30, INF)],
    "asinh": [(0, 0), (-0.0, -0.0), (INF, INF), (-INF, -INF)],
    "cbrt": [(0, 0), (-0.0, -0.0), (8, 2), (-27, -3), (INF, INF), (-INF, -INF)],
}


@pytest.mark.parametrize("primitive", ONE_ARGUMENT, ids=by_level)
def test_at_the_edges(primitive: Primitive) -> None:
    """Exact values, zeros with their sign, NaN of either sign; in the vectorised part of the loop and in its rest."""
    pairs = [*EDGES[primitive.name], (NAN, NAN), (-NAN, NAN)]
    x, expected = np.array(pairs * 9).T
    y = called(primitive, x)
    expected = expected.astype(y.dtype)
    np.testing.assert_array_equal(y, expected)
    zero = expected == 0
    np.testing.assert_array_equal(np.signbit(y[zero]), np.signbit(expected[zero]))


X86 = platform.machine().lower() in ("x86_64", "amd64")
FLAGS = {4: "divide", 8: "overflow"}  # as x86 numbers them


@pytest.mark.skipif(not (X86 and sys.platform == "linux"), reason="reads the flags of an x86 CPU through glibc")
@pytest.mark.parametrize("primitive", ONE_ARGUMENT, ids=by_level)
def test_raises_no_flag_for_nothing(primitive: Primitive) -> None:
    """No overflow and no division by zero where the value doesn't have one (NumPy ignores underflow by default).

    "invalid" is left out: any ordered comparison with NaN raises it, so the loop that NumPy sees has to clear it.
    """
    dtype = dtype_of(primitive)
    libm = ctypes.CDLL("libm.so.6")
    big = float(np.finfo(dtype).max)
    values = [0.0, 1e-30, 0.3, 1.0, 30.0, 1e3, 1e20, big / 3, big, INF, NAN]
    x = np.array([*values, *(-v for v in values)] * 8, dtype)
    if primitive.name in ("exp", "expm1", "sinh", "cosh"):
        x = x[~np.isfinite(x) | (np.abs(x) < 80)]
    low, high = primitive.domain
    x = x[np.isnan(x) | ((x >= low) & (x <= high))]
    y = np.empty_like(x)
    run = loop(primitive)
    run(x, y)
    libm.feclearexcept(61)
    run(x, y)
    raised = libm.fetestexcept(61)
    libm.feclearexcept(61)
    assert [name for bit, name in FLAGS.items() if raised & bit] == []


@pytest.mark.skipif(not X86, reason="reads x86 assembly")
@pytest.mark.parametrize("primitive", ONE_ARGUMENT + PRODUCTS, ids=by_level)
def test_llvm_vectorises(primitive: Primitive) -> None:
    """The loop has a body in vector registers that calls nothing, and nothing in it calls libm."""
    features = llvm.get_host_cpu_features()
    if primitive.name in ("sin", "cos", "tan") and not features.get("avx512f"):
        pytest.skip("LLVM finds the look-ups of the argument's reduction too dear for less than AVX-512")
    if not features.get("avx2") or not features.get("fma"):
        pytest.skip("a CPU without AVX2 and fused multiply-adds")
    kind = "float32" if primitive.level == "float32" else "float64"
    run = loop(primitive)
    arrays = 3 if primitive in PRODUCTS else 2
    run.compile(f"void({', '.join([f'{kind}[::1]'] * arrays)})")
    assembly = next(iter(run.inspect_asm().values()))
    blocks = re.split(r"\n(?=\.LBB)", assembly)
    packed = re.compile(r"\tv(?:mul|add|fmadd\w*)p[sd]\t.*%([yz]mm)\d+")
    loops = [block for block in blocks if packed.search(block) and re.search(r"\n\tj\w+\t", block)]
    assert loops
    assert not any("\tcall" in block for block in loops)
    libm = {
        "exp",
        "expm1",
        "log",
        "log1p",
        "tanh",
        "erf",
        "erfc",
        "sin",
        "cos",
        "tan",
        "pow",
        "fma",
        "sqrt",
        "ldexp",
        "frexp",
    }
    called = {name.removesuffix("f") for name in re.findall(r"\$(\w+), %r\w+\n", assembly)}
    assert not called & libm


def test_bounds_are_shown_to_be_sharp() -> None:
    """A bound that is far from what is reached would hide a loss: each is within 2.5 times of an error seen here."""
    for name in ("exp", "expm1", "sigmoid", "tanh", "softplus", "log", "log1p", "erfc", "sin", "atan"):
        for level in ("float32", "float64"):
            primitive = PRIMITIVES[name, level]
            x = points(primitive)
            x = x[x > primitive.domain[0]]
            size, _ = worst(primitive, called(primitive, x), TRUE[name], x)
            assert size > primitive.bound / 2.5, (name, level, size)


def test_coefficients_are_what_the_command_makes() -> None:
    pytest.importorskip("scipy")
    root = Path(__file__).parents[2]
    command = [sys.executable, "benchmarks/fit_primitives.py", "--check", "EXPM1_32", "LOG_64", "SOFTPLUS_NEAR_WIDE"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr

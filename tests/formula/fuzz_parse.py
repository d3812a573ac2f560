"""A long fuzz of the formula parser, as a command: `python tests/formula/fuzz_parse.py --texts 20000`.

Formulas, Python, noise and mutations of them all are parsed while an audit hook watches the interpreter: any event but
the parser's own `ast.parse` (an `exec`, an `open`, a process, a socket) fails the run, and so does a text that takes a
second, grows the process, escapes as another exception, or becomes an expression that a formula can't be.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import pickle
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import sympy
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from sympy.functions.elementary.piecewise import ExprCondPair

from actfn.formula import functions
from actfn.formula.parse import FormulaError, parse
from actfn.formula.scan import FUNCTIONS, KNOWN

SECONDS = 1.0
MEGABYTES = 50
"""That the process's peak may grow by in one text."""

SYMBOLS = {
    "a": sympy.Symbol("a", real=True),
    "alpha": sympy.Symbol("alpha", positive=True, finite=True),
    "beta": sympy.Symbol("beta", nonnegative=True, finite=True),
    "theta": sympy.Symbol("theta", negative=True, finite=True),
    "k": sympy.Symbol("k", real=True, nonzero=True),
}
ALLOWED = (
    *(sympy.Add, sympy.Mul, sympy.Pow, sympy.Rational, sympy.Symbol, type(sympy.pi), type(sympy.E)),
    *(
        sympy.exp,
        sympy.log,
        sympy.sin,
        sympy.cos,
        sympy.tan,
        sympy.asin,
        sympy.acos,
        sympy.atan,
        sympy.sinh,
        sympy.cosh,
    ),
    *(sympy.tanh, sympy.asinh, sympy.erf, functions.erfc, sympy.Abs, sympy.sign, sympy.Piecewise, ExprCondPair),
    *(sympy.And, sympy.Or, sympy.Not, sympy.Eq, sympy.Ne, sympy.Lt, sympy.Le, sympy.Gt, sympy.Ge),
    *(type(sympy.true), type(sympy.false), functions.expm1, functions.log1p, functions.sigmoid, functions.softplus),
    *(functions.cbrt, functions.maximum, functions.minimum),
)

# --- texts --------------------------------------------------------------------------------------------------------

NUMBERS = ["0", "1", "2", "3", "0.5", ".1", "2.", "1e-3", "1e3", "10", "64", "100", "1e300", "1e-320", "1/3"]
HOSTILE = [
    "__import__('os').system('touch owned')",
    "().__class__.__bases__[0].__subclasses__()",
    "[c for c in ().__class__.__mro__]",
    "(lambda f: f(f))(lambda f: f(f))",
    "exec('import os')",
    "eval(compile('1', '', 'eval'))",
    "open('/etc/passwd').read()",
    "getattr(x, '__class__')",
    "f'{x!r:>{10**8}}'",
    "x if x > 0 else -x",
    "(y := 3)",
    "yield x",
    "await x",
    "*x, **x",
    "x @ x // x % x << x >> x & x | x ^ x ~ x",
    "print(x, end='')",
    "np.where(x > 0, x, 0)",
    "{x: x for x in x}",
    "x[0][1:2, ...]",
    "x.diff(x).subs(x, 0)",
    "1_000 + 0x1F + 0o7 + 0b1 + 1j + 007",
    "9**9**9**9",
    "1e400*x",
    "192**0.181234567",
    "x**10**8",
    "\uff45xp(x)",
    "x\u00b2 \u2212 \u03b1\u00d7x",
    "\ud800",
    "x\x00y",
    "1if x else 2",
    "x;import os",
    "x #comment",
    "x\\\n+1",
    "'''x'''",
    "b'x'",
    "lambda: x",
    "not not x",
    "x < x < x",
    "where(x > 0, x, alpha*(exp(x) - 1))",
    "max(0, min(1, x/6 + 0.5))",
    "x*erfc(-x/sqrt(2))/2",
    "log(1 + exp(x))",
    "x*tanh(log(1 + exp(x)))",
]
WORDS = [
    *sorted(KNOWN),
    *SYMBOLS,
    *NUMBERS,
    *[
        "ln",
        "exp2",
        "lambda",
        "if",
        "else",
        "and",
        "or",
        "not",
        "in",
        "is",
        "for",
        "import",
        "None",
        "True",
        "__class__",
    ],
    *[
        "(",
        ")",
        ",",
        "+",
        "-",
        "*",
        "/",
        "**",
        "<",
        "<=",
        "==",
        "!=",
        ">",
        ">=",
        "=",
        "^",
        "//",
        "%",
        "&",
        "|",
        "~",
        "!",
    ],
    *[".", ":", ";", "[", "]", "{", "}", "'", '"', "#", "\\", "@", ":=", "\n", "\t", " ", "\x00", "\u00a0", "_", "e5"],
]


def numbers() -> st.SearchStrategy[str]:
    leaves = st.sampled_from(["x", "x", "x", "pi", "e", *SYMBOLS]) | st.sampled_from(NUMBERS)
    return st.recursive(leaves, compound, max_leaves=25)


def compound(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    comparison = st.builds("{} {} {}".format, inner, st.sampled_from(["<", "<=", "==", "!=", ">", ">="]), inner)
    condition = st.one_of(
        comparison,
        st.builds("not ({})".format, comparison),
        st.builds("({}) {} ({})".format, comparison, st.sampled_from(["and", "or"]), comparison),
    )
    unary = [name for name, arguments in FUNCTIONS.items() if arguments == "u"]
    return st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from(["+", "-", "*", "/"]), inner),
        st.builds("({})**({})".format, inner, inner | st.sampled_from(["2", "3", "-1", "0.5", "1/3", "64"])),
        st.builds("-{}".format, inner),
        st.builds("{}({})".format, st.sampled_from(unary), inner),
        st.builds("{}({}, {})".format, st.sampled_from(["min", "max"]), inner, inner),
        st.builds("clip({}, {}, {})".format, inner, inner, inner),
        st.builds("where({}, {}, {})".format, condition, inner, inner),
    )


def repeated() -> st.SearchStrategy[str]:
    """Deep or long: a piece again and again, open or closed."""
    openings = st.sampled_from(
        ["(", "-", "not ", "exp(", "where(x>0,", "x**", "x+", "sqrt(1+", "((", "[", "max(x,", "1/(1+"]
    )
    return st.builds(
        lambda piece, count, end, closed: piece * count + end + ")" * (count * piece.count("(") if closed else 0),
        openings,
        st.sampled_from([3, 10, 30, 49, 51, 100, 400, 1500]),
        st.sampled_from(["x", "1", "", "x, 1)", "9**9"]),
        st.booleans(),
    )


@st.composite
def mutated(draw: st.DrawFn) -> str:
    text = draw(st.one_of(st.sampled_from(HOSTILE), numbers()))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 6)))
        text = text[:start] + draw(st.sampled_from(WORDS) | st.text(max_size=2) | st.just("")) + text[end:]
    return text


def texts() -> st.SearchStrategy[str]:
    soup = st.builds(str.join, st.sampled_from(["", " "]), st.lists(st.sampled_from(WORDS), max_size=25))
    return st.one_of(numbers(), mutated(), mutated(), soup, st.sampled_from(HOSTILE), repeated(), st.text(max_size=60))


# --- the guard ----------------------------------------------------------------------------------------------------

_watching = False
_events: list[str] = []
_QUIET = {"sys._getframe", "object.__getattr__"}
"""Reading frames and attributes of code objects, which SymPy and this hook do."""


def _hook(event: str, arguments: tuple) -> None:
    if not _watching or event in _QUIET:
        return
    if event == "compile" and arguments[1] == "<unknown>":
        return  # ast.parse: no code is made
    if event == "import" and arguments[0].partition(".")[0] in ("sympy", "mpmath"):
        return  # SymPy imports some of its modules on first use
    frame = sys._getframe()
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return
        frame = frame.f_back
    _events.append(f"{event} {arguments!r}"[:200])


sys.addaudithook(_hook)


@contextlib.contextmanager
def watched() -> Iterator[list[str]]:
    """The audit events of what runs inside."""
    global _watching
    _events.clear()
    _watching = True
    try:
        yield _events
    finally:
        _watching = False


def check_guard() -> None:
    """The guard sees what it is there to see."""
    deeds: list[Callable[[], object]] = [
        lambda: eval("1"),
        lambda: exec("1"),
        lambda: compile("1", "", "eval"),
        lambda: open(os.devnull).close(),
        lambda: os.system("true"),
        lambda: subprocess.run(["true"], check=True),
    ]
    for number, deed in enumerate(deeds):
        with watched() as events:
            deed()
        assert events, f"the guard missed deed {number}"


# --- one text -----------------------------------------------------------------------------------------------------


class Found(AssertionError):
    pass


def peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def check(text: str) -> tuple[bool, float]:
    """Whether a text was accepted, and its processor time in seconds; raises `Found` for what must not be."""
    start, peak = time.process_time(), peak_megabytes()
    error = expression = None
    with watched() as events:
        try:
            expression = parse(text, SYMBOLS)
        except FormulaError as refusal:
            error = refusal
        except Exception as escaped:
            raise Found(f"{text!r} raised {escaped!r}") from escaped
    seconds = time.process_time() - start
    if events:
        raise Found(f"{text!r} did {events}")
    if seconds > SECONDS:
        raise Found(f"{text!r} took {seconds:.1f} s")
    if peak_megabytes() - peak > MEGABYTES:
        raise Found(f"{text!r} took {peak_megabytes() - peak:.0f} MB")
    if expression is not None:
        for node in sympy.preorder_traversal(expression):
            if not isinstance(node, ALLOWED):
                raise Found(f"{text!r} holds {node!r}")
        if not expression.free_symbols <= {functions.X, *SYMBOLS.values()}:
            raise Found(f"{text!r} has the symbols {expression.free_symbols}")
    if error is not None:
        shown = str(error)
        shown.encode()
        same = pickle.loads(pickle.dumps(error))
        if str(same) != shown or not 0 <= error.position <= len(text) or not error.reason or len(shown.split("\n")) > 4:
            raise Found(f"{text!r} is badly refused:\n{shown}")
    return error is None, seconds


def hang(*_: object) -> None:
    raise Found("it hangs")


def main() -> None:
    arguments = argparse.ArgumentParser(description="Fuzz the formula parser.")
    arguments.add_argument("--texts", type=int, default=20_000)
    arguments.add_argument("--seed", type=int, default=0)
    options = arguments.parse_args()

    check_guard()
    parse("where(x > 0, x, exp(x))", {})
    signal.signal(signal.SIGALRM, hang)
    started = time.monotonic()
    tried = accepted = 0
    failures: list[str] = []
    slowest, slowest_text = 0.0, ""

    @seed(options.seed)
    @settings(
        max_examples=options.texts,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    )
    @given(texts())
    def run(text: str) -> None:
        nonlocal tried, accepted, slowest, slowest_text
        tried += 1
        signal.alarm(60)
        try:
            ok, seconds = check(text)
        except Found as found:
            failures.append(str(found))
            return
        finally:
            signal.alarm(0)
        accepted += ok
        if seconds > slowest:
            slowest, slowest_text = seconds, text
        if tried % 500 == 0:
            progress = f"{tried} of {options.texts} texts, {accepted} accepted, slowest {slowest:.2f} s"
            print("\r" + progress, end="", flush=True)

    run()
    print(
        f"\r{tried} texts in {time.monotonic() - started:.0f} s: {accepted} accepted, {tried - accepted} refused;",
        end=" ",
    )
    print(f"slowest {slowest:.2f} s ({slowest_text[:60]!r}); the process's peak: {peak_megabytes():.0f} MB")
    if failures:
        sys.exit(f"{len(failures)} failures:\n" + "\n".join(failures[:10]))


if __name__ == "__main__":
    main()

"""The cache of kernels: whole whatever happens to it, never needed for a right result, and loaded without Numba."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from actfn import catalog, cli
from actfn.definition import Definition, Parameter
from actfn.kernels import build, cache
from actfn.kernels.build import Request, kernel
from actfn.kernels.cache import Entry

RELU = Request(catalog.find("relu"))
ENTRY = Entry("loop", bytes(range(256)), "def loop():\n    pass\n")
X = np.array([-2.0, -0.5, 0.0, 3.0], np.float32)

pytestmark = pytest.mark.skipif(not hasattr(os, "getuid"), reason="owners and modes are POSIX's")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder that isn't there yet."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("ACTFN_CACHE_DIR", str(folder))
    return folder


@pytest.fixture
def fresh(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder with the kernel of ReLU in it, and a process that has loaded none."""
    monkeypatch.setattr(build, "_kernels", {})
    kernel(RELU)
    build._kernels.clear()
    return place


def entry_of(folder: Path) -> Path:
    (found,) = folder.glob("*.kernel")
    return found


def relu(request: Request = RELU) -> list[float]:
    """What the kernel makes of X, called as NumPy would."""
    from actfn.kernels.threads import run

    out = np.full_like(X, np.nan)
    run(kernel(request), X.size, [X.ctypes.data], [], [out.ctypes.data])
    return out.tolist()


def assert_whole(folder: Path) -> int:
    """No temporary file, every compiled entry loads; how many there are."""
    names = {f.name for f in folder.iterdir()}
    assert not [n for n in names if not n.endswith((".kernel", ".py"))]
    keys = [n.removesuffix(".kernel") for n in names if n.endswith(".kernel")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ACTFN_CACHE_DIR", str(folder))
        assert all(cache.load(key) is not None for key in keys)
    return len(keys)


def python(code: str, folder: Path | None = None, **more: str) -> subprocess.Popen[str]:
    environment = {**os.environ, **more}
    if folder is not None:
        environment["ACTFN_CACHE_DIR"] = str(folder)
    return subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )


def finished(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=100)
    assert process.returncode == 0, err
    return out


# -- an entry -----------------------------------------------------------------------------------------------------------


def test_what_is_stored_is_loaded(place):
    assert cache.load("key") is None
    assert not place.exists()
    cache.store("key", ENTRY)
    assert cache.load("key") == ENTRY
    assert cache.load("other") is None
    assert (place / "key.py").read_text() == ENTRY.source
    assert place.stat().st_mode & 0o777 == 0o700


def test_every_flipped_bit_and_every_truncation_is_seen(place):
    cache.store("key", ENTRY)
    for file in (place / "key.kernel", place / "key.py"):
        data = file.read_bytes()
        for i in range(len(data)):
            file.write_bytes(data[:i])
            assert cache.load("key") is None, (file.name, "cut", i)
            file.write_bytes(data[:i] + bytes([data[i] ^ 1 << i % 8]) + data[i + 1 :])
            assert cache.load("key") is None, (file.name, "flipped", i)
        file.write_bytes(data + b"\n")
        assert cache.load("key") is None
        file.write_bytes(data)
    assert cache.load("key") == ENTRY


@pytest.mark.parametrize(
    "damage",
    [
        lambda file: file.write_bytes(b""),
        lambda file: file.write_bytes(file.read_bytes()[:-100]),
        lambda file: file.write_bytes(file.read_bytes().replace(b"_ZN", b"_ZM", 1)),
        lambda file: file.with_suffix(".py").write_text("loop = None\n"),
    ],
    ids=["empty", "truncated", "another symbol", "another source"],
)
def test_a_damaged_entry_is_rebuilt(fresh, damage):
    file = entry_of(fresh)
    before = cache.load(file.stem)
    damage(file)
    assert cache.load(file.stem) is None
    assert relu() == [0.0, 0.0, 0.0, 3.0]
    after = cache.load(file.stem)
    assert before is not None
    assert after is not None
    assert after.source == before.source
    assert assert_whole(fresh) == 1


# -- a folder that isn't ours -------------------------------------------------------------------------------------------


def a_file(folder: Path, monkeypatch) -> None:
    folder.write_text("not a folder")


def below_a_file(folder: Path, monkeypatch) -> None:
    folder.write_text("not a folder")
    monkeypatch.setenv("ACTFN_CACHE_DIR", str(folder / "below"))


def a_link(folder: Path, monkeypatch) -> None:
    (folder.parent / "real").mkdir(mode=0o700)
    folder.symlink_to(folder.parent / "real")


def others_may_read(folder: Path, monkeypatch) -> None:
    folder.mkdir()
    folder.chmod(0o755)


def others_may_write(folder: Path, monkeypatch) -> None:
    folder.mkdir()
    folder.chmod(0o777)


def of_another_owner(folder: Path, monkeypatch) -> None:
    folder.mkdir(mode=0o700)
    user = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: user + 1)


def read_only(folder: Path, monkeypatch) -> None:
    """As a user other than root finds it."""
    folder.mkdir(mode=0o700)

    def refuse(path: Path, data: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(cache, "write_text", refuse)
    monkeypatch.setattr(cache, "write_bytes", refuse)


@pytest.mark.parametrize(
    "spoil", [a_file, below_a_file, a_link, others_may_read, others_may_write, of_another_owner, read_only]
)
def test_a_folder_that_cannot_be_used_only_costs_the_cache(place, monkeypatch, spoil):
    spoil(place, monkeypatch)
    monkeypatch.setattr(build, "_kernels", {})
    assert relu() == [0.0, 0.0, 0.0, 3.0]
    assert [f for f in place.parent.rglob("*") if f.suffix in (".kernel", ".py", ".tmp")] == []


@pytest.mark.parametrize("spoil", [others_may_write, of_another_owner])
def test_an_entry_in_a_folder_of_others_is_not_loaded(place, monkeypatch, spoil):
    cache.store("key", ENTRY)
    moved = place.rename(place.with_name("moved"))
    spoil(place, monkeypatch)
    for file in moved.iterdir():
        file.rename(place / file.name)
    assert cache.load("key") is None
    assert not cache.contents().usable
    assert cache.clear() == 0
    assert (place / "key.kernel").exists()


def test_the_platform_says_where_caches_are(monkeypatch, tmp_path):
    monkeypatch.delenv("ACTFN_CACHE_DIR")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.folder() == tmp_path / "actfn"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache.folder() == Path.home() / ".cache" / "actfn"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert cache.folder() == Path.home() / "Library" / "Caches" / "actfn"


def test_the_command_line_shows_and_clears_it(place, monkeypatch, capsys):
    def actfn(*words: str) -> str:
        monkeypatch.setattr(sys, "argv", ["actfn", *words])
        with suppress(SystemExit):  # which Typer ends with; what was printed says how
            cli.main()
        return capsys.readouterr().out

    assert "kernels: 0" in actfn("cache", "info")
    assert not place.exists()
    for key in ("one", "two"):
        cache.store(key, ENTRY)
    (place / "of-the-user.txt").touch()
    shown = actfn("cache", "info")
    assert f"folder:  {place}" in shown
    assert "kernels: 2" in shown
    assert "not used" not in shown
    assert "removed 2 kernels" in actfn("cache", "clear")
    assert [f.name for f in place.iterdir()] == ["of-the-user.txt"]
    place.chmod(0o755)
    assert "not used" in actfn("cache", "info")


# -- the key ------------------------------------------------------------------------------------------------------------

MINE = Definition("mine", "where(x > 0, x, alpha*x)", (Parameter("alpha", 0.5, "positive"),))


@pytest.mark.parametrize(
    "other",
    [
        Request(replace(MINE, name="other")),
        Request(replace(MINE, formula="where(x > 1, x, alpha*x)")),
        Request(replace(MINE, conventions="right")),
        Request(replace(MINE, conventions=0.5)),
        Request(replace(MINE, conventions={"0": "left"})),
        Request(replace(MINE, parameters=[Parameter("alpha", 0.25, "positive")])),
        Request(replace(MINE, parameters=[Parameter("alpha", 0.5, "real")])),
        Request(MINE, 1),
        Request(MINE, 0, ("alpha",)),
        Request(MINE, form="product"),
        Request(MINE, dtype="float64"),
        Request(MINE, accuracy="correct"),
        Request(MINE, parameters="float64"),
    ],
    ids=lambda r: f"{r.definition.name}-{r.order}{r.by}-{r.form}-{r.dtype}-{r.accuracy}",
)
def test_the_key_changes_with_what_the_code_depends_on(other):
    assert build._key(other) != build._key(Request(MINE))
    assert build._key(Request(replace(MINE))) == build._key(Request(MINE))


def test_the_key_changes_with_the_machine_and_the_versions(monkeypatch):
    before = build._key(RELU)
    here = build._toolchain()
    for i in range(len(here)):
        other = [*here[:i], "another", *here[i + 1 :]]
        monkeypatch.setattr(build, "_toolchain", lambda other=other: other)
        assert build._key(RELU) != before


# -- processes ----------------------------------------------------------------------------------------------------------

COLD = """
import threading
import numpy as np
import actfn

x = np.linspace(-3, 3, 1001)
start, results = threading.Barrier(8), {}

def work(i):
    dtype = ("float32", "float64")[i % 2]
    start.wait()
    f = actfn.get("elu").ufunc()
    results[i] = f(x.astype(dtype), np.dtype(dtype).type(0.5))

threads = [threading.Thread(target=work, args=[i]) for i in range(8)]
for t in threads: t.start()
for t in threads: t.join()
expected = np.where(x > 0, x, 0.5*np.expm1(x))
for i in range(8):
    np.testing.assert_allclose(results[i], expected, rtol=(1e-5, 1e-14)[i % 2], atol=1e-7)
"""


def test_two_processes_of_eight_threads_share_a_cold_cache(place):
    both = [python(COLD, place), python(COLD, place)]
    for process in both:
        finished(process)
    assert assert_whole(place) == 2


LOADED = """
import sys
import numpy as np
import actfn

y = actfn.get("elu")(np.array([-1, 2], np.float32))
assert y.tolist() == [np.float32(np.expm1(-1)), 2.0], y
print(*sorted({"sympy", "numba"} & set(sys.modules)))
"""


def test_what_is_cached_loads_neither_sympy_nor_numba(place):
    assert finished(python(LOADED, place)).split() == ["numba", "sympy"]  # so this test can fail
    assert finished(python(LOADED, place)).split() == []


NUMBA = """
import numpy as np

def kernel():
    import actfn
    f = actfn.get("relu").ufunc()
    assert f(np.array([-1, 2], np.float32)).tolist() == [0.0, 2.0]

def compiled():
    import numba
    @numba.njit
    def halves(x, i):
        y = np.empty_like(x)
        for k in range(len(x)):
            y[k] = x[k]/2
        if i > 1:
            raise ValueError("of the jitted code", i)
        return y
    assert halves(np.arange(3.0), 0).tolist() == [0, 0.5, 1]
    try:
        halves(np.arange(3.0), 2)
    except ValueError as error:
        assert error.args == ("of the jitted code", 2)
    else:
        raise AssertionError
    @numba.cfunc("float64(float64)")
    def triple(x):
        return 3*x
    assert triple.ctypes(2.0) == 6.0

ORDER
"""


@pytest.mark.parametrize("order", ["kernel(); compiled(); kernel()", "compiled(); kernel(); compiled()"])
def test_numba_works_beside_a_cached_kernel(order):
    kernel(RELU)
    finished(python(NUMBA.replace("ORDER", order)))


# -- Ctrl-C -------------------------------------------------------------------------------------------------------------

INTERRUPTED = """
import os, signal, sys, time
import numpy as np
import sympy, numba
import actfn
from actfn import catalog
from actfn.formula import printers
from actfn.kernels import loops
from actfn.kernels.build import Request, kernel

folder = os.environ["ACTFN_CACHE_DIR"]
x = np.array([-1, 2], np.float32)
expected = [np.float32(np.expm1(-1)), 2.0]
for delay in (0.0, 0.02, 0.1, 0.3, 0.6, 1.0):
    os.environ["ACTFN_CACHE_DIR"] = f"{folder}/{delay}"
    ready, tell = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(tell, b"1")
            y = actfn.get("elu")(x)
            code = 0 if y.tolist() == expected else 1
        except KeyboardInterrupt:
            code = 7
            try:
                code = 7 if actfn.get("elu")(x).tolist() == expected else 2  # the next call builds it
            except BaseException as error:
                print(repr(error), file=sys.stderr)
                code = 3
        os._exit(code)
    os.read(ready, 1)
    time.sleep(delay)
    try:
        os.kill(child, signal.SIGINT)
    except ProcessLookupError:
        pass
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_an_interrupted_build_leaves_nothing_broken(place):
    place.mkdir(mode=0o700)
    codes = [int(line) for line in finished(python(INTERRUPTED, place)).split()]
    assert len(codes) == 6
    assert set(codes) <= {0, 7}  # 0: it was ready before
    assert 7 in codes
    for folder in place.iterdir():
        assert assert_whole(folder) <= 1


def test_ctrl_c_ends_a_process_that_builds(place):
    code = "import actfn, actfn.kernels.loops, numpy as np\nprint('go', flush=True)\nwhile True: "
    code += "actfn.define('x*%r*sigmoid(x)' % float(np.random.rand()))(np.float32([1]))"
    process = python(code, place)
    assert process.stdout is not None
    assert process.stdout.readline() == "go\n"
    time.sleep(0.7)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode in (-signal.SIGINT, 1), err  # 1: what the build still ran made Python forget the signal
    assert err.splitlines()[-1] == "KeyboardInterrupt"
    if place.exists():
        assert_whole(place)

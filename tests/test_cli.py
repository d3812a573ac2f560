"""The commands: what they print and write, and that bad input is one message and exit code 2, with nothing written."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer
from rich.cells import cell_len

import actfn
from actfn import cli


@dataclass(frozen=True)
class Result:
    code: Any
    out: str
    err: str


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    """`run("list", "--tag", "gated")`, in an empty folder and on a terminal of 80 columns."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")

    def run(*arguments: str) -> Result:
        with pytest.raises(SystemExit) as done:
            cli.main([*arguments])
        return Result(done.value.code, *capsys.readouterr())

    return run


def command(*arguments: str, **options: Any) -> subprocess.Popen:
    """The command as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "actfn.cli", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def strict(text: str) -> Any:
    def refused(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    return json.loads(text, parse_constant=refused)


def everything(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


# -- what the commands do -----------------------------------------------------------------------------------------------


def test_card_prints_the_card_and_writes_four_files(run, tmp_path):
    done = run("card", "elu")
    assert (done.code, done.err) == (0, "")
    folder = tmp_path / "data" / "activations"
    assert {"elu.json", "elu.svg", "elu.png", "elu.html"} <= {p.name for p in folder.iterdir()}
    data = strict((folder / "elu.json").read_text())
    assert list(data)[:3] == ["x", "y", "yp"]
    assert len(data["x"]) == len(data["y"]) == len(data["yp"]) == 1000
    for shown in ("Exponential linear unit", "C^1 if and only if alpha = 1", "wrote data/activations/elu.html", "ReLU"):
        assert shown in done.out


def test_card_takes_parameters_a_range_a_number_of_points_and_a_folder(run, tmp_path):
    done = run(
        "card", "elu", "--set", "alpha=0.5", "--range", "-4", "4", "--points", "9", "--out", "there", "--single-file"
    )
    assert done.code == 0
    assert everything(tmp_path) == ["there", *(f"there/elu.{kind}" for kind in ("html", "json", "png", "svg"))]
    data = strict((tmp_path / "there" / "elu.json").read_text())
    assert data["x"] == [-4.0, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0]
    assert data["yp"][4] == data["parameters"]["alpha"]["value"] == 0.5


def test_data_prints_strict_json(run, tmp_path):
    done = run("data", "1/x", "--range", "-1", "1", "--points", "3")
    assert (done.code, done.err) == (0, "")
    data = strict(done.out)
    assert data["x"] == [-1.0, 0.0, 1.0]
    assert data["y"] == [-1.0, None, 1.0]
    assert data["yp"] == [-1.0, None, -1.0]
    assert data["formula"] == "1/x"
    assert everything(tmp_path) == []


def test_data_writes_the_file_that_it_would_print(run, tmp_path):
    printed = run("data", "elu", "--points", "5")
    written = run("data", "elu", "--points", "5", "--out", "deep/er/elu.json")
    assert written.out == "wrote deep/er/elu.json\n"
    assert (tmp_path / "deep/er/elu.json").read_text() == printed.out


@pytest.mark.parametrize(("kind", "start"), [("pdf", b"%PDF-"), ("svg", b"<?xml"), ("png", b"\x89PNG\r\n")])
def test_plot_writes_a_figure(run, tmp_path, kind, start):
    done = run("plot", "elu", "--out", f"elu.{kind}", "--points", "50")
    assert (done.code, done.out) == (0, f"wrote elu.{kind}\n")
    assert everything(tmp_path) == [f"elu.{kind}"]
    assert (tmp_path / f"elu.{kind}").read_bytes().startswith(start)


def test_plot_draws_in_the_terminal(run, tmp_path):
    done = run("plot", "elu", "--set", "alpha=2")
    assert done.code == 0
    assert "ELU" in done.out
    assert "alpha = 2" in done.out
    assert everything(tmp_path) == []


def test_list_shows_every_name(run):
    done = run("list")
    assert done.code == 0
    shown = {line.split()[0] for line in done.out.splitlines()}
    assert set(actfn.names()) <= shown


def test_list_by_tag(run):
    done = run("list", "--tag", "gated")
    names = {line.split()[0] for line in done.out.splitlines() if not line.startswith(" ")} - {"name"}
    assert names == {name for name in actfn.names() if "gated" in actfn.get(name).tags}
    assert "silu" in names
    assert "elu" not in names


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["elu"], ["C^0 for every parameter (proven)", "C^1 if alpha = 1", "left limit alpha, right limit 1"]),
        (["elu", "--set", "alpha=1"], ["at alpha = 1", "C^1 (proven)"]),
        (["relu"], ["C^0", "left limit 0, right limit 1"]),
        (["softplus"], ["C^infinity"]),
        (
            ["where(x > 0, x, a*(exp(x)-1))", "--set", "a=2"],
            ["at a = 2", "C^0 (proven)", "left limit 2, right limit 1"],
        ),
        (["tan(1/x)"], ["unknown"]),
    ],
    ids=lambda v: " ".join(v)[:30],
)
def test_prove(run, arguments, says):
    done = run("prove", *arguments)
    assert (done.code, done.err) == (0, "")
    for text in says:
        assert text in done.out


@pytest.mark.parametrize("formula", ["x**x**x", "tan(1/x)", "exp(exp(exp(x)))"])
def test_a_hard_formula_gets_a_card_in_time(run, formula, tmp_path):
    began = time.monotonic()
    done = run("card", formula, "--out", "cards", "--points", "101")
    assert (done.code, done.err) == (0, "")
    assert time.monotonic() - began < 60
    assert len(everything(tmp_path / "cards")) >= 4
    assert None in strict((tmp_path / "cards" / "custom.json").read_text())["y"]


# -- help ---------------------------------------------------------------------------------------------------------------


def commands() -> Iterator[tuple[str, ...]]:
    """Every command, as the words that call it."""

    def below(node: Any, words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        if hasattr(node, "commands"):
            for name, inner in node.commands.items():
                yield from below(inner, (*words, name))
        else:
            yield words

    return below(typer.main.get_command(cli.app), ())


COMMANDS = [*commands()]


def test_the_commands_are_found():
    assert {("card",), ("list",), ("data",), ("plot",), ("prove",)} <= {*COMMANDS}


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_help_has_examples_and_fits(run, words):
    done = run(*words, "--help")
    assert (done.code, done.err) == (0, "")
    assert "Examples:" in done.out
    assert f" actfn {' '.join(words)}" in done.out.partition("Examples:")[2]
    assert max(map(cell_len, done.out.splitlines())) <= 80
    assert run(*words, "-h").out == done.out


def examples() -> Iterator[str]:
    for command in cli.app.registered_commands:
        assert isinstance(command.epilog, str)
        yield from (line.strip() for line in command.epilog.splitlines()[1:] if line.strip())


@pytest.mark.parametrize("example", [*examples()])
def test_every_example_runs(run, example):
    name, *arguments = shlex.split(example)
    assert name == "actfn"
    done = run(*arguments)
    assert (done.code, done.err) == (0, "")
    assert done.out


def test_no_command_shows_the_help(run):
    assert "prove" in run().out
    assert "Wherever NAME stands, a formula in quotes goes too" in run("--help").out


LONG = "where(x > theta, x*sigmoid(x) + log1p(abs(x)), alpha*(exp(x - theta) - 1) + theta*sigmoid(theta))"


@pytest.mark.parametrize(
    "arguments",
    [
        ["list"],
        ["card", "elu"],
        ["card", LONG, "--set", "theta=0.5", "--set", "alpha=1.5", "--points", "51"],
        ["plot", "elu"],
        ["cache", "info"],
        ["--help"],
    ],
    ids=["list", "card", "card of a long formula", "plot", "cache", "help"],
)
def test_what_is_printed_fits_80_columns(run, arguments):
    done = run(*arguments)
    assert not done.err
    long = [
        line for line in done.out.splitlines() if cell_len(line) > 80 and not line.startswith(("wrote ", "folder:"))
    ]
    assert long == []


# -- bad input ----------------------------------------------------------------------------------------------------------

DEEP = "(" * 10_000 + "x" + ")" * 10_000

BAD = [
    (["card", "elv"], "did you mean elu"),
    (["data", "sigmiod"], "did you mean sigmoid"),
    (["plot", "zzzzqqq"], "`actfn list` shows every name"),
    (["prove", "elv"], "did you mean elu"),
    (["card", "where(x > 0, x"], "never closed"),
    (["data", "x^2"], "write ** for a power"),
    (["data", "x*sigmiod(x)"], "sigmoid"),
    (["prove", "x if x > 0 else 0"], "where"),
    (["data", ""], "the formula is empty"),
    (["data", "a*x"], "the formula has a parameter 'a'; give it a value: --set a=1.0"),
    (["card", "where(x > 0, x, a*(exp(x) - 1))"], "--set a=1.0"),
    (["prove", "a*x + b", "--set", "a=2"], "--set b=1.0"),
    (["data", "a*x", "--set", "a=1", "--set", "b=2"], "the formula has no parameter 'b'; its parameters: a"),
    (["data", "x", "--set", "domains=2"], "the formula has no parameter 'domains'; its parameters: none"),
    (["data", "domains*x", "--set", "domains=2"], "a parameter can't be called 'domains'"),
    (["data", "name*x", "--set", "name=2"], "a parameter can't be called 'name'"),
    (["data", "elu", "--set", "alpha=nan"], "alpha = nan is outside its domain, real"),
    (["data", "elu", "--set", "alpha=1e400"], "outside its domain"),
    (["card", "celu", "--set", "alpha=-1"], "alpha = -1.0 is outside its domain, positive"),
    (["prove", "celu", "--set", "alpha=0"], "outside its domain, positive"),
    (["data", "elu", "--set", "beta=1"], "elu has no parameter 'beta'; its parameters: alpha"),
    (["data", "elu", "--set", "alpha"], "as in --set alpha=0.5, not 'alpha'"),
    (["data", "elu", "--set", "alpha=big"], "as in --set alpha=0.5, not 'alpha=big'"),
    (["card", "elu", "--range", "2", "-2"], "from the lower to the higher number; got 2 to -2"),
    (["data", "elu", "--range", "1", "1"], "from the lower to the higher"),
    (["plot", "elu", "--range", "nan", "1"], "got nan to 1"),
    (["card", "elu", "--range", "nan", "nan"], "got nan to nan"),
    (["data", "elu", "--range", "0", "inf"], "got 0 to inf"),
    (["data", "elu", "--range", "-1e308", "1e308"], "float64 has no"),
    (["data", "elu", "--range", "1"], "requires 2 arguments"),
    (["card", "elu", "--points", "0"], "from 2 to 1,000,000; got 0"),
    (["data", "elu", "--points", "10000000"], "from 2 to 1,000,000; got 10000000"),
    (["card", "elu", "--points", "10000000"], "from 2 to 1,000,000; got 10000000"),
    (["plot", "elu", "--points", "-5"], "got -5"),
    (["data", "elu", "--points", "1.5"], "--points"),
    (["card", "tan(1/x)", "--range", "2", "-2"], "from the lower to the higher"),
    (["card", "elu", "--out", "a file"], "Not a directory: a file"),
    (["card", "elu", "--out", "a file/cards"], "Not a directory: a file/cards"),
    (["data", "elu", "--points", "5", "--out", "a file/elu.json"], "Not a directory: a file/elu.json"),
    (["data", "elu", "--points", "5", "--out", "a folder"], "Is a directory: a folder"),
    (["plot", "elu", "--points", "5", "--out", "a file/elu.png"], "Not a directory: a file/elu.png"),
    (["plot", "elu", "--out", "elu.jpeg"], "written as .svg, .png or .pdf, not 'elu.jpeg'"),
    (["plot", "elu", "--out", "elu"], "written as .svg, .png or .pdf, not 'elu'"),
    (["list", "--tag", "nope"], "no activation has the tag 'nope'; the tags are:\n  algebraic"),
    (["list", "--nope"], "No such option"),
    (["card"], "Missing argument 'NAME'"),
    (["paint", "elu"], "No such command 'paint'"),
    (["data", "__import__('os').system('touch here')"], "this can't be a name"),
    (["card", "9**9**9**9"], "too large"),
    (["data", "x**10**8"], "exponent is too large"),
    (["prove", DEEP], "characters long"),
    (["data", "x+" * 500_000 + "x"], "characters long"),
    (["data", "\N{FULLWIDTH LATIN SMALL LETTER E}xp(x)"], "FULLWIDTH LATIN SMALL LETTER E"),
    (["source", "elu", "--target", "cobol"], "there is no target 'cobol'; the targets are numba"),
]


@pytest.mark.parametrize(("arguments", "says"), BAD, ids=[" ".join(a)[:50] for a, _ in BAD])
def test_bad_input_is_one_message_and_writes_nothing(run, tmp_path, arguments, says):
    (tmp_path / "a file").write_text("kept")
    (tmp_path / "a folder").mkdir()
    before = everything(tmp_path)
    began = time.process_time()
    done = run(*arguments)
    assert done.code == 2
    assert done.out == ""
    assert says in done.err
    assert done.err.count("actfn: ") + done.err.count("Error: ") == 1
    assert "Traceback" not in done.err
    assert len(done.err.splitlines()) <= 5
    assert max(map(len, done.err.splitlines())) <= 200
    assert everything(tmp_path) == before
    assert (tmp_path / "a file").read_text() == "kept"
    assert time.process_time() - began < 5


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() == 0, reason="root may write anywhere")
def test_a_folder_that_is_not_ones_own(run, tmp_path):
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    done = run("card", "elu", "--out", str(locked))
    assert done.code == 2
    assert "Permission denied" in done.err
    assert everything(locked) == []


def test_a_full_disk_leaves_nothing_half_written(run, tmp_path, monkeypatch):
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    done = run("card", "elu", "--points", "5", "--out", "cards")
    assert (done.code, done.out) == (2, "")
    assert done.err == "actfn: No space left on device: cards/elu.json\n"
    assert everything(tmp_path / "cards") == []


def test_an_error_of_our_own_is_not_hidden(monkeypatch):
    """Only what a user can put right is shortened to a line: a fault of the program shows its traceback."""

    def broken() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(cli, "app", lambda **_: broken())
    with pytest.raises(ZeroDivisionError):
        cli.main(["list"])


# -- as a process of its own --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [["data", "elv"], ["card", "elu", "--points", "0"], ["data", "9**9**9**9"]])
def test_a_process_ends_with_code_2(arguments, tmp_path):
    process = command(*arguments, cwd=tmp_path)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (2, "")
    assert err.startswith("actfn: ")
    assert "Traceback" not in err
    assert everything(tmp_path) == []


@pytest.mark.parametrize("arguments", [["data", "elu", "--points", "5000"], ["data", "elu"], ["list"]], ids=" ".join)
def test_a_reader_that_leaves_is_no_error(arguments, tmp_path):
    process = command(*arguments, cwd=tmp_path)
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline()
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=60) in (0, 1, 141)
    assert err == ""


def test_a_reader_that_never_came_is_no_error(tmp_path):
    process = command("data", "elu", "--points", "5", cwd=tmp_path)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    process.wait(timeout=60)
    assert err == ""


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
@pytest.mark.parametrize("again", [False, True], ids=["new folder", "older card"])
def test_ctrl_c_leaves_nothing_half_written(tmp_path, again):
    cards = tmp_path / "cards"
    if again:
        cards.mkdir()
        (cards / "elu.json").write_text("older")
    started = tmp_path / "started"
    # A million points take the oracle most of a minute.
    code = (
        "import actfn.card.data as data, pathlib, sys; from actfn.cli import main\n"
        "even = data.evenly_spaced\n"
        f"data.sample.__globals__['evenly_spaced'] = lambda *a: (pathlib.Path({str(started)!r}).touch(), even(*a))[1]\n"
        f"main(['card', 'elu', '--points', '1000000', '--out', {str(cards)!r}])"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path
    )
    deadline = time.monotonic() + 60
    while not started.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == ""
    assert err == "actfn: stopped\n"
    assert everything(cards) == (["elu.json"] if again else [])
    if again:
        assert (cards / "elu.json").read_text() == "older"


# -- export


def test_export_writes_c_and_javascript(run, tmp_path):
    done = run("export", "elu", "--c", "--set", "alpha=0.5")
    assert done.code == 0
    assert "// alpha: real, 0.5 by default" in done.out
    assert "double elu_derivative(double x, double alpha)" in done.out
    done = run("export", "x*sigmoid(b*x)", "--set", "b=1", "--js", "--out", str(tmp_path / "mine.mjs"))
    assert done.code == 0
    assert "export { custom, custom_derivative };" in (tmp_path / "mine.mjs").read_text()


def test_export_writes_onnx(run, tmp_path):
    onnx = pytest.importorskip("onnx")
    place = tmp_path / "elu.onnx"
    done = run("export", "elu", "--onnx", "--input", "alpha", "--shape", "batch,3", "--out", str(place))
    assert done.code == 0, done.err
    made = onnx.load(place)
    assert [i.name for i in made.graph.input] == ["x", "alpha"]
    assert [d.dim_param or d.dim_value for d in made.graph.input[0].type.tensor_type.shape.dim] == ["batch", 3]


def test_export_wants_one_form(run):
    for forms in ([], ["--c", "--js"]):
        done = run("export", "elu", *forms)
        assert done.code == 2
        assert "write one of --c, --js and --onnx" in done.err

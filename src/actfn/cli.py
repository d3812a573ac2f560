"""The command line: each command parses its arguments, calls a room, and prints.

A NAME is a catalog name or, in quotes, a formula. Bad input is one clear message and exit code 2; Ctrl-C leaves nothing
half-written and is exit code 130.
"""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from actfn.activation import Activation

app = typer.Typer(
    name="actfn",
    help="Activation functions from their formulas: derived, proven, shown.",
    epilog="Wherever NAME stands, a formula in quotes goes too: actfn prove 'where(x > 0, x, a*(exp(x) - 1))' --set a=2",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)

DEFAULT_OUT = Path("data/activations")

Name = Annotated[
    str, typer.Argument(metavar="NAME", help="A catalog name, or a formula in quotes.", show_default=False)
]
Sets = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="P=VALUE", help="A parameter's value; once for each.", show_default=False),
]
Range = Annotated[tuple[float, float], typer.Option("--range", metavar="LOW HIGH", help="The interval that is shown.")]
Points = Annotated[int, typer.Option("--points", help="How many points, evenly spaced.")]


def _epilog(*examples: str) -> str:
    return "Examples:\n\n" + "\n\n".join(f"  {e}" for e in examples)


@app.command(
    epilog=_epilog(
        "actfn card elu", "actfn card elu --set alpha=0.5 --range -4 4", "actfn card 'x*tanh(softplus(x))' --out cards"
    )
)
def card(
    name: Name,
    sets: Sets = None,
    interval: Range = (-2.0, 2.0),
    points: Points = 1000,
    out: Annotated[Path, typer.Option("--out", help="The folder to write into.")] = DEFAULT_OUT,
    single_file: Annotated[
        bool, typer.Option("--single-file", help="Put the chart script into the page itself.")
    ] = False,
) -> None:
    """Print the card of an activation, and write it as JSON, SVG, PNG and an interactive page."""
    from actfn.card import write_card
    from actfn.card.terminal import print_card

    activation, values = _resolved(name, sets)
    console = _console()
    with console.status(f"proving and drawing {activation.name} ..."):
        data, written = write_card(activation.definition, values, out, *interval, points, single_file=single_file)
    print_card(data, console, written)


@app.command(
    "list",
    epilog=_epilog(
        "actfn list",
        "actfn list --tag exponential",
        "actfn list --where 'smoothness >= 1 and monotone and bounded'",
        'actfn list --where \'parity == "odd" and lipschitz <= 1 and not tag("sigmoid")\'',
    ),
)
def list_(
    tag: Annotated[str | None, typer.Option("--tag", help="Only those with this tag.", show_default=False)] = None,
    where: Annotated[
        str | None,
        typer.Option("--where", help="Only those of which this is proven.", show_default=False),
    ] = None,
) -> None:
    """List the activations of the catalog, or those with a tag or with proven properties."""
    from rich.table import Table

    from actfn import catalog

    entries = [e for e in catalog.entries().values() if tag is None or tag in e.tags]
    if not entries:
        known = ", ".join(sorted({t for e in catalog.entries().values() for t in e.tags}))
        listed = textwrap.fill(known, 78, initial_indent="  ", subsequent_indent="  ")
        raise ValueError(f"no activation has the tag {tag!r}; the tags are:\n{listed}")
    console = _console()
    open_questions = []
    if where is not None:
        from actfn.analysis.proofs import proven
        from actfn.analysis.search import Query

        query = Query(where)
        with console.status("asking ..."):
            answers = [(e, query(proven(e), tuple(e.tags))) for e in entries]
        entries = [e for e, answer in answers if answer]
        open_questions = [e.name for e, answer in answers if answer is None]
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("name", "parameters", "what it is"):
        table.add_column(heading, no_wrap=heading == "name")
    for entry in entries:
        table.add_row(entry.name, ", ".join(f"{p.name}={p.default:g}" for p in entry.parameters), entry.summary)
    if entries:
        console.print(table)
    if where is not None:
        console.print(f"{len(entries)} found", style="dim", highlight=False)
        if open_questions:
            console.print(f"not known of: {', '.join(open_questions)}", style="dim", highlight=False)


@app.command(epilog=_epilog("actfn similar elu", "actfn similar 'x*sigmoid(b*x)' --set b=2 --count 5"))
def similar(
    name: Name,
    sets: Sets = None,
    count: Annotated[int, typer.Option("--count", help="How many.")] = 10,
) -> None:
    """Rank the catalog by its distance from an activation: sqrt(E[(f(z) - g(z))^2]) for standard normal z."""
    from rich.table import Table

    from actfn.card.similar import similar as neighbours

    activation, values = _resolved(name, sets)
    console = _console()
    with console.status("measuring ..."):
        found = neighbours(activation.definition, values, count)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("name", "distance", "what it is"):
        table.add_column(heading, no_wrap=heading != "what it is", justify="right" if heading == "distance" else "left")
    for neighbour in found:
        table.add_row(neighbour.definition.name, f"{neighbour.distance:.4f}", neighbour.definition.summary)
    console.print(table)
    console.print("distance: root mean square of the difference for standard normal inputs", style="dim")


@app.command(
    epilog=_epilog(
        "actfn compare elu relu gelu",
        "actfn compare elu 'x*tanh(x)' --out compared.png --range -6 6",
        "actfn compare silu mish --json",
    )
)
def compare(
    names: Annotated[
        list[str], typer.Argument(metavar="NAME...", help="Catalog names, or formulas in quotes.", show_default=False)
    ],
    sets: Sets = None,
    interval: Annotated[
        tuple[float, float], typer.Option("--range", metavar="LOW HIGH", help="The interval that is drawn.")
    ] = (-4.0, 4.0),
    out: Annotated[
        Path | None, typer.Option("--out", help="A .png, .svg or .pdf file for the curves.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the claims as JSON instead of a table.")] = False,
) -> None:
    """Lay the proven properties of activations side by side; draw their curves with --out.

    A parameter that --set gives goes to every function that has it.
    """
    from actfn.card.comparison import compared, comparison_data, print_comparison, write_comparison

    given = _assignments(sets)
    console = _console()
    chosen = []
    for name in names:
        activation, _ = _resolved(name, sets, strict=False)
        chosen.append((activation.definition, {k: v for k, v in given.items() if k in activation.parameters}))
    unused = given.keys() - {k for _, own in chosen for k in own}
    if unused:
        raise ValueError(f"none of these has a parameter {min(unused)!r}")
    with console.status("proving ..."):
        functions = [compared(definition, own) for definition, own in chosen]
    if out is not None:
        write_comparison(functions, out, *interval)
    if as_json:
        from actfn.files import dumps

        sys.stdout.write(dumps(comparison_data(functions)))
    else:
        print_comparison(functions, console)
    if out is not None and not as_json:
        console.print(f"wrote {out}", highlight=False, soft_wrap=True)


@app.command(epilog=_epilog("actfn data elu --points 5", "actfn data elu --set alpha=0.5 --out elu.json"))
def data(
    name: Name,
    sets: Sets = None,
    interval: Range = (-2.0, 2.0),
    points: Points = 1000,
    out: Annotated[
        Path | None, typer.Option("--out", help="A file; without it, standard output.", show_default=False)
    ] = None,
) -> None:
    """Print x, f(x) and f'(x) as JSON, with all that the card says; each value is the exact one, rounded once."""
    from actfn.card.data import card_data
    from actfn.files import dumps, write_json

    activation, values = _resolved(name, sets)
    found = card_data(activation.definition, values, *interval, points)
    if out is None:
        sys.stdout.write(dumps(found))
    else:
        write_json(out, found)
        _console().print(f"wrote {out}", highlight=False, soft_wrap=True)


@app.command(epilog=_epilog("actfn plot elu", "actfn plot elu --out elu.pdf --range -6 6"))
def plot(
    name: Name,
    sets: Sets = None,
    interval: Range = (-2.0, 2.0),
    points: Points = 1000,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", help="A .png, .svg or .pdf file; without it, a chart in the terminal.", show_default=False
        ),
    ] = None,
) -> None:
    """Draw an activation and its derivative, in the terminal or into a file."""
    from actfn.card.data import card_data

    activation, values = _resolved(name, sets)
    found = card_data(activation.definition, values, *interval, points)
    console = _console()
    if out is None:
        from actfn.card.terminal import print_chart

        print_chart(found, console)
    else:
        from actfn.card.figure import write_figure

        write_figure(found, out)
        console.print(f"wrote {out}", highlight=False, soft_wrap=True)


@app.command(
    epilog=_epilog(
        "actfn prove elu",
        "actfn prove elu --set alpha=1",
        "actfn prove gelu --property lipschitz",
        "actfn prove 'where(x > 0, x, a*(exp(x) - 1))' --set a=2",
        "actfn prove --all",
    )
)
def prove(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="A catalog name, or a formula in quotes.", show_default=False)
    ] = None,
    sets: Sets = None,
    wanted: Annotated[
        str | None,
        typer.Option("--property", metavar="PROPERTY", help="Only this one, with its certificate.", show_default=False),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Count what is proven of the whole catalog.")] = False,
) -> None:
    """Prove what can be proven: for every value of the parameters or at their defaults, or at those that --set gives."""
    if every == (name is not None):
        raise ValueError("prove takes a NAME, as in actfn prove elu, or --all")
    if name is None:
        _prove_all()
        return
    from actfn.analysis.properties import MEANINGS
    from actfn.analysis.smoothness import class_name, condition_text
    from actfn.card.wording import HEADINGS, wording
    from actfn.formula.printers.text import TextPrinter

    if wanted is not None and wanted not in MEANINGS:
        raise ValueError(f"there is no property {wanted!r}; the properties: {', '.join(MEANINGS)}")
    activation, _ = _resolved(name, sets)
    given = _assignments(sets)
    console = _console()
    with console.status(f"proving {activation.name} ..."):
        claims = activation.properties(**given)
        proof = activation.smoothness(**given) if wanted in (None, "smoothness") else None

    def line(text: str) -> None:
        console.print(text, highlight=False, markup=False, soft_wrap=True)

    line(f"{activation.name}: {TextPrinter().expression(activation.formula)}")
    if given:
        line("at " + ", ".join(f"{k} = {v:g}" for k, v in given.items()))
    if proof is not None:
        scope = " for every parameter" if activation.parameters.keys() - given.keys() else ""
        line(f"class: {class_name(proof.order)}{scope if proof.order is not None else ''} ({proof.claim.status})")
        for condition, order in proof.conditions.items():
            line(f"       {class_name(order)} if {condition_text(condition)}")
        line("certificate:")
        for step in proof.claim.certificate:
            line(f"  {step}")
    if wanted is None:
        _print_claims(claims, console)
    elif wanted != "smoothness":
        claim = claims[wanted]
        line(f"{HEADINGS[wanted]}: {wording(wanted, claim, 16)} ({claim.status})")
        line(f"  {MEANINGS[wanted]}")
        if claim.ball:
            line(f"  {claim.ball[0]} +/- {claim.ball[1]}")
        line("certificate:")
        for step in claim.certificate:
            line(f"  {step}")


def _print_claims(claims: Any, console: Console) -> None:
    """A table of claims, each with its status."""
    from rich.table import Table
    from rich.text import Text

    from actfn.card.wording import HEADINGS, wording

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("", style="dim", no_wrap=True)
    table.add_column("", overflow="fold")
    table.add_column("", style="dim", no_wrap=True)
    for property_, claim in claims.items():
        if property_ != "smoothness":
            table.add_row(Text(HEADINGS[property_]), Text(wording(property_, claim)), claim.status)
    console.print(table)


def _prove_all() -> None:
    """The counts of proven, sampled and unknown claims of the catalog, and the list of those that aren't proven."""
    from rich.table import Table
    from rich.text import Text

    from actfn import catalog
    from actfn.analysis.proofs import counts, proven
    from actfn.card.wording import HEADINGS

    console = _console()
    with console.status("reading the proofs, and making those that are missing ..."):
        found = {name: proven(entry) for name, entry in catalog.entries().items()}
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("property", "proven", "sampled", "unknown"):
        table.add_column(heading, justify="left" if heading == "property" else "right")
    each = counts(found)
    for name, count in each.items():
        table.add_row(Text(HEADINGS[name]), *(str(count[status]) for status in ("proven", "sampled", "unknown")))
    total = {status: sum(count[status] for count in each.values()) for status in ("proven", "sampled", "unknown")}
    table.add_section()
    table.add_row(f"{len(found)} functions", *(str(total[status]) for status in ("proven", "sampled", "unknown")))
    console.print(table)
    open_claims = [
        (entry, name, claim)
        for entry, claims in found.items()
        for name, claim in claims.items()
        if claim.status != "proven"
    ]
    if open_claims:
        console.print()
        rest = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
        for heading in ("not proven", "", "", "why"):
            rest.add_column(heading, overflow="fold", no_wrap=heading != "why")
        for entry, name, claim in open_claims:
            rest.add_row(
                entry, Text(HEADINGS[name]), claim.status, Text(claim.certificate[-1] if claim.certificate else "")
            )
        console.print(rest)


_TARGETS = ("numba", "numpy", "torch", "jax", "js", "c", "triton", "latex", "text")


@app.command(
    epilog=_epilog(
        "actfn source elu",
        "actfn source elu --derivative 1 --target torch",
        "actfn source 'x*sigmoid(b*x)' --set b=1 --target js",
    )
)
def source(
    name: Name,
    sets: Sets = None,
    target: Annotated[str, typer.Option("--target", help=f"One of {', '.join(_TARGETS)}.")] = "numba",
    derivative: Annotated[int, typer.Option("--derivative", help="Of which order; 0 is the function.")] = 0,
    dtype: Annotated[
        str, typer.Option("--dtype", help="For numba: float16, bfloat16, float32 or float64.")
    ] = "float32",
    accuracy: Annotated[str, typer.Option("--accuracy", help="For numba: fast or correct.")] = "fast",
) -> None:
    """Print the code of an activation in another language; for numba it is what the kernels are compiled from."""
    from actfn.formula import printers

    activation, _ = _resolved(name, sets)
    definition = activation.definition
    if target == "numba":
        from actfn.kernels.build import DTYPES, Request
        from actfn.kernels.build import source as kernel_source

        if dtype not in DTYPES or accuracy not in ("fast", "correct"):
            raise ValueError(
                f"--dtype is one of {', '.join(DTYPES)}, --accuracy fast or correct; got {dtype}, {accuracy}"
            )
        text = kernel_source(Request(definition, derivative, (), "value", dtype, accuracy))
    elif target in ("latex", "text"):
        text = printers.printer(target).expression(activation.derivative(derivative)) + "\n"
    elif target == "triton":
        from actfn.kernels.build import Request, triton_source

        text = triton_source(Request(definition, derivative))
    elif target in _TARGETS:
        from actfn.kernels.lower import program

        steps = program(definition, derivative)
        text = printers.printer(target).function(
            definition.name, steps.arguments, steps.assignments, steps.result, doc=definition.formula
        )
    else:
        raise ValueError(f"there is no target {target!r}; the targets are {', '.join(_TARGETS)}")
    sys.stdout.write(text)


@app.command(
    epilog=_epilog(
        "actfn export elu --c",
        "actfn export elu --js --out elu.mjs",
        "actfn export elu --onnx --set alpha=0.5",
        "actfn export 'x*sigmoid(b*x)' --set b=1 --onnx --shape batch,128",
    )
)
def export(
    name: Name,
    sets: Sets = None,
    c: Annotated[bool, typer.Option("--c", help="A C11 header with f and f'.")] = False,
    js: Annotated[bool, typer.Option("--js", help="A JavaScript module with f and f'.")] = False,
    onnx: Annotated[bool, typer.Option("--onnx", help="An ONNX model of f.")] = False,
    dtype: Annotated[str, typer.Option("--dtype", help="For ONNX: float16, bfloat16, float32 or float64.")] = "float32",
    inputs: Annotated[
        list[str] | None,
        typer.Option("--input", metavar="P", help="For ONNX: a parameter that is an input.", show_default=False),
    ] = None,
    shape: Annotated[
        str, typer.Option("--shape", help="For ONNX: the shape of x; a word is a length of any size.")
    ] = "n",
    out: Annotated[
        Path | None,
        typer.Option("--out", help="A file; without it, standard output (NAME.onnx for ONNX).", show_default=False),
    ] = None,
) -> None:
    """Write an activation for other programs; C and JavaScript say how accurate they are where they were written."""
    from dataclasses import replace

    from actfn.files import write_bytes, write_text

    if c + js + onnx != 1:
        raise ValueError("write one of --c, --js and --onnx")
    activation, values = _resolved(name, sets)
    definition = activation.definition
    if onnx:
        try:
            from actfn.onnx import model
        except ModuleNotFoundError as missing:
            raise ValueError(f"--onnx needs {missing.name}: pip install 'actfn[onnx]'") from None

        sizes = [int(s) if s.isdecimal() else s for s in map(str.strip, shape.split(",")) if s]
        out = out or Path(f"{definition.name}.onnx")
        made = model(definition, dtype, values, inputs or (), shape=sizes)
        write_bytes(out, made.SerializeToString())
    else:
        from actfn.export import c_source, js_source

        parameters = tuple(replace(p, default=values[p.name]) for p in definition.parameters)
        text = (c_source if c else js_source)(replace(definition, parameters=parameters))
        if out is None:
            sys.stdout.write(text)
            return
        write_text(out, text)
    _console().print(f"wrote {out}", highlight=False, soft_wrap=True)


cache_app = typer.Typer(help="The cache of compiled kernels.", no_args_is_help=True)
app.add_typer(cache_app, name="cache", epilog=_epilog("actfn cache info", "actfn cache clear"))


@cache_app.command("info", epilog=_epilog("actfn cache info"))
def cache_info() -> None:
    """Say where the cache lies, how many kernels it holds, and how large they are."""
    from actfn.kernels.cache import contents

    found = contents()
    console = _console()
    console.print(f"folder:  {found.folder}", highlight=False, soft_wrap=True)
    console.print(f"kernels: {found.kernels}, {found.size / 1e6:.1f} MB", highlight=False)
    if not found.usable:
        console.print("not used: the folder must be yours alone (mode 0700)", highlight=False)


@cache_app.command("clear", epilog=_epilog("actfn cache clear"))
def cache_clear() -> None:
    """Remove every compiled kernel; they are made again when they are needed."""
    from actfn.kernels.cache import clear

    _console().print(f"removed {clear()} kernels", highlight=False)


# -- arguments ----------------------------------------------------------------------------------------------------------


def _resolved(name: str, sets: list[str] | None, strict: bool = True) -> tuple[Activation, dict[str, float]]:
    """The activation of a name or a formula, and its parameters' values; one that it hasn't is refused, if `strict`."""
    from actfn.activation import define, get
    from actfn.formula import parameter_names

    given = _assignments(sets)
    if name.isidentifier() and name != "x":
        activation = get(name)
        if not strict:
            given = {k: v for k, v in given.items() if k in activation.parameters}
    else:
        used = parameter_names(name)
        missing = [p for p in used if p not in given]
        if missing:
            raise ValueError(f"the formula has a parameter {missing[0]!r}; give it a value: --set {missing[0]}=1.0")
        if not strict:
            given = {k: v for k, v in given.items() if k in used}
        for parameter in given:
            if parameter not in used:
                raise ValueError(
                    f"the formula has no parameter {parameter!r}; its parameters: {', '.join(used) or 'none'}"
                )
            if parameter in ("name", "conventions", "domains"):
                raise ValueError(
                    f"a parameter can't be called {parameter!r} here; write another, such as {parameter}_1"
                )
        parameters: dict[str, Any] = dict(given)
        activation = define(name, **parameters)
    return activation, activation.definition.values(given)


def _assignments(sets: list[str] | None) -> dict[str, float]:
    values: dict[str, float] = {}
    for text in sets or []:
        name, equals, number = text.partition("=")
        try:
            if not equals:
                raise ValueError
            values[name.strip()] = float(number)
        except ValueError:
            raise ValueError(f"--set takes a name and a number, as in --set alpha=0.5, not {text!r}") from None
    return values


def _console() -> Console:
    from rich.console import Console

    return Console()


def main(arguments: list[str] | None = None) -> None:
    """The `actfn` command."""
    code = 0
    try:
        code = app(args=arguments, standalone_mode=False) or 0
        if code == 130:  # what Typer makes of Ctrl-C
            raise KeyboardInterrupt
    except typer.Exit as stop:
        code = stop.exit_code
    except (KeyboardInterrupt, typer.Abort):
        code = _failed("stopped", 130)
    except (ValueError, LookupError, OSError) as error:
        code = _failed(_message(error), 2)
    except Exception as error:
        show = getattr(error, "show", None)  # click's own usage errors
        if show is None:
            raise
        show()
        code = 2
    sys.exit(code)


def _message(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return str(error)


def _failed(message: str, code: int) -> int:
    print(f"actfn: {message}", file=sys.stderr)
    return code


if __name__ == "__main__":
    main()


__all__: list[Any] = ["app", "main"]

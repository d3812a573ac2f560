"""The command line: each command parses its arguments, calls a room, and prints.

A NAME is a catalog name or, in quotes, a formula. Bad input is one clear message and exit code 2; Ctrl-C leaves nothing
half-written and is exit code 130.
"""

from __future__ import annotations

import sys
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


@app.command("list", epilog=_epilog("actfn list", "actfn list --tag exponential"))
def list_(
    tag: Annotated[str | None, typer.Option("--tag", help="Only those with this tag.", show_default=False)] = None,
) -> None:
    """List the activations of the catalog."""
    from rich.table import Table

    from actfn import catalog

    entries = [e for e in catalog.entries().values() if tag is None or tag in e.tags]
    if not entries:
        known = ", ".join(sorted({t for e in catalog.entries().values() for t in e.tags}))
        raise ValueError(f"no activation has the tag {tag!r}; the tags are: {known}")
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("name", "parameters", "what it is"):
        table.add_column(heading, no_wrap=heading == "name")
    for entry in entries:
        table.add_row(entry.name, ", ".join(f"{p.name}={p.default:g}" for p in entry.parameters), entry.summary)
    _console().print(table)


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
        "actfn prove elu", "actfn prove elu --set alpha=1", "actfn prove 'where(x > 0, x, a*(exp(x) - 1))' --set a=2"
    )
)
def prove(name: Name, sets: Sets = None) -> None:
    """Prove the smoothness class: for every value of the parameters, or at those that --set gives."""
    from actfn.analysis.smoothness import class_name, condition_text
    from actfn.formula.printers.text import TextPrinter

    activation, _ = _resolved(name, sets)
    given = _assignments(sets)
    proof = activation.smoothness(**given)
    console = _console()

    def line(text: str) -> None:
        console.print(text, highlight=False, markup=False, soft_wrap=True)

    line(f"{activation.name}: {TextPrinter().expression(activation.formula)}")
    if given:
        line("at " + ", ".join(f"{k} = {v:g}" for k, v in given.items()))
    scope = " for every parameter" if activation.parameters.keys() - given.keys() else ""
    line(f"class: {class_name(proof.order)}{scope if proof.order is not None else ''} ({proof.claim.status})")
    for condition, order in proof.conditions.items():
        line(f"       {class_name(order)} if {condition_text(condition)}")
    line("certificate:")
    for step in proof.claim.certificate:
        line(f"  {step}")


_TARGETS = ("numba", "numpy", "torch", "jax", "js", "c", "latex", "text")


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
    elif target in _TARGETS:
        from actfn.kernels.lower import program

        steps = program(definition, derivative)
        text = printers.printer(target).function(
            definition.name, steps.arguments, steps.assignments, steps.result, doc=definition.formula
        )
    else:
        raise ValueError(f"there is no target {target!r}; the targets are {', '.join(_TARGETS)}")
    sys.stdout.write(text)


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


def _resolved(name: str, sets: list[str] | None) -> tuple[Activation, dict[str, float]]:
    """The activation of a name or a formula, and its parameters' values."""
    from actfn.activation import define, get
    from actfn.formula import parameter_names

    given = _assignments(sets)
    if name.isidentifier() and name != "x":
        activation = get(name)
    else:
        used = parameter_names(name)
        missing = [p for p in used if p not in given]
        if missing:
            raise ValueError(f"the formula has a parameter {missing[0]!r}; give it a value: --set {missing[0]}=1.0")
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

"""The commands of ``chainrule``: what they are called, what they print and how they exit.

Exit status: 0 pass, 1 fail, 2 bad input, 3 inconclusive.
"""

import contextlib
import difflib
import functools
import inspect
import json
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.text import Text

import chainrule
from chainrule.base.errors import ChainruleError, InputError
from chainrule.base.where import line_of
from chainrule.cli.files import bind, load_function, load_point, running, title_of

EXIT_STATUS = {"pass": 0, "fail": 1, "inconclusive": 3}
BAD_INPUT = 2

app = typer.Typer(
    name="chainrule",
    help="Derivatives of the NumPy functions you already wrote: exact by the chain rule, "
    "checked by finite differences.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def run() -> None:
    """Run the command line; every known error ends as one message on stderr and exit status 2."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError):  # replaced by something simpler
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    app()


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"chainrule {chainrule.__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


@app.command()
def demo(
    picture: Annotated[
        Path, typer.Option(help="Where to write the picture (PNG, SVG or PDF).")
    ] = Path("chainrule-demo.png"),
    quick: Annotated[
        bool, typer.Option("--quick", help="A smaller network and fewer steps: a few seconds.")
    ] = False,
) -> None:
    """Differentiate, check and minimise a real objective: a network that reads digits."""
    from chainrule.cli.demo import show

    with reporting():
        show(Console(), picture, quick)


@app.command()
def check(
    function: Annotated[
        str,
        typer.Argument(metavar="FILE.py:function", help="A function whose value is one number."),
    ],
    at: Annotated[
        Path,
        typer.Option(
            metavar="POINT.npz",
            help="The arguments by name, from np.savez. Arrays named params.W, params.b, ... "
            "make a dictionary params.",
        ),
    ],
    grad: Annotated[
        str | None,
        typer.Option(
            metavar="FILE.py:gradient",
            help="Check this function, which claims to be the gradient; "
            "without it, the gradient that chainrule computes.",
        ),
    ] = None,
    wrt: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="The argument to differentiate; may be repeated. Default: the first.",
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the report as JSON, for programs.")
    ] = False,
) -> None:
    """Check a gradient against finite differences, at a point you give.

    Exit status: 0 pass, 1 fail, 3 inconclusive, 2 bad input.
    """
    with reporting():
        # what the user's code prints must not end up inside the JSON
        with contextlib.redirect_stdout(sys.stderr) if as_json else contextlib.nullcontext():
            report = _check(function, at, grad, wrt or [])
        if as_json:
            typer.echo(json.dumps(report.to_dict(), indent=2))
        else:
            Console().print(report)
        status = EXIT_STATUS[report.verdict]
    raise typer.Exit(status)


def _check(function: str, at: Path, grad: str | None, wrt: list[str]) -> Any:
    """The report on a gradient of ``function`` at the point in the file ``at``."""
    f = load_function(function)
    claim = None if grad is None else load_function(grad)
    point = load_point(at)
    call = bind(f, point, at)
    chosen = _positions(f, call, wrt)
    with running(f"{title_of(f)} at {at}", "The function must be defined at this point."):
        value = f(*call.args, **call.kwargs)
    _expect_scalar(f, value)
    if claim is not None:
        claim = _called_alike(claim, bind(claim, point, at), call)
        with running(f"{title_of(claim)} at {at}", "The gradient must be defined at this point."):
            claim(*call.args)
        remedy = "At the point itself all is well: the function must be defined near it too."
    else:
        remedy = "On plain arrays the same call works. Check a gradient of your own with --grad."
    if call.kwargs:
        f = functools.partial(f, **call.kwargs)
    with running(f"Checking {title_of(f)} around {at}", remedy):
        return chainrule.check(f, *call.args, grad=claim, wrt=chosen)


def _positions(f: Callable, call: inspect.BoundArguments, wrt: list[str]) -> int | tuple[int, ...]:
    """Where the arguments to differentiate are; the first one unless ``--wrt`` says otherwise."""
    names = list(call.arguments)[: len(call.args)]
    unknown = [name for name in wrt if name not in names]
    if unknown or not names:
        close = difflib.get_close_matches(unknown[0], names, 1) if unknown else []
        hint = f"Did you mean {close[0]!r}? " if close else ""
        what = f"--wrt {unknown[0]} names no" if unknown else "There is no"
        raise InputError(
            f"{what} argument of {title_of(f)} that the point gives a value by position.",
            f"{hint}Choose from {', '.join(names)}." if names else "Name an argument in the file.",
            at=None,
        )
    positions = tuple(names.index(name) for name in wrt)
    return positions if len(positions) > 1 else positions[0] if positions else 0


def _expect_scalar(f: Callable, value: Any) -> None:
    """Refuse what has no gradient, before anybody tries to compute one."""
    if np.ndim(value) == 0 and np.asarray(value).dtype.kind in "fiu":
        return
    if value is None or isinstance(value, (complex, np.complexfloating)):
        returned = "None" if value is None else "a complex number"
    elif np.ndim(value):
        returned = f"an array of shape {np.shape(value)}"
    else:
        returned = f"a {type(value).__name__}"
    what = f"{title_of(f)} returned {returned}; only one real number has a gradient."
    raise InputError(what, "Check a number made from it, such as its sum.", at=None)


def _called_alike(claim: Callable, own: inspect.BoundArguments, call: inspect.BoundArguments):
    """``claim`` as a function of the positional arguments of ``call``, in their order."""
    if list(own.arguments) == list(call.arguments) and not call.kwargs:
        return claim
    names = list(call.arguments)[: len(call.args)]

    @functools.wraps(claim)
    def claimed(*args: Any) -> Any:
        arguments = own.arguments | dict(zip(names, args))
        again = inspect.BoundArguments(own.signature, arguments)
        return claim(*again.args, **again.kwargs)

    return claimed


# --- errors and warnings, as one message each


@contextlib.contextmanager
def reporting() -> Iterator[None]:
    """Print what is known to go wrong, and each warning once, without any trace of our insides."""
    console = Console(stderr=True, soft_wrap=True)
    outside = _places_above()
    said = set()

    def say(kind: str, style: str, text: str) -> None:
        text = "\n".join(line for line in text.splitlines() if line.strip() not in outside)
        if text not in said:
            said.add(text)
            console.print(Text.assemble((f"{kind}: ", style), text))

    def warn(text, category, filename, lineno, file=None, line=None):
        say("Warning", "bold yellow", str(text))

    with warnings.catch_warnings():
        warnings.showwarning = warn
        try:
            yield
        except ChainruleError as error:
            say("Error", "bold red", str(error))
            raise typer.Exit(BAD_INPUT) from None


def _places_above() -> set[str]:
    """Where our callers are, as errors show it: the launcher and typer, not the user's code."""
    frame: FrameType | None = sys._getframe()
    places = set()
    while frame is not None:
        places.add(f"at {line_of(frame.f_code, frame.f_lasti)}")
        frame = frame.f_back
    return places

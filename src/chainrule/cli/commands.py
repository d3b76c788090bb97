"""The commands of ``chainrule``: what they are called, what they print and how they exit.

Exit status: 0 pass, 1 fail, 2 bad input, 3 inconclusive.
"""

import contextlib
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

import chainrule
from chainrule.base.errors import ChainruleError, InputError
from chainrule.base.where import line_of
from chainrule.cli.checking import Library, Question, answer

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


def _claim(what: str) -> Any:
    return typer.Option(metavar="FILE.py:f", help=f"Check this {what}.")


Wrt = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME", help="The argument to differentiate; may be repeated. Default: the first."
    ),
]
Vjp = Annotated[str | None, _claim("vjp(*args, g): cotangent of the argument")]
Jvp = Annotated[str | None, _claim("jvp(*args, v): tangent of the value")]
Jac = Annotated[str | None, _claim("jac(*args): Jacobian, dense or sparse")]
Hess = Annotated[str | None, _claim("hess(*args): Hessian")]
Hvp = Annotated[str | None, _claim("hvp(*args, v): Hessian times v")]


@app.command()
def check(
    function: Annotated[
        str,
        typer.Argument(
            metavar="FILE.py:function",
            help="A function of numbers and arrays, or a PyTorch module.",
        ),
    ],
    at: Annotated[
        Path | None,
        typer.Option(
            metavar="POINT.npz",
            help="The arguments by name, from np.savez (or JSON). Arrays named params.W, params.b, "
            "... make a dictionary params.",
        ),
    ] = None,
    grad: Annotated[
        str | None,
        typer.Option(
            metavar="FILE.py:gradient",
            help="Check this function, which claims to be the gradient; "
            "without it, the gradient that chainrule computes.",
        ),
    ] = None,
    vjp: Vjp = None,
    jvp: Jvp = None,
    jac: Jac = None,
    hess: Hess = None,
    hvp: Hvp = None,
    value_and_grad: Annotated[
        bool, typer.Option("--value-and-grad", help="The function gives (value, gradient).")
    ] = False,
    wrt: Wrt = None,
    random: Annotated[
        int,
        typer.Option(
            metavar="N", min=0, help="Check at N random points, too: around --at, or of --shape."
        ),
    ] = 0,
    shape: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=3,4", help="The shape of a random argument; may be repeated."),
    ] = None,
    library: Annotated[
        Library,
        typer.Option("--with", help="What the function computes with; modules are recognised."),
    ] = Library.numpy,
    seed: Annotated[int, typer.Option(help="Of random points and directions.", min=0)] = 0,
    tol: Annotated[float, typer.Option(help="Relative error that is tolerated.", min=0)] = 1e-6,
    seconds: Annotated[
        float | None, typer.Option(help="Stop after so long, with what is verified by then.", min=0)
    ] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="REPORT.html", help="Write the report with pictures.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the report as JSON, for programs.")
    ] = False,
) -> None:
    """Check a derivative against finite differences, at points you give or random ones.

    Exit status: 0 pass, 1 fail, 3 inconclusive, 2 bad input.
    """
    claims = {"grad": grad, "vjp": vjp, "jvp": jvp, "jac": jac, "hess": hess, "hvp": hvp}
    question = Question(
        function=function,
        at=at,
        claims={kind: claim for kind, claim in claims.items() if claim is not None},
        value_and_grad=value_and_grad,
        wrt=wrt or [],
        random=random,
        shapes=shape or [],
        library=library,
        seed=seed,
        tol=tol,
        seconds=seconds,
    )
    with reporting():
        # what the user's code prints must not end up inside the JSON
        with contextlib.redirect_stdout(sys.stderr) if as_json else contextlib.nullcontext():
            report = answer(question)
            if html is not None:
                _write(report, html)
        if as_json:
            typer.echo(report.to_json())
        else:
            Console().print(report)
        status = EXIT_STATUS[report.verdict]
    raise typer.Exit(status)


@app.command(
    epilog="Examples:\n\nchainrule explain model.py:loss --at point.npz --wrt params\n\n"
    "chainrule explain model.py:loss --at point.npz --html page.html\n\n"
    "chainrule explain model.py:loss --at point.npz --latex > loss.tex",
)
def explain(
    function: Annotated[
        str, typer.Argument(metavar="FILE.py:function", help="A function with a number as result.")
    ],
    at: Annotated[
        Path,
        typer.Option(
            metavar="POINT.npz",
            help="The arguments by name, from np.savez (or JSON), as for check.",
        ),
    ],
    wrt: Wrt = None,
    html: Annotated[
        Path | None,
        typer.Option(metavar="PAGE.html", help="Write a page to step through in a browser."),
    ] = None,
    picture: Annotated[
        Path | None, typer.Option(metavar="GRAPH.svg", help="Write the computation graph.")
    ] = None,
    latex: Annotated[bool, typer.Option("--latex", help="Print LaTeX, for an article.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print a Markdown page.")] = False,
    source: Annotated[
        bool, typer.Option("--source", help="Print the gradient as NumPy code that runs.")
    ] = False,
) -> None:
    """Show the derivation of a gradient: the function's statements, then the chain rule back."""
    from chainrule.cli.explaining import Forms, show

    with reporting():
        show(function, at, wrt or [], Forms(html, picture, latex, markdown, source))


def _write(report: Any, path: Path) -> None:
    try:
        report.to_html(path)
    except OSError as error:
        what = f"The page cannot be written: {error}"
        raise InputError(what, "Name a file in a folder that exists.", at=None) from error


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

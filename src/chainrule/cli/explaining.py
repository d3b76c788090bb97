"""``chainrule explain``: from the words of the command line to a derivation in some form."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import typer
from rich.console import Console

import chainrule
from chainrule.base.errors import InputError
from chainrule.cli.checking import positions
from chainrule.cli.files import bind, load_function, load_point, running, title_of


@dataclass(frozen=True)
class Forms:
    """What was asked for; at most one, else the text."""

    html: Path | None = None
    picture: Path | None = None
    latex: bool = False
    markdown: bool = False
    source: bool = False

    @property
    def chosen(self) -> list[str]:
        return [f"--{name}" for name, wanted in vars(self).items() if wanted]


def show(function: str, at: Path, wrt: list[str], forms: Forms) -> None:
    """Print the derivation, or write it to a file and say where."""
    if len(forms.chosen) > 1:
        what = f"{' and '.join(forms.chosen)} are different forms of one thing."
        raise InputError(what, "Give one of them.", at=None)
    for path in (forms.html, forms.picture):
        if path is not None:
            _expect_folder(path)
    if forms.picture is not None and forms.picture.suffix.lower() != ".svg":
        remedy = f"Name a file ending in .svg, such as {forms.picture.stem}.svg."
        raise InputError(f"{forms.picture} is no SVG file.", remedy, at=None)
    f = load_function(function)
    call = bind(f, load_point(at), at)
    chosen = positions(f, call, wrt)
    with running(f"{title_of(f)} at {at}", "The function must be defined at this point."):
        value = f(*call.args, **call.kwargs)
    if np.ndim(value):
        what = f"{title_of(f)} returned an array of shape {np.shape(value)}."
        remedy = "Only a number has a gradient: explain one made from it, such as its sum."
        raise InputError(what, remedy, at=None)
    if forms.source:
        typer.echo(chainrule.source(f, *call.args, wrt=chosen, **call.kwargs), nl=False)
        return
    derivation = chainrule.explain(f, *call.args, wrt=chosen, **call.kwargs)
    _deliver(derivation, forms)


def _deliver(d: Any, forms: Forms) -> None:
    if forms.html is not None:
        with running(f"Writing {forms.html}", "Name a file in a folder that can be written to."):
            d.html(forms.html)
        typer.echo(f"Wrote {forms.html}: open it in a browser.")
    elif forms.picture is not None:
        with running(f"Writing {forms.picture}", "Name a file in a folder that can be written to."):
            d.picture().save(forms.picture)
        typer.echo(f"Wrote {forms.picture}.")
    elif forms.latex:
        typer.echo(d.latex(), nl=False)
    elif forms.markdown:
        typer.echo(d.markdown(), nl=False)
    elif sys.stdout.isatty():
        Console().print(d)
    else:  # whole lines, whatever their width
        typer.echo(str(d))


def _expect_folder(path: Path) -> None:
    if not path.parent.is_dir():
        what = f"There is no folder {path.parent}."
        raise InputError(what, "Name a file in a folder that exists.", at=None)

"""``chainrule check``: from the words of the command line to a report."""

import difflib
import functools
import inspect
import shlex
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np

import chainrule
from chainrule.base import tree
from chainrule.base.errors import InputError
from chainrule.checker.report import Report, merged
from chainrule.cli.files import bind, load_function, load_point, running, title_of
from chainrule.testing.places import near


class Library(StrEnum):
    """What the function under test computes with."""

    numpy = "numpy"
    torch = "torch"
    jax = "jax"


@dataclass(frozen=True)
class Question:
    """One run of the command, in the user's words."""

    function: str
    at: Path | None
    claims: dict[str, str]
    value_and_grad: bool
    wrt: list[str]
    random: int
    shapes: list[str]
    library: Library
    seed: int
    tol: float
    seconds: float | None

    @property
    def options(self) -> dict[str, Any]:
        return {"seed": self.seed, "tol": self.tol, "seconds": self.seconds}

    def __str__(self) -> str:
        """The command that asks it again."""
        words = ["chainrule", "check", self.function]
        words += ["--at", str(self.at)] if self.at is not None else []
        for kind, claim in self.claims.items():
            words += [f"--{kind}", claim]
        words += ["--value-and-grad"] if self.value_and_grad else []
        for option, values in (("--wrt", self.wrt), ("--shape", self.shapes)):
            for value in values:
                words += [option, value]
        words += ["--random", str(self.random)] if self.random else []
        words += ["--with", self.library] if self.library != Library.numpy else []
        words += ["--tol", f"{self.tol:g}"] if self.tol != 1e-6 else []
        return shlex.join([*words, "--seed", str(self.seed)])


def answer(question: Question) -> Report:
    """The report, of all points together."""
    f = load_function(question.function)
    reports = [_at_point(question, f, point, where) for point, where in _points(question, f)]
    report = reports[0] if len(reports) == 1 else merged("points", reports)
    return replace(report, reproduce=str(question))


# --- points

Where = Any  # a path, or words, for messages


def _points(question: Question, f: Callable) -> Iterator[tuple[dict[str, Any], Where]]:
    """The points to check at, and what to call each."""
    rng = np.random.default_rng(question.seed)
    if question.at is not None:
        if question.shapes:
            what = "--shape describes random arguments, and --at gives them."
            raise InputError(what, "Give one of the two.", at=None)
        point = load_point(question.at)
        yield point, question.at
        moved = set(question.wrt) or set(list(_parameters(f))[:1]) or set(point)
        for k in range(question.random):
            there = {n: near(v, rng) if n in moved else v for n, v in point.items()}
            yield there, f"random point {k + 1} around {question.at}"
        return
    if not question.random:
        what = "There is no point to check at."
        remedy = "Give --at POINT.npz, or --random 3 --shape NAME=4,2 for random ones."
        raise InputError(what, remedy, at=None)
    shapes = _shapes(question, f)
    for k in range(question.random):
        point = {name: rng.standard_normal(shape)[()] for name, shape in shapes.items()}
        yield point, f"random point {k + 1}"


def _parameters(f: Callable) -> dict[str, inspect.Parameter]:
    try:
        return dict(inspect.signature(f).parameters)
    except (ValueError, TypeError):
        return {}


def _shapes(question: Question, f: Callable) -> dict[str, tuple[int, ...]]:
    parameters = _parameters(_forward(f))
    needed = [n for n, p in parameters.items() if p.default is p.empty and p.kind < 2]
    shapes = {}
    for text in question.shapes:
        name, equals, numbers = text.rpartition("=")
        if not equals and len(needed) == 1:
            name = needed[0]
        if not name:
            what = f"--shape {text} does not say which argument it is of."
            raise InputError(what, f"Write NAME={text}.", at=None)
        try:
            shapes[name] = tuple(int(n) for n in numbers.strip("()").split(",") if n.strip())
        except ValueError:
            what = f"--shape {text} is no shape."
            raise InputError(what, f"Write it like {name}=3,4.", at=None) from None
        if any(n < 0 for n in shapes[name]):
            raise InputError(f"--shape {text} is negative.", "Give lengths.", at=None)
    missing = [name for name in needed if name not in shapes]
    if missing:
        what = f"{title_of(f)} needs {', '.join(missing)}, and no --shape says how large."
        raise InputError(what, f"Add --shape {missing[0]}=3,4.", at=None)
    return shapes


# --- one point


def _at_point(question: Question, f: Callable, point: dict[str, Any], where: Where) -> Report:
    if _is_module(f) or question.library == Library.torch:
        report = _by_torch(question, f, point, where)
    elif question.library == Library.jax:
        report = _by_jax(question, f, point, where)
    else:
        report = _by_numpy(question, f, point, where)
    return replace(report, kind=str(where))


def _by_numpy(question: Question, f: Callable, point: dict[str, Any], where: Where) -> Report:
    loaded = {kind: load_function(claim) for kind, claim in question.claims.items()}
    call = bind(f, point, where)
    chosen = positions(f, call, question.wrt)
    with running(f"{title_of(f)} at {where}", "The function must be defined at this point."):
        value = f(*call.args, **call.kwargs)
    wants_scalar = not set(loaded) & {"vjp", "jvp", "jac"}
    if wants_scalar and not question.value_and_grad:
        _expect_scalar(f, value)
    claims: dict[str, Any] = {}
    for kind, claim in loaded.items():
        claims[kind] = _called_alike(claim, bind_claim(kind, claim, point, where), call, kind)
    if "grad" in claims:
        claim = claims["grad"]
        with running(f"{title_of(claim)} at {where}", "The gradient must be defined there."):
            claim(*call.args)
    if question.value_and_grad:
        claims["grad"] = True
    remedy = "At the point itself all is well: the function must be defined near it too."
    if not claims:
        remedy = "On plain arrays the same call works. Check a gradient of your own with --grad."
    if call.kwargs:
        f = functools.partial(f, **call.kwargs)
    with running(f"Checking {title_of(f)} around {where}", remedy):
        return chainrule.check(f, *call.args, **claims, wrt=chosen, **question.options)


_WITH_VECTOR = ("vjp", "jvp", "hvp")


def bind_claim(
    kind: str, claim: Callable, point: dict[str, Any], where: Where
) -> inspect.BoundArguments | None:
    """The call of a claim; None for those that take a vector last: they are called as f is."""
    return None if kind in _WITH_VECTOR else bind(claim, point, where)


def positions(f: Callable, call: inspect.BoundArguments, wrt: list[str]) -> int | tuple[int, ...]:
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
    is_pair = isinstance(value, tuple)
    if not is_pair and np.ndim(value) == 0 and np.asarray(value).dtype.kind in "fiu":
        return
    remedy = "Check a number made from it, such as its sum."
    if value is None or isinstance(value, (complex, np.complexfloating)):
        returned = "None" if value is None else "a complex number"
    elif is_pair:
        returned, remedy = "a tuple", "If it is (value, gradient), add --value-and-grad."
    elif np.ndim(value):
        returned = f"an array of shape {np.shape(value)}"
        remedy += " Or check its Jacobian with --jac, --vjp or --jvp."
    else:
        returned = f"a {type(value).__name__}"
    what = f"{title_of(f)} returned {returned}; only one real number has a gradient."
    raise InputError(what, remedy, at=None)


def _called_alike(
    claim: Callable,
    own: inspect.BoundArguments | None,
    call: inspect.BoundArguments,
    kind: str,
) -> Callable:
    """``claim`` as a function of the positional arguments of ``call``, in their order."""
    if own is None:
        return claim
    if list(own.arguments) == list(call.arguments) and not call.kwargs:
        return claim
    names = list(call.arguments)[: len(call.args)]

    @functools.wraps(claim)
    def claimed(*args: Any) -> Any:
        arguments = own.arguments | dict(zip(names, args))
        again = inspect.BoundArguments(own.signature, arguments)
        return claim(*again.args, **again.kwargs)

    return claimed


# --- other libraries


def _is_module(f: Any) -> bool:
    """Whether it is a PyTorch module, or a class of them; PyTorch is not imported to find out."""
    torch = sys.modules.get("torch")
    if torch is None:
        return False
    kinds = (torch.nn.Module, torch.autograd.Function)
    return isinstance(f, kinds) or (isinstance(f, type) and issubclass(f, kinds))


def _forward(f: Any) -> Any:
    """What has the parameters that the point gives: ``forward`` of a module."""
    if _is_module(f):
        f = f.forward
    return f


def _by_torch(question: Question, f: Any, point: dict[str, Any], where: Where) -> Report:
    _refuse_claims(question, "PyTorch")
    if isinstance(f, type) and _is_module(f) and not hasattr(f, "apply"):
        f = f()
    elif isinstance(f, type) and issubclass(f, sys.modules["torch"].nn.Module):
        with running(f"Making {f.__name__}()", "Name an instance in the file, not its class."):
            f = f()
    call = bind(_without_ctx(f), point, where)
    inputs = [_tensors(value) for value in call.args]
    wrt = tuple(question.wrt) or None
    with running(f"Checking {title_of(f)} at {where}", "It must run in float64 on the CPU."):
        return chainrule.check_torch(f, *inputs, wrt=wrt, **question.options)


def _without_ctx(f: Any) -> Callable:
    """A callable with the parameters of the forward pass."""
    forward = _forward(f)
    if isinstance(f, type):  # autograd.Function: forward(ctx, x, ...)
        names = list(inspect.signature(forward).parameters.values())[1:]
        wrapper = lambda *args: None
        wrapper.__signature__ = inspect.Signature(names)  # type: ignore[attr-defined]
        wrapper.__name__ = f.__name__
        return wrapper
    return forward


def _tensors(value: Any) -> Any:
    import torch

    convert = lambda leaf: (
        torch.as_tensor(np.array(leaf)) if isinstance(leaf, (np.ndarray, np.generic)) else leaf
    )
    return tree.map(convert, value)


def _by_jax(question: Question, f: Callable, point: dict[str, Any], where: Where) -> Report:
    _refuse_claims(question, "JAX")
    call = bind(f, point, where)
    wrt = None if not question.wrt else positions(f, call, question.wrt)
    with running(f"Checking {title_of(f)} at {where}", "It must run in float64 on the CPU."):
        return chainrule.check_jax(f, *call.args, wrt=wrt, **question.options)


def _refuse_claims(question: Question, library: str) -> None:
    if question.claims or question.value_and_grad:
        what = f"What is claimed is what {library} computes: no other function can be given."
        raise InputError(what, "Leave out --grad and its like.", at=None)

"""``source``: a derivative as a Python file that needs NumPy only, with its own test.

The engine's sweeps run once with a ``Log`` below them, which notes every NumPy call they make
(``noted``, ``log``). Writes become values (``versions``), fewer calls do (``simplify``), those
that repeat become loops (``rolling``), and what is left is written down (``writing``,
``statements``, ``loops``) as the body of a function (``body``) in a file (``source_file``), which
is run once.
"""

from collections.abc import Callable
from typing import Any

from chainrule.base.errors import ArgumentError, ChainruleError, ProgramError
from chainrule.explainer.body import OF, Body, title_of
from chainrule.explainer.noting import Derivative, note
from chainrule.explainer.source_file import assemble

LIMIT = 2000


def source(
    f: Callable,
    *args: Any,
    wrt: Any = 0,
    kind: str = "numpy",
    of: str = "grad",
    simplify: bool = True,
    limit: int = LIMIT,
    lift: bool = True,
    **kwargs: Any,
) -> str:
    """A derivative of ``f`` as the text of a Python file that imports NumPy only.

    of : "grad" (value and gradient), "value", "jvp" (value and derivative along a tangent), "hvp"
    (gradient and Hessian times a vector) or "jacobian" (value and Jacobian). wrt : as for ``grad``.
    The file holds for arguments of these shapes that take the same branches: it checks both and
    raises ValueError. Run as a program it tests itself. ``simplify=False`` keeps every operation of
    the sweep, and its result to the last bit.
    Raises ProgramError for what cannot be written down, with the statement, and for more than
    ``limit`` operations that do not repeat.

    >>> text = source(lambda x: np.sum(np.sin(x)), np.ones(3))
    >>> print("\\n".join(line for line in text.splitlines() if "np.cos(x)" in line))
        x_bar = np.cos(x)
    """
    if kind != "numpy" or of not in OF:
        raise ArgumentError(
            f"source has no kind={kind!r} of {of!r}",
            f"kind is 'numpy'; of is one of {', '.join(map(repr, OF))}.",
        )
    found = noted(f, args, kwargs, wrt, "vjp" if of == "jacobian" else of, lift)
    return assemble(Body(f, found, of, simplify, limit))


def noted(f: Any, args: tuple, kwargs: dict, wrt: Any, of: str, lift: bool) -> Derivative:
    """The calls; where data that is not differentiated is used in a way that cannot be followed,
    once more with that data fixed."""
    try:
        return note(f, args, kwargs, wrt, of, lift)
    except ArgumentError:
        raise
    except Exception as first:
        try:
            return note(f, args, kwargs, wrt, of, lift, fixed=True)
        except Exception:
            if isinstance(first, ChainruleError):
                raise first from None
        f(*args, **kwargs)  # if it is the function's own error, let it say so
        raise ProgramError(
            f"{title_of(f)} cannot be written as NumPy calls ({type(first).__name__}: {first})",
            "Use NumPy functions on the arguments, or export a part of the function.",
        ) from first

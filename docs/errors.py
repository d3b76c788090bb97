"""Writes docs/errors.md: every trap, run for real, with the message a user sees.

``python docs/errors.py`` rewrites the page; a test compares it with what the code says now.
"""

import sys
import tempfile
import warnings
from pathlib import Path

import chainrule as cr

HEAD = """# Error messages

What each trap says, made by running the code (`python docs/errors.py`). A message says what
happened, names your line, and says what to do. Nothing here is silent: a derivative that would be
lost is an error that is raised even if something in between swallowed it.
"""

TRAPS = [
    (
        "The value is not a scalar",
        """
def f(x):
    return x ** 2

cr.grad(f)(np.array([1.0, 2.0]))
""",
    ),
    (
        "The value does not depend on the argument (a warning; the gradient is zero)",
        """
def f(x):
    y = np.sin(x)
    return np.sum(np.sign(x))

cr.grad(f)(np.array([1.0, 2.0]))
""",
    ),
    (
        "The gradient is not finite (a warning)",
        """
cr.grad(np.sqrt)(0.0)
""",
    ),
    (
        "wrt names no argument",
        """
def loss(weights, data):
    return np.sum(weights * data)

cr.grad(loss, wrt="wieghts")(np.ones(2), np.ones(2))
""",
    ),
    (
        "An argument that is not made of numbers",
        """
def loss(params):
    return np.sum(params["w"])

cr.grad(loss)({"w": np.ones(2), "name": "model 3"})
""",
    ),
    (
        "A tangent of the wrong shape",
        """
cr.jvp(np.sin, (np.ones(3),), (np.ones(2),))
""",
    ),
    (
        "An operation without a rule",
        """
import scipy.special

def f(x):
    return scipy.special.mathieu_a(1, x)

cr.grad(f)(0.5)
""",
    ),
    (
        "A traced value stored into integers",
        """
def f(x):
    counts = np.zeros(3, dtype=int)
    counts[0] = x[0]
    return counts.sum() * x[1]

cr.grad(f)(np.ones(3))
""",
    ),
    (
        "A conversion that lifting cannot reach (lift=False)",
        """
def f(x):
    return math.sin(x[0])

cr.grad(f, lift=False)(np.ones(3))
""",
    ),
    (
        "An assignment into a plain array (lift=False)",
        """
def f(x):
    out = np.zeros(3)
    out[0] = x[0] ** 2
    return out.sum()

cr.grad(f, lift=False)(np.ones(3))
""",
    ),
    (
        "A library that needs plain numbers",
        """
from scipy.interpolate import CubicSpline

def f(x):
    spline = CubicSpline(np.arange(4.0), x)
    return spline(1.5)

cr.grad(f)(np.ones(4))
""",
    ),
    (
        "A library in C that calls your function back",
        """
from scipy.optimize import brentq

def f(x):
    return brentq(lambda y: y**3 - x, 0.0, 2.0)

cr.grad(f)(1.5)
""",
    ),
    (
        "Text that is read back",
        """
def f(x):
    rounded = float(f"{x:.2f}")
    return x * rounded

cr.grad(f)(0.5)
""",
    ),
    (
        "A file that is read back",
        """
import io

def f(x):
    file = io.BytesIO()
    np.save(file, x)
    file.seek(0)
    return np.sum(np.load(file))

cr.grad(f)(np.ones(3))
""",
    ),
    (
        "A traced number as the key of a table",
        """
TABLE = {0.3: 5.0}

def f(x):
    return TABLE.get(x[0], 1.0) * x[1]

cr.grad(f)(np.array([0.3, 0.7]))
""",
    ),
    (
        "The same array under two names, and written",
        """
def f(x, y):
    x *= 2
    return np.sum(x * y)

a = np.ones(3)
cr.grad(f)(a, a)
""",
    ),
    (
        "An array that computes otherwise",
        """
KNOWN = np.ma.array([1.0, 2.0, 3.0], mask=[False, True, False])

def f(x):
    return np.sum(x * KNOWN)

cr.grad(f)(np.ones(3))
""",
    ),
    (
        "A way to the numbers in memory",
        """
def f(x):
    return x.ctypes.data

cr.grad(f)(np.ones(3))
""",
    ),
    (
        "Memory handed out before a traced write",
        """
def f(x):
    work = np.zeros(3)
    masked = np.ma.array(work, mask=[0, 0, 1])
    work[:] = x**2
    return masked.sum()

cr.grad(f)(np.ones(3))
""",
    ),
    (
        "Another thread",
        """
import threading

def f(x):
    results = [0.0]

    def work():
        try:
            results.append(np.sin(x[0]))
        except Exception:
            pass

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return np.sum(x) + results[-1]

cr.grad(f)(np.ones(3))
""",
    ),
    (
        "A refusal that something swallowed",
        """
def f(x):
    try:
        return float(np.array(x, dtype=object)[0])
    except Exception:
        return np.sum(x)

cr.grad(f)(np.ones(4))
""",
    ),
    (
        "A traced value kept from an earlier trace",
        """
kept = []

def f(x):
    kept.append(x[0] * 2)
    return np.sum(x)

def g(x):
    cr.grad(f)(x)
    return kept[0] * x[0]

cr.grad(lambda x: cr.grad(g)(x)[0])(np.ones(2))
""",
    ),
    (
        "A bad index, exactly as in NumPy",
        """
def f(x):
    return x[5]

cr.grad(f)(np.ones(3))
""",
    ),
]


def message(code: str) -> str:
    """The warning or error of the code, as it stands in a file called model.py."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.py"
        file.write_text(code)
        namespace = {"__name__": "model"}
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                exec("import math\nimport numpy as np\nimport chainrule as cr", namespace)
                exec(compile(code, str(file), "exec"), namespace)
            except Exception as error:
                return f"{type(error).__name__}: {error}"
        for warning in caught:
            if issubclass(warning.category, (cr.IndependentOutputWarning, RuntimeWarning)):
                return f"{warning.category.__name__}: {warning.message}"
    raise AssertionError(f"no message from\n{code}")


def page() -> str:
    parts = [HEAD]
    for title, code in TRAPS:
        source = code.strip("\n")
        parts.append(f"## {title}\n\n```text\n{source}\n```\n\n```text\n{message(source)}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    target = Path(__file__).with_name("errors.md")
    target.write_text(page())
    print(f"wrote {target.name}", file=sys.stderr)

"""The shapes that the symbols of a formula must have, as lengths n, d, k, ... of their axes.

Each symbol may have one of several numbers of axes: two if its name is a capital letter, one or
none otherwise, others only where nothing else fits. For each choice the formula says which lengths
are equal (a product of matrices contracts, operands match or are repeated). The simplest choice
that fits is taken: that with the fewest unusual symbols, repetitions and square matrices.
"""

import ast
import itertools
from collections.abc import Callable, Mapping, Sequence

from chainrule.base.errors import InputError
from chainrule.explainer.latex_names import is_greek
from chainrule.explainer.symbolic_text import (
    ALIKE,
    CONSTANTS,
    ELEMENTWISE,
    REDUCTIONS,
    Formula,
    function_name,
)

Length = tuple[int, int]  # a class of equal lengths, and how much is added to it
Shape = tuple[Length, ...] | None  # None: anything

LETTERS = "n d k m p q r s l c".split()
REPEATED, SQUARE = 1, 2  # what a repetition or a square matrix costs


class Misfit(Exception):
    """The shapes do not fit; the message says where."""


class Lengths:
    """Which lengths are equal, up to a constant; a length may be a known number."""

    def __init__(self) -> None:
        self.parent: list[Length] = []
        self.number: list[int | None] = []
        self.repetitions = 0

    def new(self, number: int | None = None) -> Length:
        self.parent.append((len(self.parent), 0))
        self.number.append(number)
        return len(self.parent) - 1, 0

    def find(self, a: Length) -> Length:
        k, added = a
        while self.parent[k][0] != k:
            added += self.parent[k][1]
            k = self.parent[k][0]
        return k, added

    def known(self, a: Length) -> int | None:
        k, added = self.find(a)
        number = self.number[k]
        return None if number is None else number + added

    def unify(self, a: Length, b: Length, where: ast.AST) -> Length:
        (i, more_i), (j, more_j) = self.find(a), self.find(b)
        first, second = self.known(a), self.known(b)
        if first is not None and second is not None:
            if first != second:
                raise Misfit(f"lengths {first} and {second} meet in {ast.unparse(where)}")
        elif i == j:
            if more_i != more_j:
                raise Misfit(f"different lengths meet in {ast.unparse(where)}")
        elif first is not None:  # the number stays the root
            self.parent[j] = (i, more_i - more_j)
        else:
            self.parent[i] = (j, more_j - more_i)
        return a


Symbols = Mapping[str, Shape]


class Inference:
    """The shape of an expression whose symbols have given shapes."""

    def __init__(self, lengths: Lengths, shapes: dict[str, Shape]):
        self.lengths = lengths
        self.shapes = shapes

    def of(self, node: ast.AST) -> Shape:
        method: Callable[[ast.AST], Shape] | None
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        return method(node) if method is not None else None

    def _name(self, node: ast.Name) -> Shape:
        return () if node.id in CONSTANTS else self.shapes[node.id]

    def _constant(self, node: ast.Constant) -> Shape:
        return ()

    def _unaryop(self, node: ast.UnaryOp) -> Shape:
        return self.of(node.operand)

    def _compare(self, node: ast.Compare) -> Shape:
        return self._together([node.left, *node.comparators], node)

    def _binop(self, node: ast.BinOp) -> Shape:
        if isinstance(node.op, ast.MatMult):
            return self._product(node.left, node.right, node)
        return self._together([node.left, node.right], node)

    def _together(self, operands: Sequence[ast.AST], node: ast.AST) -> Shape:
        """Operands that match element by element, or are repeated."""
        shapes = [self.of(x) for x in operands]
        known = [s for s in shapes if s is not None]
        rank = max(map(len, known), default=0)
        if len(known) < len(shapes):
            return None
        self.lengths.repetitions += sum(0 < len(s) < rank for s in known)
        found: list[Length] = []
        for axis in range(-rank, 0):
            here = [s[axis] for s in known if len(s) >= -axis]
            wide = [a for a in here if self.lengths.known(a) != 1] or here[:1]
            for a in wide[1:]:
                self.lengths.unify(wide[0], a, node)
            found.append(wide[0])
        return tuple(found)

    def _product(self, left: ast.AST, right: ast.AST, node: ast.AST) -> Shape:
        a, b = self.of(left), self.of(right)
        if a is None or b is None:
            return None
        if not a or not b:
            raise Misfit(f"{ast.unparse(node)} is a product of matrices or vectors, not of numbers")
        inner = b[0] if len(b) == 1 else b[-2]
        self.lengths.unify(a[-1], inner, node)
        return (*a[:-1], *b[:-2], *b[-1:]) if len(b) > 1 else a[:-1]

    def _attribute(self, node: ast.Attribute) -> Shape:
        if node.attr in ("shape", "size", "ndim", "pi"):
            return ()
        shape = self.of(node.value)
        return shape[::-1] if node.attr == "T" and shape is not None else shape

    def _subscript(self, node: ast.Subscript) -> Shape:
        shape = self.of(node.value)
        if shape is None or (isinstance(node.value, ast.Attribute) and node.value.attr == "shape"):
            return () if shape is not None else None
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        left, found = list(shape), []
        for k, part in enumerate(parts):
            if isinstance(part, ast.Constant) and part.value is None:
                found.append(self.lengths.new(1))
            elif isinstance(part, ast.Constant) and part.value is ...:
                after = sum(
                    not (isinstance(p, ast.Constant) and p.value is None) for p in parts[k + 1 :]
                )
                while len(left) > after:
                    found.append(left.pop(0))
            elif not left:
                raise Misfit(f"{ast.unparse(node)} has more indices than axes")
            elif isinstance(part, ast.Slice):
                found.append(self._slice(left.pop(0), part))
            else:
                left.pop(0)
                inner = self.of(part)
                if inner is None:
                    return None
                found += inner
        return (*found, *left)

    def _slice(self, length: Length, part: ast.Slice) -> Length:
        ends = [0 if x is None else _integer(x) for x in (part.lower, part.upper)]
        if part.step is not None or None in ends:
            return self.lengths.new()
        start, stop = ends
        assert start is not None and stop is not None
        if start >= 0 and stop <= 0:
            return length[0], length[1] + stop - start
        return self.lengths.new(stop - start) if start >= 0 else self.lengths.new()

    # -- functions

    def _call(self, node: ast.Call) -> Shape:
        name = function_name(node.func)
        operands: list[ast.expr] = list(node.args)
        if name is None and isinstance(node.func, ast.Attribute):
            name, operands = node.func.attr, [node.func.value, *operands]
        if name in REDUCTIONS or name in ("logsumexp", "norm"):
            return self._reduced(operands[0], node)
        if name in ("len", "det"):
            return self._square(operands[0], node) if name == "det" else ()
        if name in ("trace", "slogdet"):
            self._square(operands[0], node)
            return () if name == "trace" else None
        if name in ("inv", "cholesky"):
            shape = self.of(operands[0])
            self._square(operands[0], node)
            return shape
        if name == "solve":
            return self._solved(operands[0], operands[1], node)
        if name in ("dot", "matmul", "inner", "vdot"):
            a, b = (self.of(x) for x in operands[:2])
            if name == "dot" and (a == () or b == ()):
                return self._together(operands[:2], node)
            if name in ("inner", "vdot") and None not in (a, b) and len(a or ()) != 1:
                return None
            return self._product(operands[0], operands[1], node)
        if name == "outer":
            a, b = (self.of(x) for x in operands[:2])
            return None if a is None or b is None or len(a) != 1 or len(b) != 1 else (*a, *b)
        if name == "transpose" and len(operands) == 1:
            shape = self.of(operands[0])
            return None if shape is None else shape[::-1]
        if name == "diag":
            shape = self.of(operands[0])
            return None if shape is None else shape[:1] * (2 if len(shape) == 1 else 1)
        if name == "eye":
            number = _integer(operands[0])
            length = self.lengths.new(number)
            return (length, length)
        if name in ALIKE or name in ("softmax", "log_softmax"):
            return self.of(operands[0])
        if name in ELEMENTWISE or name in _SPECIAL_ELEMENTWISE:
            return self._together(operands, node)
        for x in operands:
            self.of(x)
        return None

    def _reduced(self, operand: ast.expr, node: ast.Call) -> Shape:
        shape = self.of(operand)
        words = {k.arg: k.value for k in node.keywords}
        if "axis" not in words:
            return ()
        if shape is None:
            return None
        axis = words["axis"]
        parts = axis.elts if isinstance(axis, ast.Tuple) else [axis]
        axes = {_integer(x) for x in parts}
        if any(a is None or not -len(shape) <= a < len(shape) for a in axes):
            raise Misfit(f"{ast.unparse(node)} names an axis that is not there")
        axes = {a % len(shape) for a in axes if a is not None}
        keeps = isinstance(k := words.get("keepdims"), ast.Constant) and bool(k.value)
        if keeps:
            return tuple(self.lengths.new(1) if i in axes else a for i, a in enumerate(shape))
        return tuple(a for i, a in enumerate(shape) if i not in axes)

    def _square(self, operand: ast.expr, node: ast.AST) -> Shape:
        shape = self.of(operand)
        if shape is None:
            return None
        if len(shape) != 2:
            raise Misfit(f"{ast.unparse(node)} needs a matrix")
        self.lengths.unify(shape[0], shape[1], node)
        return ()

    def _solved(self, left: ast.expr, right: ast.expr, node: ast.AST) -> Shape:
        self._square(left, node)
        a, b = self.of(left), self.of(right)
        if a is None or b is None:
            return None
        if not b:
            raise Misfit(f"{ast.unparse(node)} needs a vector or matrix on the right")
        self.lengths.unify(a[0], b[0], node)
        return b


_SPECIAL_ELEMENTWISE = frozenset(
    "digamma erf erfc expit gammaln i0 i1 j0 j1 log_expit log_ndtr logit ndtr psi xlog1py "
    "xlogy".split()
)


def _integer(node: ast.AST) -> int | None:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _integer(node.operand)
        return None if inner is None else -inner
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return int(node.value)
    return None


# ---------------------------------------------------------------- the simplest choice


def choose(
    formula: Formula, given: Mapping[str, tuple[str | int, ...]]
) -> tuple[dict[str, tuple[Length, ...]], Lengths, dict[int, str]]:
    """(lengths of each symbol's axes, which are equal, the letters given to them by the user)."""
    options = [
        [(0, len(given[name]))] if name in given else _ranks(name) for name in formula.symbols
    ]
    choices = sorted(itertools.product(*options), key=lambda c: sum(cost for cost, _ in c))
    best: tuple[float, int, dict, Lengths, dict] | None = None
    first: Misfit | None = None
    for count, choice in enumerate(choices[:5000]):
        cost = sum(c for c, _ in choice)
        if best is not None and cost >= best[0]:
            break
        ranks = {name: rank for name, (_, rank) in zip(formula.symbols, choice)}
        try:
            shapes, lengths, letters = _fit(formula, ranks, given)
        except Misfit as misfit:
            first = first or misfit
            continue
        total = cost + REPEATED * lengths.repetitions + SQUARE * _squares(shapes, lengths)
        if best is None or total < best[0]:
            best = (total, count, shapes, lengths, letters)
    if best is None:
        remedy = 'Say which shapes are meant: shapes={"X": "n,d", "w": "d", "y": "n"}.'
        raise InputError(f"No shapes fit the formula: {first}.", remedy, at=None)
    return best[2], best[3], best[4]


def _ranks(name: str) -> list[tuple[int, int]]:
    """(cost, number of axes) for a symbol: capital letters are matrices."""
    if name[0].isupper():
        return [(0, 2), (3, 1), (5, 0)]
    if is_greek(name):
        return [(0, 0), (1, 1), (4, 2)]
    return [(0, 1), (1, 0), (3, 2)]


def _fit(
    formula: Formula, ranks: Mapping[str, int], given: Mapping[str, tuple[str | int, ...]]
) -> tuple[dict[str, tuple[Length, ...]], Lengths, dict[int, str]]:
    lengths = Lengths()
    named: dict[str, Length] = {}
    shapes: dict[str, tuple[Length, ...]] = {}
    for name, rank in ranks.items():
        words: Sequence[str | int | None] = given.get(name, (None,) * rank)
        axes = []
        for word in words:
            if isinstance(word, str):
                axes.append(named[word] if word in named else named.setdefault(word, lengths.new()))
            else:
                axes.append(lengths.new(word))
        shapes[name] = tuple(axes)
    inference = Inference(lengths, dict(shapes))
    for name, value in formula.assignments:
        inference.shapes[name] = inference.of(value)
    result = inference.of(formula.result)
    if result is not None and any(lengths.known(a) != 1 for a in result):
        raise Misfit(f"{ast.unparse(formula.result)} is not a number")
    roots: dict[int, str] = {}
    for word, length in named.items():
        k, added = lengths.find(length)
        if lengths.known(length) is None:
            if added or roots.setdefault(k, word) != word:
                raise Misfit(f"{word} and {roots.get(k)} must be equal")
    return shapes, lengths, roots


def _squares(shapes: Mapping[str, tuple[Length, ...]], lengths: Lengths) -> int:
    found = 0
    for shape in shapes.values():
        roots = [lengths.find(a)[0] for a in shape]
        found += len(roots) - len(set(roots))
    return found

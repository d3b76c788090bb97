"""Trees of arguments: dict, list, tuple, namedtuple, None, dataclasses, ... with arrays as leaves.

optree does the work. What is added here: dataclass instances are nodes without being registered,
errors say where two trees differ, and a tree of floats can be strung into one vector (`ravel`).
Everything that is no container is a leaf, strings and objects too: callers decide what to refuse.
"""

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np
import optree

from chainrule.base.errors import ArgumentError, MismatchError

TreeDef: TypeAlias = optree.PyTreeSpec

_NAMESPACE = "chainrule"
_ATOMS = frozenset((np.ndarray, float, int, complex, np.float64, np.float32))
EXACT: dict[type, Callable[[Any], Any]] = {}  # containers of lifted code -> how they look outside
LEAF: TreeDef = optree.tree_structure(0, namespace=_NAMESPACE)  # type: ignore[arg-type]


# --- flatten and unflatten


def flatten(tree: Any) -> tuple[list, TreeDef]:
    """The leaves of ``tree``, dictionaries by sorted key, and its structure.

    >>> leaves, treedef = flatten({"b": 1.0, "a": [2.0, None]})
    >>> leaves, unflatten(treedef, ["A", "B"])
    ([2.0, 1.0], {'b': 'B', 'a': ['A', None]})
    """
    if type(tree) in _ATOMS:
        return [tree], LEAF
    leaves, treedef = optree.tree_flatten(tree, namespace=_NAMESPACE)
    kinds = {type(leaf) for leaf in leaves}
    if not kinds.isdisjoint(EXACT):
        return flatten(treedef.unflatten([EXACT.get(type(x), _same)(x) for x in leaves]))
    if any(_is_record(kind) for kind in kinds):
        boxed: Any = treedef.unflatten([_box(leaf) for leaf in leaves])
        leaves, treedef = optree.tree_flatten(boxed, namespace=_NAMESPACE)
    return leaves, treedef


def _same(x: Any) -> Any:
    return x


def unflatten(treedef: TreeDef, leaves: Sequence) -> Any:
    """The tree of this structure with these leaves; dictionaries keep their order of insertion.

    Dataclass instances are rebuilt without ``__init__`` or ``__post_init__``, and keep attributes
    that are not fields.
    """
    if treedef is LEAF:
        (leaf,) = leaves
        return leaf
    return treedef.unflatten(leaves)


def leaves_like(treedef: TreeDef, tree: Any, root: str = "") -> list:
    """The leaves of ``tree`` in the order of ``treedef``; MismatchError if that differs."""
    leaves, other = flatten(tree)
    if other is treedef or other == treedef:
        return leaves
    difference = _first_difference(treedef, other, root)
    if difference is not None:
        raise MismatchError(difference, "Give it the structure of the argument it belongs to.")
    by_path = dict(zip(other.paths(), leaves))  # equal but for the order of keys that do not sort
    return [by_path[path] for path in treedef.paths()]


def leaves_or_none(treedef: TreeDef, tree: Any, root: str = "") -> list:
    """As ``leaves_like``, but ``None`` may stand for any leaf or subtree: it gives None for each.

    >>> leaves_or_none(flatten({"a": 1.0, "b": (2.0, 3.0)})[1], {"a": 10.0, "b": None})
    [10.0, None, None]
    """
    if tree is None:
        return [None] * treedef.num_leaves
    if treedef.is_leaf():
        return [tree]
    try:
        parts = _one_level(treedef).flatten_up_to(_box(tree))
    except (ValueError, TypeError):
        difference = _first_difference(treedef, flatten(tree)[1], root)
        raise MismatchError(
            difference or f"{root} has another structure than its argument.",
            "Give it the structure of the argument it belongs to; None stands for zero.",
        ) from None
    steps = [_step(accessor) for accessor in _one_level(treedef).accessors()]
    rows = zip(treedef.children(), parts, steps)
    return [x for child, part, step in rows for x in leaves_or_none(child, part, root + step)]


def map(f: Callable, tree: Any, *rest: Any) -> Any:
    """The tree of ``f(leaf, *leaves of the others)``.

    >>> map(lambda x, y: x + y, {"a": 1, "b": (2, 3)}, {"b": (20, 30), "a": 10})
    {'a': 11, 'b': (22, 33)}
    """
    leaves, treedef = flatten(tree)
    columns = [leaves_like(treedef, other) for other in rest]
    return unflatten(treedef, [f(*row) for row in zip(leaves, *columns)])


def structure_equal(tree: Any, other: Any) -> bool:
    """Whether both trees have the same containers, keys and fields; leaves are not looked at."""
    treedef, treedef2 = flatten(tree)[1], flatten(other)[1]
    return treedef == treedef2 or _first_difference(treedef, treedef2, "") is None


def paths(tree: Any, root: str = "") -> list[str]:
    """How to reach each leaf from a variable called ``root``, as a person would write it.

    >>> paths({"W": [1.0, 2.0], "b": 3.0}, "params")
    ["params['W'][0]", "params['W'][1]", "params['b']"]
    """
    return [root + _step(accessor) for accessor in flatten(tree)[1].accessors()]


# --- dataclasses


def _is_record(kind: type) -> bool:
    """Whether instances are dataclasses to look into: not those that act as an array themselves."""
    if not hasattr(kind, "__dataclass_fields__") or hasattr(kind, "__array__"):
        return False
    try:
        object.__new__(kind)
    except TypeError:  # abstract, or derived from a C type: a leaf
        return False
    return True


class _Box:
    """A dataclass instance on its way into optree, which knows boxes but not every dataclass.

    (Registering each dataclass on first sight would keep classes made inside functions for ever.)
    """

    __slots__ = ("instance",)

    def __init__(self, instance: Any):
        self.instance = instance


class _Shell:
    """What is left of a dataclass instance when the values of its fields are taken out."""

    __slots__ = ("fields", "kind", "others")

    def __init__(self, instance: Any):
        kind = type(instance)
        # Seen lifted, an instance has a made-up class that names the one it stands for.
        self.kind = kind = type.__getattribute__(kind, "__dict__").get("_cr_class", kind)
        names = (field.name for field in dataclasses.fields(instance))
        self.fields = tuple(name for name in names if hasattr(instance, name))
        slots = [name for base in kind.__mro__ for name in _slots(base)]
        others = dict.fromkeys(slots) | getattr(instance, "__dict__", {})
        self.others = {
            name: getattr(instance, name)
            for name in others
            if name not in self.fields and hasattr(instance, name)
        }

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Shell):
            return NotImplemented
        return self.kind is other.kind and self.fields == other.fields

    def __hash__(self) -> int:
        return hash((self.kind, self.fields))

    def __repr__(self) -> str:
        return f"{self.kind.__name__}({', '.join(self.fields)})"

    def fill(self, values: Iterable) -> Any:
        """A new instance with these values; ``object.__setattr__`` because it may be frozen."""
        instance = object.__new__(self.kind)
        for name, value in zip(self.fields, values):
            object.__setattr__(instance, name, value)
        for name, value in self.others.items():
            object.__setattr__(instance, name, value)
        return instance


def _slots(kind: type) -> tuple[str, ...]:
    slots = kind.__dict__.get("__slots__", ())
    slots = (slots,) if isinstance(slots, str) else tuple(slots)
    return tuple(name for name in slots if name not in ("__dict__", "__weakref__"))


def _box(leaf: Any) -> Any:
    return _Box(leaf) if _is_record(type(leaf)) else leaf


def _boxed(tree: Any) -> Any:
    """``tree`` with dataclass instances in boxes; what is inside is boxed when a box is opened."""
    leaves, treedef = optree.tree_flatten(tree, namespace=_NAMESPACE)
    if any(_is_record(type(leaf)) for leaf in leaves):
        return treedef.unflatten([_box(leaf) for leaf in leaves])
    return tree


def _open(box: Any) -> tuple[list, _Shell, tuple[str, ...]]:
    shell = _Shell(box.instance)
    return [_boxed(getattr(box.instance, name)) for name in shell.fields], shell, shell.fields


def _close(shell: Any, values: Iterable) -> Any:
    return shell.fill(values)


optree.register_pytree_node(
    _Box,  # type: ignore[arg-type]
    _open,
    _close,
    path_entry_type=optree.GetAttrEntry,
    namespace=_NAMESPACE,
)


# --- where two trees differ


def _first_difference(expected: TreeDef, found: TreeDef, path: str) -> str | None:
    """A sentence on the first place where the structures differ; None where only key order does."""
    if expected.is_leaf() and found.is_leaf():
        return None
    name, kind, other = path or "the tree", _kind(expected), _kind(found)
    if kind is not other:
        return f"{name} should be {_article(kind)}, but it is {_article(other)}."
    if kind is None:
        return None
    wanted, given = expected.entries(), found.entries()
    if set(wanted) != set(given):
        missing = [f"has no {entry!r}" for entry in wanted if entry not in given]
        extra = [f"should have no {entry!r}" for entry in given if entry not in wanted]
        if isinstance(wanted[0] if wanted else given[0], int):
            return f"{name} should have length {len(wanted)}, but it has length {len(given)}."
        return f"{name} {' and '.join(missing + extra)}."
    others = dict(zip(given, found.children()))
    steps = [_step(accessor) for accessor in _one_level(expected).accessors()]
    for entry, step, child in zip(wanted, steps, expected.children()):
        difference = _first_difference(child, others[entry], path + step)
        if difference is not None:
            return difference
    return None


def _one_level(spec: TreeDef) -> TreeDef:
    one_level = spec.one_level()
    assert one_level is not None
    return one_level


def _kind(spec: TreeDef) -> type | None:
    """The container's class; None for a leaf. (optree says ``_Box`` for every dataclass.)"""
    if spec.is_leaf():
        return None
    if spec.type is _Box:
        return type(_one_level(spec).unflatten([0] * spec.num_children))
    return spec.type


def _article(kind: type | None) -> str:
    if kind is None:
        return "a leaf"
    if kind is type(None):
        return "None"
    return f"{'an' if kind.__name__[0] in 'AEIOUaeiou' else 'a'} {kind.__name__}"


def _step(accessor: Any) -> str:
    return accessor.codify("")


# --- one vector for a tree


def ravel(tree: Any, root: str = "") -> tuple[np.ndarray, Callable[[Any], Any]]:
    """All leaves strung into one real float vector, and the function that takes it apart again.

    The vector has the promoted float dtype of the leaves (integers count as float64); a complex
    leaf takes two places an element, real and imaginary part. ``unravel(vector)`` gives new arrays
    with the shape and float dtype of the leaves, and floats where there were Python numbers. Given
    a complex vector it makes the leaves that were real complex, as the complex step needs.

    >>> vector, unravel = ravel({"a": np.array([1.0, 2.0]), "b": 3 + 4j})
    >>> vector, unravel(2 * vector)
    (array([1., 2., 3., 4.]), {'a': array([2., 4.]), 'b': (6+8j)})
    """
    leaves, treedef = flatten(tree)
    slots = [_Slot.of(leaf, path) for leaf, path in zip(leaves, paths(tree, root))]
    dtype = np.result_type(*(slot.real for slot in slots)) if slots else np.dtype(float)
    pieces = [slot.pull(leaf).astype(dtype) for slot, leaf in zip(slots, leaves)]
    vector = np.concatenate(pieces) if pieces else np.zeros(0, dtype)
    ends = np.cumsum([slot.size for slot in slots], dtype=int)

    def unravel(vector: Any) -> Any:
        if np.shape(vector) != (total := int(sum(slot.size for slot in slots)),):
            raise MismatchError(f"A vector of shape ({total},) is needed, not {np.shape(vector)}.")
        chunks = (vector[end - slot.size : end] for slot, end in zip(slots, ends))
        return unflatten(treedef, [slot.push(chunk) for slot, chunk in zip(slots, chunks)])

    return vector, unravel


@dataclasses.dataclass(frozen=True)
class _Slot:
    """One leaf's place in the vector."""

    shape: tuple[int, ...]
    dtype: np.dtype
    kind: type | None  # float or complex: give a Python number back; a NumPy scalar type; else None

    @classmethod
    def of(cls, leaf: Any, path: str) -> "_Slot":
        dtype = float_dtype(leaf, path)
        if isinstance(leaf, (int, float, complex)) and not isinstance(leaf, np.generic):
            return cls((), dtype, complex if dtype.kind == "c" else float)
        return cls(np.shape(leaf), dtype, dtype.type if isinstance(leaf, np.generic) else None)

    @property
    def real(self) -> np.dtype:
        return np.empty(0, self.dtype).real.dtype

    @property
    def size(self) -> int:
        return int(np.prod(self.shape, dtype=int)) * (2 if self.dtype.kind == "c" else 1)

    def pull(self, leaf: Any) -> np.ndarray:
        return np.array(leaf, self.dtype, order="C").reshape(-1).view(self.real)

    def push(self, chunk: Any) -> Any:
        if chunk.dtype.kind == "c":
            chunk = chunk.astype(np.result_type(self.dtype, np.complex64))
            return chunk.reshape(self.shape) if self.kind is None else chunk[0]
        chunk = chunk.astype(self.real)
        if self.dtype.kind == "c":
            chunk = np.ascontiguousarray(chunk).view(self.dtype)
        return chunk.reshape(self.shape) if self.kind is None else self.kind(chunk[0])


def float_dtype(leaf: Any, path: str = "") -> np.dtype:
    """The dtype a leaf is differentiated in: its own if float or complex, float64 for integers.

    Raises ArgumentError for anything that is not a number or an array of numbers.
    """
    dtype = getattr(leaf, "dtype", None)
    if dtype is None and isinstance(leaf, (int, float, complex)) and not isinstance(leaf, bool):
        dtype = np.asarray(leaf, complex if isinstance(leaf, complex) else float).dtype
    if isinstance(dtype, np.dtype):
        if dtype.kind in "fc":
            return dtype
        if dtype.kind in "iu":
            return np.dtype(float)
    what = f"an array of {dtype}" if dtype is not None else f"a {type(leaf).__name__}"
    raise ArgumentError(
        f"{path or 'The argument'} is {what}: only numbers and arrays of numbers have derivatives.",
        "Choose another argument with wrt=, or pass what is constant in a closure.",
    )

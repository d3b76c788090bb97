"""What an exported file brings along: helpers, and the test it runs by itself."""

from typing import Any

import numpy as np

from chainrule.base import tree
from chainrule.core.trace import plain
from chainrule.explainer.body import Body
from chainrule.explainer.literals import array_lines, complex_number, laid_out, number, quoted

POINT = 200_000  # bytes of arguments that the test may hold

HELPERS = {
    "_array": '''
def _array(*parts):
    """An array from its packed bytes, shape and dtype."""
    *data, shape, dtype = parts
    data = zlib.decompress(base64.b85decode("".join(data)))
    return np.frombuffer(data, dtype).reshape(shape)
''',
    "_input": '''
def _input(x, shape, dtype, name):
    """An argument as this file expects it."""
    if type(x) is np.ndarray and x.shape == shape and x.dtype.type is dtype:
        return x
    x = np.asarray(x).astype(dtype, casting="same_kind", copy=False)
    if x.shape != shape:
        raise ValueError(f"{name} has shape {x.shape}; this file holds for {shape}")
    return x[()]
''',
    "_inputs": '''
def _inputs(x, shapes, name, dtype=np.float64):
    """Nested arguments as this file expects them; a shape is a tuple of numbers."""
    if type(x) is np.ndarray and x.shape == shapes and x.dtype.type is dtype:
        return x
    if isinstance(shapes, dict):
        return {k: _inputs(x[k], shapes[k], f"{name}[{k!r}]", dtype) for k in shapes}
    if type(shapes) is tuple and (not shapes or type(shapes[0]) is int):
        return _input(x, shapes, dtype, name)
    if len(x) != len(shapes):
        raise ValueError(f"{name} has length {len(x)}; this file holds for {len(shapes)}")
    return [_inputs(x[i], s, f"{name}[{i}]", dtype) for i, s in enumerate(shapes)]
''',
    "_same": '''
def _same(here, then, where):
    """Stop where the code would go another way than when this file was made."""
    if not np.array_equal(here, then):
        raise ValueError(f"{where}: {here} here, but this file holds for {then}")
''',
    "_map": '''
def _map(f, x, *rest):
    """f of the leaves of nested dicts, lists and tuples."""
    if isinstance(x, dict):
        return {k: _map(f, x[k], *(r[k] for r in rest)) for k in x}
    if isinstance(x, (list, tuple)):
        return [_map(f, *items) for items in zip(x, *rest)]
    return None if x is None else f(x, *rest)
''',
    "_leaves": '''
def _leaves(x):
    """The arrays in nested dicts, lists and tuples."""
    if isinstance(x, dict):
        x = list(x.values())
    if isinstance(x, (list, tuple)):
        return [leaf for part in x for leaf in _leaves(part)]
    return [] if x is None else [np.asarray(x)]
''',
    "_flat": '''
def _flat(x):
    """All numbers in nested dicts, lists and tuples, as one vector."""
    return np.concatenate([np.zeros(0), *(leaf.ravel() for leaf in _leaves(x))])
''',
    "_direction": '''
def _direction(rng, x):
    """A random direction in which to move x, in its own units."""
    x = np.asarray(x)
    size = np.max(np.abs(x), initial=0.0) or 1.0
    return rng.normal(size=x.shape) * np.where(x == 0, size, np.abs(x))
''',
    "_moved": '''
def _moved(args, places, steps, t):
    """The arguments, t times the steps further."""
    new = list(args)
    for i, step in zip(places, steps):
        new[i] = _map(lambda x, d: np.asarray(x) + t * d, args[i], step)
    return new
''',
    "_slope": '''
def _slope(f):
    """The derivative of f at 0 by central differences, and a bound on its error."""
    for h in ({steps}):
        try:
            a, b = ((f(s) - f(-s)) / (2 * s) for s in (h, h / 2))
        except ValueError:  # another branch: closer to the point
            continue
        return b + (b - a) / 3, np.abs(b - a)
    raise ValueError("the point lies on a branch: there are no differences across it")
''',
}
ORDER = list(HELPERS)
NEEDS = {"_flat": ["_leaves"], "_inputs": ["_input"]}


def helpers_in(text: str, body: Body) -> dict[str, str]:
    """The helpers that a text uses, by name."""
    names = {name for name in HELPERS if f"{name}(" in text}
    for name in list(names):
        names.update(NEEDS.get(name, ()))
    steps = "1e-2, 1e-3" if _is_single(body) else "1e-4, 1e-5, 1e-6, 1e-7"
    return {
        name: HELPERS[name].strip("\n").replace("{steps}", steps) for name in ORDER if name in names
    }


def _is_single(body: Body) -> bool:
    dtypes = [body.table.dtypes[leaf.var] for leaf in body.arguments.wanted]
    return any(np.finfo(dtype).eps > 1e-10 for dtype in dtypes)


# ---------------------------------------------------------------- the point of the test


def point_lines(body: Body) -> list[str] | None:
    """The arguments as statements; None if they are too large to be written down."""
    leaves = body.arguments.leaves
    if sum(np.asarray(x.value).nbytes for x in leaves if x.var >= 0) > POINT:
        return None
    lines = ["    args = ["]
    for key, value in zip(body.parameters, body.arguments.every.values):
        if key in body.parameters:
            items, structure = tree.flatten(value)
            texts = [_literal(plain(x)) for x in items]
            lines.append(_argument(tree.unflatten(structure, texts)))
    return [*lines, "    ]"]


def _literal(x: Any) -> list[str]:
    """A leaf as lines of text."""
    if isinstance(x, (np.ndarray, np.generic)):
        if np.ndim(x) == 0:
            return [f"np.{x.dtype.type.__name__}({_number(x.item())})"]
        (first, *rest) = array_lines("x", np.asarray(x))
        return [part for line in (first.removeprefix("x = "), *rest) for part in line.split("\n")]
    if isinstance(x, (float, complex)):
        return [_number(x)]
    return [quoted(x) if isinstance(x, str) else repr(x) if type(x) in (int, bool) else "None"]


def _number(x: Any) -> str:
    if isinstance(x, complex):
        return complex_number(x)
    return number(x) if isinstance(x, float) else repr(x)


def _argument(x: Any, indent: int = 8, prefix: str = "") -> str:
    space = " " * indent
    if isinstance(x, list) and x and all(isinstance(part, str) for part in x):
        lines = [prefix + x[0], *x[1:]]
        if len(lines) == 1:
            return laid_out(lines[0], indent) + ","
        return "\n".join(space + line for line in lines) + ","
    if x is None:
        return f"{space}{prefix}None,"
    if isinstance(x, dict):
        rows = [
            _argument(v, indent + 4, f"{quoted(k) if isinstance(k, str) else repr(k)}: ")
            for k, v in x.items()
        ]
        return "\n".join([f"{space}{prefix}{{", *rows, f"{space}}},"]) if rows else f"{space}{{}},"
    opening, end = ("(", ")") if isinstance(x, tuple) else ("[", "]")
    rows = [_argument(v, indent + 4) for v in x]
    if not rows:
        return f"{space}{prefix}{opening}{end},"
    return "\n".join([f"{space}{prefix}{opening}", *rows, f"{space}{end},"])


# ---------------------------------------------------------------- the test


def test_lines(body: Body, expected: list[Any]) -> list[str]:
    """The function ``self_test`` of the file; ``expected`` are weighted sums of its results."""
    positions, point = body.positions(), point_lines(body)
    tolerance = "1e-3" if _is_single(body) else "1e-7"
    if point is None and body.of == "value":
        return ["def self_test():", '    print("there are no differences to compare with")']
    if point is None:
        lines = [
            "def self_test(*args):",
            '    """Compare with finite differences at arguments of yours."""',
            "    if not args:",
            '        raise SystemExit("the arguments are large: call self_test with yours")',
        ]
    else:
        lines = [
            "def self_test():",
            '    """Compare with the numbers of when this file was made, and with differences."""',
            *point,
        ]
        if body.tangents:
            lines += [
                "",
                "    def weights(x):",
                "        return np.cos(np.arange(np.size(x)) + 1.0).reshape(np.shape(x))",
                "",
                f"    tangents = [_map(weights, args[i]) for i in {positions}]",
            ]
        call = f"{body.name}(*args{', *tangents' if body.tangents else ''})"
        sums = f"[{', '.join(map(_number, expected))}]"
        lines += [
            f"    results = _leaves({call})",
            "    sums = [np.sum(np.cos(np.arange(x.size)) * x.ravel()) for x in results]",
            laid_out(f"expected = {sums}", 4),
            f"    np.testing.assert_allclose(sums, expected, rtol={tolerance}, atol={tolerance})",
        ]
    if body.of == "value":
        return [*lines, '    print("the values agree")']
    return lines + _differences(body, positions, tolerance)


def _differences(body: Body, positions: list[int], tolerance: str) -> list[str]:
    """Central differences along three directions against the derivative along them."""
    steps = ", *steps" if body.tangents else ""
    claimed = {
        "grad": [
            f"        parts = zip(_leaves({body.name}(*args)[1]), _leaves(steps))",
            "        claimed = sum(np.sum(np.real(np.conj(g) * d)) for g, d in parts)",
        ],
        "jacobian": [
            f"        parts = zip(_leaves({body.name}(*args)[1]), _leaves(steps))",
            "        claimed = sum(np.reshape(J, (-1, d.size)) @ d.ravel() for J, d in parts)",
        ],
    }.get(body.of, [f"        claimed = _flat({body.name}(*args, *steps)[1])"])
    return [
        "    rng = np.random.default_rng(0)",
        "    for _ in range(3):",
        f"        steps = [_map(lambda x: _direction(rng, x), args[i]) for i in {positions}]",
        "",
        "        def moved(t, steps=steps):",
        f"            return _flat({body.name}(*_moved(args, {positions}, steps, t){steps})[0])",
        "",
        *claimed,
        "        numeric, error = _slope(moved)",
        f"        allowed = 10 * error + {tolerance} * (1 + np.abs(numeric))",
        "        if not np.all(np.abs(claimed - numeric) <= allowed):",
        '            raise AssertionError(f"{claimed} is not {numeric}")',
        '    print("values and finite differences agree")',
    ]

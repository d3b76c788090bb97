"""Lifting: how unmodified code works where NumPy's protocols end.

To differentiate f, f's own code object runs with other globals: names that the protocols cannot
reach (array creation, ``math``, ``float``) are bound to ours, arrays become constant handles over
the same memory, and Python functions reached from there are lifted when they are first looked up.
No source, syntax tree or bytecode is rewritten and no module or class is patched::

    f.__code__  +  Shadow(f.__globals__)  +  mapped cells and defaults  ->  the clone that runs

Clones and shadows belong to the outermost live trace and end with it. What lifted code stored
outside (globals, cells, lists) becomes originals and plain values then (``core.settle``).
"""

import builtins
import functools
import sys
import weakref
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable
from itertools import chain
from types import (
    BuiltinFunctionType,
    CellType,
    FunctionType,
    MethodType,
    ModuleType,
    SimpleNamespace,
)
from typing import Any

import numpy as np

from chainrule.base.errors import NonDifferentiableError
from chainrule.core.array import HANDLES, run_constant
from chainrule.core.foreign import Foreign  # noqa: F401  (before HANDLES is used below)
from chainrule.core.lift_code import facts, is_about_to_call, may_lift
from chainrule.core.lift_compiled import GIVEN, Compiled, check_memory, explained, is_unseen
from chainrule.core.lift_containers import (
    LIFTED,
    LiftedDeque,
    LiftedList,
    LiftedNamespace,
    LiftedSet,
)
from chainrule.core.lift_functions import Cell, memoised, writing_back
from chainrule.core.lift_memory import base_of, is_loose, owner_of, steps_to
from chainrule.core.lift_objects import Objects, StandIn
from chainrule.core.lift_text import Left
from chainrule.core.lift_views import unview
from chainrule.core.number import Number  # noqa: F401  (before HANDLES is used below)
from chainrule.core.primitive import load_late
from chainrule.core.settle import Settler
from chainrule.core.trace import Trace, Tracer, current, plain

REPLACEMENTS: dict[Any, Any] = {}  # what the protocols cannot reach -> ours; filled by rules
CALLED: dict[type, Callable[..., Any]] = {}  # classes that keep their identity -> what calls run
MAKERS: dict[type, Callable[[Any, Callable], Any]] = {}  # type -> make(its instance, map) -> ours
LATE_MAKERS: dict[str, Callable[[], Any]] = {}  # module or name of a type -> declares makers


def replace(original: Any, ours: Any) -> None:
    """Let lifted code see ``ours`` wherever it looks up ``original``."""
    REPLACEMENTS[original] = ours


def lift(f: Any) -> Any:
    """``f`` as it runs inside the live trace; where none is live, a function lifted when called.

    Entry points lift by themselves; call this for a function they cannot reach by name, e.g. one
    that C code will call back. Outside a derivative the result behaves as ``f``.

    >>> import math
    >>> lift(lambda x: math.sin(x))(0.0)
    0.0
    """
    trace = current()
    if trace is None:
        return Lifted(f) if callable(f) else f
    return Lifter.of(trace).entry(f)


class Lifted:
    """A function that is lifted whenever it is called inside a trace."""

    def __init__(self, f: Callable[..., Any]):
        functools.update_wrapper(self, f)
        self.f = f

    def __call__(self, *args, **kwargs):
        trace = current()
        if trace is None:
            return self.f(*args, **kwargs)
        return Lifter.of(trace).call(self.f, args, kwargs)


# ---------------------------------------------------------------- namespaces


class Shadow(dict):
    """Globals that map a name when it is looked up. ``LOAD_GLOBAL`` honours ``__missing__``.

    Functions, classes and modules are kept once mapped. Data are looked up in the module each time,
    as code that is not lifted may change them; what is stored lies here until its function ends.
    """

    __slots__ = ("lifter", "original")

    def __init__(self, original: dict[str, Any], lifter: "Lifter | None"):
        self.original = original
        self.lifter = lifter
        self.reset()

    def reset(self) -> None:
        """Forget what was mapped and stored."""
        self.clear()
        look_up = self.original.get
        self["__builtins__"] = _BUILTINS
        self["__name__"] = look_up("__name__")  # these are read from C
        self["__package__"] = look_up("__package__")
        self["__spec__"] = look_up("__spec__")

    def __missing__(self, name: str) -> Any:
        try:
            value = self.original[name]
        except KeyError:
            value = builtins.__dict__[name]
        kind, lifter = type(value), self.lifter
        if kind in _NUMBERS or lifter is None:  # ended: a function that lives on
            return value
        known = lifter.seen.get(id(value))
        if known is not None:
            return known[1]
        if kind is type and value in CALLED:
            return CALLED[value] if is_about_to_call(sys._getframe(1)) else value
        mapped = lifter.map(value)
        if kind in _LASTING or isinstance(value, type):
            self[name] = mapped
        return mapped

    def prepare(self, name: str) -> None:
        """Put a name here before C looks for it, which does not ask ``__missing__``."""
        if name not in self and (name in self.original or name in builtins.__dict__):
            self[name] = self[name]


class ModuleView(ModuleType):
    """A module whose attributes are seen lifted; what is assigned goes to the module itself.

    The views of NumPy, SciPy and math have no lifter of their own: they serve every trace, and keep
    what is the same in every trace.
    """

    __slots__ = ("_lifter", "_module")

    def __init__(self, module: ModuleType, lifter: "Lifter | None"):
        super().__init__(module.__name__)
        object.__setattr__(self, "_module", module)
        object.__setattr__(self, "_lifter", lifter)
        self.forget()

    def forget(self) -> None:
        """Nothing is known but how to look a name up: as a module's own ``__getattr__``, because
        attributes of a class that defines it take four times as long."""
        self.__dict__.clear()
        view = weakref.ref(self)
        self.__dict__["__getattr__"] = lambda name: view()._look_up(name)  # type: ignore[union-attr]

    def _look_up(self, name):
        module, lifter = self._module, self._lifter
        if lifter is None:
            return self._shared(name)
        shadow = lifter.shadows.get(id(module.__dict__))
        if shadow is not None and name in shadow and name[:2] != "__":
            return shadow[name]  # perhaps stored by a function that is still running
        value = getattr(module, name)
        mapped = lifter.map(value)
        if lifter.live and (type(value) in _LASTING or isinstance(value, type)):
            self.__dict__[name] = mapped  # the next look-up is a plain attribute
        return mapped

    def _shared(self, name):
        value = getattr(self._module, name)
        trace = current()
        if trace is None:
            return value
        if type(value) is type and value in CALLED:  # from the user's code, by our __getattr__
            return CALLED[value] if is_about_to_call(sys._getframe(3)) else value
        mapped = Lifter.of(trace).map(value)
        if type(value) in _LASTING or isinstance(value, type):
            shared = mapped is value or mapped is _find(REPLACEMENTS, value)
            if shared or (type(mapped) is ModuleView and mapped._lifter is None):
                self.__dict__[name] = mapped
        return mapped

    def __setattr__(self, name, value):
        self.__dict__.pop(name, None)
        trace = current()
        if trace is None:
            setattr(self._module, name, value)
        else:
            Lifter.of(trace).store_global(self._module.__dict__, name, value)

    def __delattr__(self, name):
        self.__dict__.pop(name, None)
        delattr(self._module, name)

    def __dir__(self):
        return dir(self._module)


def _find(table: dict, key: Any) -> Any:
    try:
        return table.get(key)
    except TypeError:  # unhashable
        return None


def _import(name, globals=None, locals=None, fromlist=(), level=0):
    """``import`` inside lifted code: modules are seen lifted."""
    namespace = globals.original if type(globals) is Shadow else globals
    module = builtins.__import__(name, namespace, locals, fromlist, level)
    trace = current()
    return module if trace is None else Lifter.of(trace).map(module)


def _build_class(body, name, *bases, **keywords):
    """``class`` inside lifted code: of the real bases; its stand-in is what the code sees."""
    made = builtins.__build_class__(body, name, *map(unview, bases), **keywords)
    trace = current()
    return made if trace is None else Lifter.of(trace).map(made)


replace(builtins.__import__, _import)
_BUILTINS = {**builtins.__dict__, "__import__": _import, "__build_class__": _build_class}


# ---------------------------------------------------------------- the lifter of a trace


class Lifter:
    """Everything lifted inside one outermost trace: clones, shadows, views, constant handles."""

    def __init__(self, trace: Trace):
        self.trace: Trace = trace
        self.live = True
        self.shadows: dict[int, Shadow] = {}
        self.seen: dict[
            int, tuple[Any, Any]
        ] = {}  # id -> (original kept alive, what stands for it)
        self.clones: list[tuple[FunctionType, FunctionType]] = []  # with the originals
        self.cells: dict[int, Cell] = {}  # by id of the original
        self.inputs: dict[int, list[tuple[np.ndarray, Any]]] = {}  # by id of the base
        self.roots: dict[int, tuple[np.ndarray, Any]] = {}  # by id, what owns memory
        self.aliased: list[tuple] = []
        self.loose: list[tuple[np.ndarray, Any]] = []  # over memory that is no array's own
        self.left = Left()
        self.unseen: type | None = None  # a class that lifting does not reach into, but lifted code
        self.bare: dict[int, np.ndarray] = {}  # arrays reached that have no handle
        self.settler = Settler()
        self.objects = Objects(self)
        trace.at_end.append(self.end)

    @staticmethod
    def of(trace: Trace) -> "Lifter":
        root = trace
        while root.outer is not None:
            root = root.outer
        if root.lifter is None:
            root.lifter = Lifter(root)
        return root.lifter

    def end(self) -> None:
        """Originals and plain values everywhere, no cycles; functions that live on run plain."""
        self.live = False
        settler = self.settler
        for cell in self.cells.values():
            cell.end(settler)
        for clone, original in self.clones:
            clone.__defaults__, clone.__kwdefaults__ = (
                original.__defaults__,
                original.__kwdefaults__,
            )
            if original.__dict__:
                settler.namespace(original.__dict__)
        self.objects.end()
        settler.end()
        for shadow in self.shadows.values():
            shadow.lifter = None
            shadow.reset()
        for table in (self.shadows, self.seen, self.clones, self.cells, self.inputs, self.roots):
            table.clear()
        self.aliased.clear()
        self.loose.clear()
        del self.trace

    # ------------------------------------------------------------ what stands for what

    def map(self, value: Any) -> Any:
        """What lifted code sees in place of ``value``; most things stand for themselves."""
        how = _MAPPERS.get(type(value))
        if how is not None:
            return how(self, value) if self.live else value
        if isinstance(value, type):
            if value.__module__ in LATE_MAKERS:
                load_maker(value.__module__)
            ours = REPLACEMENTS.get(value)
            return ours or (self.objects.of_class(value) if self.live else value)
        if type(type(value)) is StandIn:
            return self.objects.of(value) if self.live else value
        make = _maker(type(value))
        if make is not None and self.live:
            return self.once(value, lambda: make(value, self.map))
        if (type(value).__module__ or "")[:7] == "_cython":
            load_maker(value.__module__)
            return REPLACEMENTS.get(value) or self.once(value, lambda: Compiled(value))
        if not self.live:
            return value
        if isinstance(value, np.ndarray):  # of a subclass: it stands for itself
            self.bare[id(value)] = value
        ours = self.objects.of(value)
        if ours is value and may_lift(type(value).__module__) and type(type(value)) is not StandIn:
            self.settler.reached(value)  # lifted code may store handles in its attributes
            if self.unseen is None and is_unseen(type(value)):
                self.unseen = type(value)
        return ours

    def once(self, original: Any, make: Callable[[], Any]) -> Any:
        """What stands for ``original``, made at the first call and the same afterwards."""
        known = self.seen.get(id(original))
        return known[1] if known is not None else self.stands(original, make())

    def stands(self, original: Any, ours: Any) -> Any:
        if ours is original:
            self.forget(original)
        self.seen[id(original)] = (original, ours)
        if ours is not original:
            self.settler.originals[id(ours)] = original
        return ours

    def forget(self, original: Any) -> None:
        """In both directions: what stood for it may go, and another object may get its id."""
        known = self.seen.pop(id(original), None)
        if known is not None:
            self.settler.originals.pop(id(known[1]), None)

    def names_of(self, x: dict) -> dict:
        """The attributes of an object, mapped as of now: other code may have changed them."""
        known = self.seen.get(id(x))
        if known is None or known[1] is x:
            self.forget(x)
            return self.map(x)
        ours = known[1]  # the same dict as before: lifted code may hold it
        dict.clear(ours)
        dict.update(ours, {self.map(k): self.map(v) for k, v in x.items()})
        return ours

    def entry(self, f: Any) -> Any:
        """What runs when ``f`` is differentiated; of an object with ``__call__``, that method."""
        if type(f) in _MAPPERS or isinstance(f, type) or _maker(type(f)):
            return self.map(f)
        call = getattr(type(f), "__call__", None)  # noqa: B004
        if type(call) is FunctionType:
            view = self.map(f)
            if view is not f:
                return view
            self.settler.reached(f)
            return MethodType(self.function(call), f)
        return f

    def call(self, f: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
        """``f(*args, **kwargs)`` lifted; arrays among the arguments become constant handles."""
        args = tuple(a if isinstance(a, Tracer) else self.map(a) for a in args)
        if kwargs:
            kwargs = {k: a if isinstance(a, Tracer) else self.map(a) for k, a in kwargs.items()}
        try:
            y = self.entry(f)(*args, **kwargs)
        except Exception as error:
            refusal = explained(error)
            if refusal is None:
                raise
            raise refusal from error
        if self.unseen is not None or self.bare:
            roots = [ours for _, ours in self.roots.values()]
            check_memory(roots, self.unseen, list(self.bare.values()))
        return y

    # ------------------------------------------------------------ functions

    def function(self, f: FunctionType) -> Any:
        """The clone of a Python function."""
        known = self.seen.get(id(f))
        if known is not None:
            return known[1]
        ours = REPLACEMENTS.get(f)
        if ours is not None:
            return ours
        namespace = f.__globals__
        if type(namespace) is Shadow:
            if namespace.lifter is self:
                return f  # born in lifted code
            namespace = namespace.original  # born in an earlier trace
        module = namespace.get("__name__") or ""
        if module.partition(".")[0] in ("scipy", "statistics") and load_late():
            return self.function(f)  # it may have a rule now
        if module.startswith("numpy.testing"):
            return self.once(f, lambda: _on_plain(f))
        if module.startswith("scipy.special"):  # it would look at types and values by itself
            return self.once(f, lambda: _refusing(f))
        if not may_lift(module) and not _wraps_liftable(f):
            return f
        return self.clone(f, namespace)

    def clone(self, f: FunctionType, namespace: dict[str, Any]) -> Any:
        shadow = self.shadows.get(id(namespace))
        if shadow is None:
            shadow = self.shadows[id(namespace)] = Shadow(namespace, self)
        known = facts(f.__code__)
        for name in known.class_names | known.deleted:
            shadow.prepare(name)
        cells = None
        if f.__closure__:
            cells = [
                self.cell(c, n in known.cells)
                for n, c in zip(f.__code__.co_freevars, f.__closure__)
            ]
        clone = FunctionType(
            f.__code__, shadow, f.__name__, None, tuple(c.seen for c in cells) if cells else None
        )
        result: Any = clone
        written = [c for c in cells or () if c.written and c.seen is not c.original]
        if known.stored or written:
            result = writing_back(clone, shadow, known, written, self)
            result.__dict__ = f.__dict__
        self.stands(f, result)
        if cells:
            for cell in cells:  # now, because a recursive function is in its own cell
                cell.fill(self.map)
        if f.__defaults__:
            clone.__defaults__ = tuple(map(self.map, f.__defaults__))
        if f.__kwdefaults__:
            clone.__kwdefaults__ = {k: self.map(v) for k, v in f.__kwdefaults__.items()}
        clone.__dict__ = f.__dict__  # the same: f.calls += 1
        clone.__qualname__, clone.__module__ = f.__qualname__, f.__module__
        clone.__doc__, clone.__annotations__ = f.__doc__, f.__annotations__
        self.clones.append((clone, f))
        return result

    def cell(self, original: CellType, written: bool) -> "Cell":
        cell = self.cells.get(id(original))
        if cell is None:
            cell = self.cells[id(original)] = Cell(original)
        cell.written |= written
        return cell

    def store_global(self, namespace: dict[str, Any], name: str, value: Any) -> None:
        """Write a name of a module, from where lifted code stored it."""
        namespace[name] = self.settler.stored(value, namespace, name)
        shadow = self.shadows.get(id(namespace))
        if shadow is not None:
            dict.pop(shadow, name, None)
        module = self.seen.get(_module_id(namespace))
        if module is not None:
            module[1].__dict__.pop(name, None)

    def method(self, m: MethodType) -> Any:
        owner = self.map(m.__self__)
        if type(m.__func__) is _LRU:
            return MethodType(self.cached(m.__func__), owner)
        if type(owner) in GIVEN:  # ours stands for the object
            return getattr(owner, m.__name__)
        if type(m.__func__) is not FunctionType:  # of an object written in C: a random generator
            if _maker(type(m.__func__)):  # np.vectorize bound to an instance
                return MethodType(self.map(m.__func__), owner)
            return m if owner is m.__self__ else getattr(owner, m.__name__)
        lifted = self.function(m.__func__)
        if lifted is m.__func__ and (owner is m.__self__ or not _born_lifted(lifted)):
            if owner is m.__self__ or isinstance(owner, type):
                return m
        if owner is m.__self__:
            self.settler.reached(owner)
        return MethodType(lifted, owner)

    def partial(self, p: functools.partial) -> Any:
        def make():
            keywords = {k: self.map(v) for k, v in p.keywords.items()}
            return functools.partial(self.map(p.func), *map(self.map, p.args), **keywords)

        return self.once(p, make)

    def cached(self, f: Any) -> Any:
        """``lru_cache``: one store a trace, because results of other traces are other values."""
        inner = self.map(f.__wrapped__)
        return f if inner is f.__wrapped__ else self.once(f, lambda: memoised(inner, f))

    # ------------------------------------------------------------ data

    def array(self, a: np.ndarray) -> Any:
        """A constant handle over the same memory: one per array, one root per piece of memory."""
        if a.dtype.kind not in "fc":
            if a.base is not None or a.dtype.kind == "V":
                self.bare[id(a)] = a
            return a
        known = self.seen.get(id(a))
        if known is not None:
            return known[1]
        ours = self.stands(a, self.new_array(a))
        if self.inputs:
            self.aliases(a, ours)
        return ours

    def new_array(self, a: np.ndarray) -> Any:
        owner = owner_of(a)
        if owner is None or owner is a:
            return self.root(a)
        steps = steps_to(owner, a)
        if steps is None:
            return self.trace.foreign(a, apart=self.root(owner))
        return self.root(owner).part(steps, a)

    def input(self, leaf: np.ndarray, handle: Any) -> None:
        """A differentiated argument, which runs on a copy: other names of the array do not see what
        is written to it (``check_aliases``).
        """
        self.aliases(leaf, handle)
        self.inputs.setdefault(id(base_of(leaf)), []).append((leaf, handle))

    def aliases(self, a: np.ndarray, handle: Any) -> None:
        for leaf, copy in self.inputs.get(id(base_of(a)), ()):
            if np.may_share_memory(leaf, a):
                self.aliased.append((leaf, copy, handle, handle._version))

    def check_aliases(self) -> None:
        """Refuse if a differentiated argument was also reached by another name and written to."""
        for leaf, copy, other, seen in self.aliased:
            written = copy._version or other._version != seen
            if written and not np.array_equal(plain(other), plain(copy), equal_nan=True):
                raise NonDifferentiableError(
                    f"an array of shape {leaf.shape} is a differentiated argument and is also "
                    "used under another name (another argument, a global), and was written to",
                    "Pass a copy, x.copy(), to one of them, or return a new array instead of "
                    "writing.",
                )

    def root(self, a: np.ndarray) -> Any:
        """The handle of a piece of memory; set apart from others over the same bytes, which no
        ``.base`` tells of (two np.frombuffer of one buffer, a sliding window).
        """
        known = self.roots.get(id(a))
        if known is not None:
            return known[1]
        others = [*self.loose, *(self.roots.values() if is_loose(a) else ())]
        apart = next((h for b, h in others if np.may_share_memory(a, b)), None)
        made = self.trace.foreign(a, apart=apart)
        self.roots[id(a)] = (a, made)
        self.settler.originals[id(made)] = a
        if is_loose(a):
            self.loose.append((a, made))
        return made

    def module(self, m: ModuleType) -> Any:
        if type(m) is ModuleView:
            return m if m._lifter is None or m._lifter is self else self.module(m._module)
        shared = _VIEWS.get(m.__name__)
        if shared is not None:
            return shared
        name = m.__name__
        if may_lift(name):
            return self.once(m, lambda: ModuleView(m, self))
        if name.partition(".")[0] in _REPLACED_IN:
            return _VIEWS.setdefault(name, ModuleView(m, None))
        return m

    def known(self, x: Any, parts: Iterable[Any]) -> Any:
        """What stands for a container: itself if none of its parts can change; None if unknown."""
        known = self.seen.get(id(x))
        if known is not None:
            return known[1]
        self.settler.reached(x)
        return self.stands(x, x) if _UNCHANGED.issuperset(map(type, parts)) else None

    def of_list(self, x: list) -> list:
        """The list, or one with mapped elements if an element changes when it is mapped."""
        known = self.known(x, x)
        if known is not None:
            return known
        ours = LiftedList()
        self.stands(x, ours)  # before the elements: a list may be in itself
        list.extend(ours, map(self.map, x))
        if all(a is b for a, b in zip(ours, x)):
            return self.stands(x, x)
        ours._original, ours._settler = x, self.settler
        return ours

    def of_dict(self, x: dict) -> dict:
        factory = x.default_factory if isinstance(x, defaultdict) else None
        known = self.known(x, chain(x.values(), x, (factory,)))
        if known is not None:
            return known
        ours: Any = LIFTED[type(x)]()
        self.stands(x, ours)
        made = self.map(factory)
        for k, v in list(x.items()):  # the real method: ours would write back
            type(x).__setitem__(ours, self.map(k), self.map(v))
        same = all(a is b for a, b in zip((*ours, *ours.values()), (*x, *x.values())))
        if same and made is factory:
            return self.stands(x, x)
        if made is not None:
            ours.default_factory = made
        ours._original, ours._settler = x, self.settler
        return ours

    def of_collection(self, x: Any) -> Any:
        """A set, frozenset or deque."""
        known = self.known(x, x)
        if known is not None:
            return known
        mapped = list(map(self.map, x))
        if all(a is b for a, b in zip(mapped, x)):
            return self.stands(x, x)
        if type(x) is frozenset:
            return self.stands(x, frozenset(mapped))
        ours: Any = LiftedDeque(mapped, x.maxlen) if type(x) is deque else LiftedSet(mapped)
        ours._original, ours._settler = x, self.settler
        return self.stands(x, ours)

    def of_namespace(self, x: Any) -> Any:
        self.settler.reached(x)
        return self.once(x, lambda: LiftedNamespace(x, self.map, self.settler))

    def of_tuple(self, x: tuple) -> tuple:
        if _UNCHANGED.issuperset(map(type, x)):
            return x
        known = self.seen.get(id(x))
        if known is not None:
            return known[1]
        ours = tuple(map(self.map, x))
        return x if all(a is b for a, b in zip(ours, x)) else self.stands(x, ours)


def _maker(kind: type) -> Callable[[Any, Callable], Any] | None:
    make = MAKERS.get(kind)
    if make is None:
        for key in (kind.__module__, kind.__name__):  # a class of C code may not tell its module
            if key in LATE_MAKERS:
                load_maker(key)
                make = MAKERS.get(kind)
    return make


def load_maker(module: str) -> None:
    load = LATE_MAKERS.get(module)
    if load is not None:
        load()
        LATE_MAKERS.pop(module, None)


def _on_plain(f: FunctionType) -> Any:
    """An assertion: it looks at values, and nothing comes back."""

    @functools.wraps(f)
    def call(*args, **kwargs):
        return f(*plain(args), **plain(kwargs))

    return call


def _refusing(f: FunctionType) -> Any:
    """A function of a library without a rule: of constants only."""

    @functools.wraps(f)
    def call(*args, **kwargs):
        return run_constant(f, args, kwargs)

    return call


def _wraps_liftable(f: FunctionType) -> bool:
    """Wrappers of the standard library (contextmanager) around a function that may be lifted."""
    inner = f.__dict__.get("__wrapped__")
    return type(inner) is FunctionType and may_lift(inner.__globals__.get("__name__") or "")


def _born_lifted(f: Any) -> bool:
    return type(getattr(f, "__globals__", None)) is Shadow


def _module_id(namespace: dict[str, Any]) -> int:
    return id(sys.modules.get(namespace.get("__name__") or ""))


def _builtin(lifter: Lifter, f: Any) -> Any:
    """C functions are replaced by identity; bound methods of objects go by the object."""
    owner = f.__self__
    if owner is None or isinstance(owner, ModuleType):
        ours = REPLACEMENTS.get(f)
        if ours is None and f.__module__ and may_lift(f.__module__):
            return lifter.once(f, lambda: Compiled(f))
        return ours or f
    ours = lifter.map(owner) if _maker(type(owner)) else owner
    return f if ours is owner else getattr(ours, f.__name__)


def _itself(lifter: Lifter, x: Any) -> Any:
    return x


_NUMBERS = frozenset({int, float, str, bool, type(None), np.float64})
_REPLACED_IN = frozenset({"numpy", "scipy", "math", "cmath", "statistics", "importlib"})
_VIEWS: dict[str, ModuleView] = {}  # those that serve every trace
_DISPATCHER = type(np.concatenate)
_LRU = type(functools.lru_cache(lambda: None))
_LASTING = frozenset(
    {FunctionType, BuiltinFunctionType, ModuleType, np.ufunc, _DISPATCHER, _LRU, functools.partial}
)
_UNCHANGED: frozenset[type] = frozenset(
    {int, float, str, bool, complex, type(None), np.ufunc, np.float64, np.int64, *HANDLES}
)
_MAPPERS: dict[type, Callable[[Lifter, Any], Any]] = {
    FunctionType: Lifter.function,
    MethodType: Lifter.method,
    ModuleType: Lifter.module,
    ModuleView: Lifter.module,
    np.ndarray: Lifter.array,
    functools.partial: Lifter.partial,
    _LRU: Lifter.cached,
    BuiltinFunctionType: _builtin,
    _DISPATCHER: lambda lifter, f: REPLACEMENTS.get(f, f),
    list: Lifter.of_list,
    dict: Lifter.of_dict,
    tuple: Lifter.of_tuple,
    **dict.fromkeys((defaultdict, OrderedDict), Lifter.of_dict),
    **dict.fromkeys((deque, set, frozenset), Lifter.of_collection),
    SimpleNamespace: Lifter.of_namespace,
    **dict.fromkeys(LIFTED.values(), _itself),
    StandIn: _itself,
    **dict.fromkeys(_UNCHANGED, _itself),
}

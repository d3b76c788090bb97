"""What a user names on the command line: a function in a file, and a point to evaluate it at."""

import contextlib
import difflib
import inspect
import json
import sys
import traceback
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import lru_cache
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from chainrule.base.errors import ChainruleError, InputError
from chainrule.base.where import Line, is_internal

# --- FILE.py:function


def load_function(spec: str) -> Callable:
    """The function that ``FILE.py:name`` stands for; ``name`` may have dots: ``Model.loss``."""
    path, colon, name = spec.rpartition(":")
    if not colon or not path or not name:
        raise InputError(
            f"{spec!r} is not of the form FILE.py:function.",
            "Name the file, a colon and the function in it, as in model.py:loss.",
            at=None,
        )
    module = load_module(Path(path))
    found: Any = module
    walked = path
    for part in name.split("."):
        if not hasattr(found, part):
            raise InputError(f"{walked} has no {part!r}.", _names_in(found, part), at=None)
        found = getattr(found, part)
        walked = f"{walked}:{part}" if walked == path else f"{walked}.{part}"
    if not callable(found):
        what = f"{walked} is not a function but of type {type(found).__name__}."
        raise InputError(what, _names_in(module, name), at=None)
    return found


@lru_cache
def load_module(path: Path) -> ModuleType:
    """The file as a module, run once; its folder stays on ``sys.path``, as for a script."""
    if not path.is_file():
        what = f"{path} is a folder." if path.is_dir() else f"There is no file {path}."
        raise InputError(what, _files_near(path), at=None)
    if path.suffix == ".ipynb":
        remedy = "Copy the function into a .py file; in a notebook, call chainrule.check(f, x)."
        raise InputError(f"{path} is a notebook.", remedy, at=None)
    file = path.resolve()
    name, root = _module_name(file)
    if root not in sys.path:
        sys.path.insert(0, root)
    loader = SourceFileLoader(name, str(file))  # whatever the file's suffix
    spec = spec_from_file_location(name, file, loader=loader)
    assert spec is not None
    module = module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickle look it up there
    with running(f"Importing {path}", "The file must import without an error."):
        loader.exec_module(module)
    return module


def _module_name(path: Path) -> tuple[str, str]:
    """The module's name and the folder to import it from; a file in a package stays in it."""
    folder, name = path.parent, path.stem
    while (folder / "__init__.py").exists():
        name = f"{folder.name}.{name}"
        folder = folder.parent
    if "." not in name and (name in sys.stdlib_module_names or name in sys.modules):
        name = f"user_{name}"  # random.py, numpy.py: the real ones stay what they are
    return name, str(folder)


def _names_in(owner: Any, wanted: str) -> str:
    offered = {
        name: value for name, value in getattr(owner, "__dict__", {}).items() if callable(value)
    }
    names = [name for name in offered if not name.startswith("_")]
    if isinstance(owner, ModuleType):  # what it imported is not what it offers
        own = [n for n in names if getattr(offered[n], "__module__", None) == owner.__name__]
        names = own or names
    close = difflib.get_close_matches(wanted, names, 1)
    if close:
        return f"Did you mean {close[0]!r}?"
    return f"It has {_listed(names)}." if names else "It defines no function."


def _files_near(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f"There is no folder {folder} either; paths are relative to {Path.cwd()}."
    names = [entry.name for entry in folder.iterdir() if entry.suffix == path.suffix]
    close = difflib.get_close_matches(path.name, names, 1)
    if close:
        return f"Did you mean {folder / close[0]}?"
    return f"Paths are relative to {Path.cwd()}."


# --- point.npz


def load_point(path: Path) -> dict[str, Any]:
    """The arguments in the file by name; ``params.W`` and ``params.b`` make a dict ``params``.

    A dictionary whose keys are 0, 1, 2, ... becomes a list; an array without dimensions a scalar.
    Pickled objects are never loaded. JSON holds the arguments as they are, lists being arrays.
    """
    if not path.is_file():
        what = f"{path} is a folder." if path.is_dir() else f"There is no file {path}."
        raise InputError(what, _files_near(path), at=None)
    if path.suffix == ".json":
        return _load_json(path)
    with path.open("rb") as stream:  # ours to close, whatever is in it
        try:
            file = np.load(stream, allow_pickle=False)
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise InputError(f"{path} is not an npz file.", _SAVE, at=None) from error
        if not isinstance(file, np.lib.npyio.NpzFile):
            raise InputError(f"{path} holds one array without a name.", _SAVE, at=None)
        with file:
            arrays = {name: _read(file, name, path) for name in file.files}
    if not arrays:
        raise InputError(f"{path} holds no arrays.", _SAVE, at=None)
    return _nested(arrays, path)


def _load_json(path: Path) -> dict[str, Any]:
    remedy = 'Write the arguments by name: {"x": [1.0, 2.0], "scale": 3.0}.'
    try:
        point = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path} is not JSON: {error}.", remedy, at=None) from error
    if not isinstance(point, dict) or not point:
        raise InputError(f"{path} does not hold arguments by name.", remedy, at=None)
    return {name: _arrays(value) for name, value in point.items()}


def _arrays(value: Any) -> Any:
    """Lists of numbers as arrays, ragged ones as lists of arrays."""
    if isinstance(value, dict):
        return {name: _arrays(part) for name, part in value.items()}
    if not isinstance(value, list):
        return value
    with contextlib.suppress(ValueError):
        array = np.array(value)
        if array.dtype.kind in "biuf":
            return array
    return [_arrays(part) for part in value]


_SAVE = "Save the arguments by name: np.savez('point.npz', x=x, y=y)."


def _read(file: Any, name: str, path: Path) -> Any:
    try:
        array = file[name]
    except ValueError as error:
        if "allow_pickle" not in str(error) and "Object arrays" not in str(error):
            raise InputError(
                f"{name!r} in {path} cannot be read: {error}", _SAVE, at=None
            ) from error
        raise InputError(
            f"{name!r} in {path} is an array of Python objects; these are never loaded, "
            "because unpickling a file can run any code.",
            "Save plain arrays of numbers; a dictionary's arrays as 'params.W1', 'params.b1', ...",
            at=None,
        ) from error
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error, KeyError) as error:
        raise InputError(f"{name!r} in {path} is damaged: {error}", _SAVE, at=None) from error
    if not isinstance(array, np.ndarray):
        raise InputError(f"{name!r} in {path} is not an array.", _SAVE, at=None)
    return array[()] if array.ndim == 0 else array


def _nested(arrays: dict[str, Any], path: Path) -> dict[str, Any]:
    root: dict[str, Any] = {}
    branches = [root]
    for name, array in arrays.items():
        *outer, last = name.split(".")
        node = root
        for key in outer:
            node = node.setdefault(key, {})
            if not isinstance(node, dict):
                break
            branches.append(node)
        if not isinstance(node, dict) or last in node:
            clash = f"{name!r} in {path} is both an array and a dictionary of arrays."
            raise InputError(clash, "Rename one of them.", at=None)
        node[last] = array
    return {name: _lists(value) for name, value in root.items()}


def _lists(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    node = {key: _lists(value) for key, value in node.items()}
    if set(node) == {str(i) for i in range(len(node))}:
        return [node[str(i)] for i in range(len(node))]
    return node


# --- a function meets a point


def bind(f: Callable, point: dict[str, Any], source: Path) -> inspect.BoundArguments:
    """The call of ``f`` that gives each parameter the array of its name."""
    title = title_of(f)
    try:
        signature = inspect.signature(f)
    except (ValueError, TypeError) as error:
        what = f"The parameters of {title} have no names Python can see."
        raise InputError(what, "Wrap it in a function of named arguments.", at=None) from error
    kinds = inspect.Parameter
    parameters = signature.parameters.values()
    named = [p for p in parameters if p.kind not in (kinds.VAR_POSITIONAL, kinds.VAR_KEYWORD)]
    rest = [p.name for p in parameters if p.kind is kinds.VAR_KEYWORD]

    arguments = {p.name: point[p.name] for p in named if p.name in point}
    missing = [p.name for p in named if p.default is p.empty and p.name not in point]
    others = {name: value for name, value in point.items() if name not in arguments}
    if rest:
        arguments[rest[0]] = others
    sentences = []
    if missing:
        sentences.append(f"{title} needs {_listed(missing)}, which {source} does not hold.")
    if others and not rest:
        sentences.append(f"{source} holds {_listed(list(others))}, which {title} does not take.")
    if sentences:
        remedy = f"Arrays and arguments must have the same names; it holds {_listed(list(point))}."
        raise InputError(" ".join(sentences), remedy, at=None)
    return inspect.BoundArguments(signature, arguments)


def title_of(f: Callable) -> str:
    """``loss(params, X, Y)``."""
    name = getattr(f, "__name__", None) or getattr(f, "func", type(f)).__name__
    try:
        parameters = inspect.signature(f).parameters.values()
    except (ValueError, TypeError):
        return f"{name}(...)"
    stars: dict[Any, str] = {
        inspect.Parameter.VAR_POSITIONAL: "*",
        inspect.Parameter.VAR_KEYWORD: "**",
    }
    return f"{name}({', '.join(stars.get(p.kind, '') + p.name for p in parameters)})"


def _listed(names: list[str]) -> str:
    names = [repr(name) for name in names]
    shown = names if len(names) <= 8 else [*names[:7], f"{len(names) - 7} more"]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


# --- the user's code runs


@contextlib.contextmanager
def running(what: str, remedy: str) -> Iterator[None]:
    """Turn whatever the user's code raises into an InputError that shows the user's line."""
    try:
        yield
    except ChainruleError:
        raise
    except SyntaxError as error:
        at = Line(error.filename or "", error.lineno or 0, "")
        raise InputError(f"{what} failed: {error.msg}.", remedy, at=at) from error
    except (Exception, SystemExit) as error:
        text = f"{type(error).__name__}: {error}".rstrip(": ")
        raise InputError(f"{what} failed. {text}", remedy, at=_last_line(error)) from error


def _last_line(error: BaseException) -> Line | None:
    """The innermost line of the user's code that the error passed through."""
    lines = [
        Line(frame.f_code.co_filename, number, frame.f_code.co_name)
        for frame, number in traceback.walk_tb(error.__traceback__)
        if not is_internal(frame.f_code.co_filename)
    ]
    return lines[-1] if lines else None

"""Imports go down only, also those inside functions; ``import chainrule`` is light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import chainrule

SOURCE = Path(chainrule.__file__).parent

# What each package may import of chainrule, besides itself.
LOW = {"base"}
CORE = LOW | {"core"}
RULES = CORE | {"rules"}
TRANSFORMS = RULES | {"transforms", "numeric"}
USERS = TRANSFORMS | {"numpy", "scipy", "math", "", "explainer", "compiler", "checker"}
ALLOWED = {
    "base": LOW,
    "numeric": LOW,
    "core": CORE,
    "rules": CORE,
    "transforms": TRANSFORMS,
    "explainer": TRANSFORMS,
    "compiler": TRANSFORMS,
    "checker": TRANSFORMS | {"explainer"},
    "numpy": TRANSFORMS,
    "scipy": TRANSFORMS,
    "math": TRANSFORMS,
    "interop": USERS,
    "testing": USERS,
    "cli": USERS | {"interop", "testing", "data"},
    "__main__": USERS | {"cli"},
    "": USERS | {"interop", "testing"},
}
# Heavy or optional packages: ``import chainrule`` never imports them; these modules may at the top.
HEAVY = {
    "scipy": {"rules.scipy", "scipy", "interop.scipy"},
    "typer": {"cli"},
    "rich": {"cli", "base.progress"},
    "matplotlib": set(),
    "jinja2": set(),
    "latex2mathml": set(),
    "llvmlite": {"compiler"},
    "torch": set(),
    "jax": set(),
    "dask": set(),
    "cupy": set(),
    "nlopt": set(),
    "pytest": {"testing"},
    "hypothesis": {"testing"},
}


def module_name(path: Path) -> str:
    """``core.trace`` for .../chainrule/core/trace.py; "" for the package itself."""
    parts = list(path.relative_to(SOURCE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> list[tuple[str, int, bool]]:
    """(full name of the module imported, line, whether at import time)."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found: list[tuple[str, int, bool]] = []
    package = ["chainrule", *path.relative_to(SOURCE).parent.parts]

    def visit(node: ast.AST, at_import: bool) -> None:
        if isinstance(node, ast.Import):
            found.extend((a.name, node.lineno, at_import) for a in node.names)
        elif isinstance(node, ast.ImportFrom):
            stem = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*stem, *([node.module] if node.module else [])])
            if module == "chainrule":
                found.extend((f"chainrule.{a.name}", node.lineno, at_import) for a in node.names)
            else:
                found.append((module, node.lineno, at_import))
        elif isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            return
        inside = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        for child in ast.iter_child_nodes(node):
            visit(child, at_import and not inside)

    visit(tree, True)
    return found


def layer(name: str) -> str:
    """The first part below chainrule; public names of ``chainrule`` itself count as the top, ""."""
    first = name.split(".")[0]
    return first if (SOURCE / first).is_dir() or (SOURCE / f"{first}.py").exists() else ""


MODULES = sorted(SOURCE.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=[module_name(p) or "chainrule" for p in MODULES])
def test_imports_go_down_only(path):
    name = module_name(path)
    own = layer(name)
    wrong = []
    for target, line, at_import in imports(path):
        if target == "chainrule" or target.startswith("chainrule."):
            other = layer(target.removeprefix("chainrule").lstrip("."))
            if other != own and other not in ALLOWED[own]:
                wrong.append(f"line {line}: {own or 'chainrule'} imports {target}")
        else:
            package = target.split(".")[0]
            allowed = HEAVY.get(package)
            if allowed is not None and at_import and not any(name.startswith(a) for a in allowed):
                wrong.append(f"line {line}: {target} at import time")
    assert not wrong, f"{path}:\n  " + "\n  ".join(wrong)


def test_every_package_has_a_place():
    packages = {p.name for p in SOURCE.iterdir() if p.is_dir() and (p / "__init__.py").exists()}
    modules = {p.stem for p in SOURCE.glob("*.py")} - {"__init__"}
    assert packages | modules <= set(ALLOWED), "give a new package its place in ALLOWED"


def test_rules_touch_no_tracer():
    """Rules are NumPy code: they use core's declarations and nothing of a tracer's insides."""
    wrong = []
    for path in (SOURCE / "rules").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr in ("_trace", "_var", "_value"):
                wrong.append(f"{path.name}:{node.lineno} .{node.attr}")
    assert not wrong, wrong


def test_import_is_light():
    code = (
        f"import sys, chainrule; heavy = {set(HEAVY)}; "
        "print(sorted(heavy & {m.split('.')[0] for m in sys.modules}))"
    )
    out = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True
    )
    assert out.returncode == 0, out.stderr
    assert out.stdout.strip() == "[]", f"import chainrule brought in {out.stdout}"

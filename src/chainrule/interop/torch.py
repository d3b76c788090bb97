"""``check_torch``: PyTorch's gradients, or those of your own ``autograd.Function``, by numbers."""

import copy
import inspect
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from time import monotonic
from typing import Any

import numpy as np

from chainrule.base import tree
from chainrule.base.errors import ArgumentError, InputError
from chainrule.checker.limits import Budget
from chainrule.checker.report import Finding, Report
from chainrule.interop.adapters import Late, Options, judged_by_name, signs, summary, word

torch: Any = Late("torch")

_PATIENCE = 20.0  # seconds for a look at the modules of a wrong one


def check_torch(
    module: Callable,
    *inputs: Any,
    wrt: str | tuple[str, ...] | None = None,
    seed: int = 0,
    tol: float = 1e-6,
    mode: Any = "auto",
    seconds: float | None = None,
    evaluations: int | None = None,
) -> Report:
    """Compare the gradients of a PyTorch module or function with certified numerical slopes.

    module : ``nn.Module``, function of tensors, or subclass of ``autograd.Function``. It runs in
    float64 on copies; parameters, buffers and random generators are what they were afterwards.
    Dropout draws the same numbers in every call.   inputs : of the call; tensors of floats are
    differentiated, and so are parameters that require a gradient.   wrt : only these, by name.
    Values that are not one number are multiplied by a random cotangent. The other options are
    those of ``check``. Where a module is wrong, the modules inside are checked one by one, and
    ``report.fault`` names the first wrong one in backward order.
    """
    options = {"seed": seed, "tol": tol, "mode": mode}
    target = _Target(module, inputs, seed, (wrt,) if isinstance(wrt, str) else wrt)
    report = target.judged(options, Budget(seconds, evaluations))
    if report.verdict == "fail" and target.module is not None:
        report = _localised(report, target, options)
    elif report.verdict == "fail":
        report = replace(report, fault=_functions_named(target.custom_functions()))
    names = ", ".join([word(module), *target.input_names])
    return replace(
        report,
        claimed_by="PyTorch's backward",
        numeric_from=f"differences of {target.title} in float64",
        reproduce=f"chainrule.check_torch({names}, seed={seed})",
        warnings=(*report.warnings, *target.notes()),
    )


class _Target:
    """A module or function with its inputs, as a scalar function of named arrays."""

    def __init__(
        self, call: Callable, inputs: tuple, seed: int, wrt: tuple[str, ...] | None = None
    ):
        self.seed = seed
        self.title = _title(call)
        self.module: Any = _copied(call) if isinstance(call, torch.nn.Module) else None
        if isinstance(call, type) and issubclass(call, torch.autograd.Function):
            call = getattr(call, "apply")  # noqa: B009
        self.call = call if self.module is None else self.module
        self.inputs = tree.map(_double, tuple(inputs))
        self.input_names = self._names_of_inputs(call)
        self.parameters, self.buffers = {}, {}
        if self.module is not None:
            parameters = dict(self.module.named_parameters())
            self.parameters = {n: p for n, p in parameters.items() if p.requires_grad}
            fixed = {n: p for n, p in parameters.items() if not p.requires_grad}
            self.buffers = {**dict(self.module.named_buffers()), **fixed}
        self.leaves, self.structure = tree.flatten(self.inputs)
        paths = [
            path
            for name, value in zip(self.input_names, self.inputs)
            for path in tree.paths(value, name)
        ]
        self.places = {
            path: i for i, (path, leaf) in enumerate(zip(paths, self.leaves)) if _is_float(leaf)
        }
        self.wanted = self._wanted(wrt)
        self.cotangents: list[Any] | None = None

    def _names_of_inputs(self, call: Callable) -> list[str]:
        f = self.module.forward if self.module is not None else call
        try:
            found = [p.name for p in inspect.signature(f).parameters.values() if _positional(p)]
        except (ValueError, TypeError):
            found = []
        found = found[: len(self.inputs)]
        return found + [f"input_{i}" for i in range(len(found), len(self.inputs))]

    def _wanted(self, wrt: tuple[str, ...] | None) -> list[str]:
        names = [*self.parameters, *self.places]
        if wrt is None:
            if not names:
                what = (
                    f"{self.title} has no parameter that requires a gradient, and no float input."
                )
                raise ArgumentError(what, "There is nothing to differentiate.")
            return names
        unknown = [name for name in wrt if name not in names]
        if unknown:
            what = f"wrt={unknown[0]!r} is no parameter or input of {self.title}."
            raise ArgumentError(what, f"Choose from {', '.join(names)}.")
        return list(wrt)

    # --- the function and its claimed gradient

    @property
    def values(self) -> dict[str, np.ndarray]:
        return {name: _array(self._tensor(name)) for name in self.wanted}

    def _tensor(self, name: str) -> Any:
        return self.parameters[name] if name in self.parameters else self.leaves[self.places[name]]

    def judged(self, options: Options, budget: Budget | None = None) -> Report:
        return judged_by_name(self.value, self.gradient, self.values, options, budget)

    def value(self, values: dict[str, np.ndarray]) -> Any:
        """The value, or the sum of all values times fixed random cotangents."""
        return _array(self._scalar(self._tensors(values)))[()]

    def gradient(self, values: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        tensors = self._tensors(values)
        total = self._scalar(tensors)
        if not total.requires_grad:
            found = [None] * len(tensors)
        else:
            found = torch.autograd.grad(total, list(tensors.values()), allow_unused=True)
        return {
            name: np.zeros_like(values[name]) if g is None else _array(g)
            for name, g in zip(tensors, found)
        }

    def _tensors(self, values: dict[str, np.ndarray]) -> dict[str, Any]:
        made = {}
        for name, value in values.items():
            like = self._tensor(name)
            tensor = torch.tensor(np.asarray(value), dtype=like.dtype, device=like.device)
            made[name] = tensor.requires_grad_()
        return made

    def _scalar(self, tensors: dict[str, Any]) -> Any:
        outputs = self.outputs(tensors)
        if len(outputs) == 1 and outputs[0].ndim == 0 and not outputs[0].is_complex():
            return outputs[0]
        if self.cotangents is None:
            rng = np.random.default_rng(self.seed)
            drawn = [signs(rng, tuple(y.shape), y.is_complex()) for y in outputs]
            self.cotangents = [torch.tensor(g).to(y) for g, y in zip(drawn, outputs)]
        return sum(torch.real(torch.sum(g.conj() * y)) for g, y in zip(self.cotangents, outputs))

    def outputs(self, tensors: dict[str, Any], seed: int | None = None) -> list[Any]:
        """All tensors of floats in what one call returns."""
        leaves = list(self.leaves)
        for name, i in self.places.items():
            # a clone may be changed in place, a leaf may not
            leaves[i] = (tensors[name] if name in tensors else leaves[i]).clone()
        inputs = tree.unflatten(self.structure, leaves)
        with _same_numbers(self.seed if seed is None else seed), torch.enable_grad():
            if self.module is None:
                found = self.call(*inputs)
            else:
                state = {name: b.clone() for name, b in self.buffers.items()}
                chosen = {n: tensors.get(n, p.detach()) for n, p in self.parameters.items()}
                found = torch.func.functional_call(self.module, {**state, **chosen}, inputs)
        outputs = [y for y in tree.flatten(found)[0] if _is_float(y)]
        if not outputs:
            what = f"{self.title} returned no tensor of floats, but a {type(found).__name__}."
            raise InputError(what, "Return a tensor, or a tuple or dict of tensors.")
        return outputs

    # --- what else there is to say

    def notes(self) -> Iterator[str]:
        """Randomness and state that were held fixed."""
        tensors = self._tensors(self.values)
        try:
            first, other = self.outputs(tensors), self.outputs(tensors, self.seed + 1)
        except Exception:  # said already
            return
        if any(a.shape != b.shape or not torch.equal(a, b) for a, b in zip(first, other)):
            yield f"it draws random numbers: the generators start at {self.seed} in every call"
        if self.module is not None and self.module.training and self._changes_buffers():
            yield "it changes its buffers (running statistics): every call starts from the same"

    def _changes_buffers(self) -> bool:
        state = {name: b.detach().clone() for name, b in self.buffers.items()}
        given = {**state, **{n: p.detach() for n, p in self.parameters.items()}}
        inputs = tree.unflatten(
            self.structure, [x.clone() if _is_float(x) else x for x in self.leaves]
        )
        with _same_numbers(self.seed), torch.no_grad():
            torch.func.functional_call(self.module, given, inputs)
        return any(not torch.equal(state[name], b) for name, b in self.buffers.items())

    def custom_functions(self) -> list[str]:
        """Names of the ``autograd.Function`` classes in the graph of one call."""
        todo = [y.grad_fn for y in self.outputs(self._tensors(self.values))]
        names: dict[str, None] = {}
        seen = set()
        while todo:
            node = todo.pop()
            if node is None or node in seen:
                continue
            seen.add(node)
            cls = getattr(type(node), "_forward_cls", None)
            if cls is not None:
                names[cls.__name__] = None
            todo += [following for following, _ in node.next_functions]
        return list(names)


# --- which module


def _localised(report: Report, whole: _Target, options: Options) -> Report:
    """The report with the first wrong module in backward order."""
    try:
        calls = _calls(whole)
        findings, fault = _examined(calls, options)
    except Exception as error:
        text = f"the search for the wrong module stopped: {type(error).__name__}: {error}"
        return replace(report, warnings=(*report.warnings, text))
    if not fault:
        fault = f"no module inside is wrong: the fault is in {whole.title}.forward itself"
        fault += _functions_named(whole.custom_functions(), ", which uses ")
    return replace(report, fault=fault, findings=tuple(findings))


_Call = tuple[str, Any, tuple]  # name, module, inputs


def _calls(whole: _Target) -> list[_Call]:
    """The first call of every module inside, in the order in which they ended."""
    calls: dict[str, _Call] = {}
    entered: dict[str, tuple] = {}
    hooks = []
    for name, module in whole.module.named_modules():
        if not name:
            continue

        def hook(module: Any, args: Any, output: Any, name: str = name) -> None:
            if name not in calls:
                calls[name] = (name, module, entered.pop(name))

        def enter(module: Any, args: Any, name: str = name) -> None:
            keep = lambda x: x.detach().clone() if isinstance(x, torch.Tensor) else x
            entered[name] = tree.map(keep, args)

        hooks += [module.register_forward_pre_hook(enter), module.register_forward_hook(hook)]
    try:
        whole.outputs(whole._tensors(whole.values))
    finally:
        for hook_ in hooks:
            hook_.remove()
    return list(calls.values())


def _examined(calls: list[_Call], options: Options) -> tuple[list[Finding], str]:
    """Judge modules from the last one backwards; of containers only those with right children."""
    findings: list[Finding] = []
    fault = ""
    wrong: list[str] = []
    start = monotonic()
    # innermost first, and of those the last one first
    order = sorted(range(len(calls)), key=lambda i: (-calls[i][0].count("."), -i))
    for name, module, inputs in (calls[i] for i in order):
        where = f"{name} ({type(module).__name__})"
        if any(other.startswith(f"{name}.") for other in wrong):
            continue
        if monotonic() - start > _PATIENCE:
            findings.append(Finding(where, "inconclusive", "not examined: out of time"))
            continue
        try:
            part = _Target(module, inputs, options["seed"])
        except ArgumentError:  # nothing to differentiate
            continue
        report = part.judged(options)
        text = "" if report.ok else report.reason
        if report.verdict == "fail":
            wrong.append(name)
            text = summary(report)
            functions = _functions_named(part.custom_functions(), ", which uses ")
            fault = fault or f"the backward pass of {where} is wrong ({text}){functions}"
        findings.append(Finding(where, report.verdict, text))
    places = {f"{name} ({type(m).__name__})": -i for i, (name, m, _) in enumerate(calls)}
    findings.sort(key=lambda finding: places[finding.where])
    return findings, fault


def _functions_named(names: list[str], before: str = "it uses ") -> str:
    return f"{before}autograd.Function {', '.join(names)}" if names else ""


# --- tensors and arrays


def _copied(module: Any) -> Any:
    try:
        return copy.deepcopy(module).double()
    except RuntimeError as error:
        what = f"{_title(module)} cannot be copied: {error}"
        raise InputError(
            what, "Give a fresh module, without tensors that have a history."
        ) from error


def _double(x: Any) -> Any:
    if isinstance(x, np.ndarray):
        x = torch.from_numpy(x)
    if not _is_float(x):
        return x
    return x.detach().to(torch.complex128 if x.is_complex() else torch.float64).clone()


def _is_float(x: Any) -> bool:
    return isinstance(x, torch.Tensor) and (x.is_floating_point() or x.is_complex())


def _array(x: Any) -> np.ndarray:
    return x.detach().resolve_conj().resolve_neg().cpu().numpy().copy()


def _positional(parameter: inspect.Parameter) -> bool:
    return parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)


def _title(call: Any) -> str:
    if isinstance(call, torch.nn.Module):
        return type(call).__name__
    return getattr(call, "__name__", type(call).__name__)


@contextmanager
def _same_numbers(seed: int) -> Iterator[None]:
    """All generators start at the seed; afterwards they go on where they were."""
    states = np.random.get_state(), random.getstate()
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        np.random.seed(seed % 2**32)
        random.seed(seed)
        try:
            yield
        finally:
            np.random.set_state(states[0])
            random.setstate(states[1])

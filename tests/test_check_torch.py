"""``check_torch``: right modules pass, wrong backward passes are named, nothing changes."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

import chainrule as cr  # noqa: E402
from chainrule.base.errors import ArgumentError, InputError  # noqa: E402
from chainrule.interop.torch import check_torch  # noqa: E402


class Cube(torch.autograd.Function):
    """x^3, with a factor that a test may get wrong."""

    factor = 3.0

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return Cube.factor * x**2 * g


class WrongCube(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return 3 * x * g


class Activation(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function.apply(x)


def network(function):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), Activation(function), nn.Linear(4, 2), nn.Tanh())


@pytest.fixture
def x():
    return torch.randn(5, 3, generator=torch.Generator().manual_seed(1))


def test_a_right_module_passes_and_parameters_have_their_names(x):
    report = check_torch(network(Cube), x)
    assert report.verdict == "pass", str(report)
    names = [row.name for row in report.arguments]
    assert {"0.weight", "0.bias", "2.weight", "2.bias"} < set(names)
    assert report.claimed_by == "PyTorch's backward"
    assert "float64" in report.numeric_from
    assert cr.check_torch is check_torch


def test_the_wrong_function_is_named_with_its_module(x):
    report = check_torch(network(WrongCube), x)
    assert report.verdict == "fail"
    assert "1 (Activation)" in report.fault and "WrongCube" in report.fault
    verdicts = {finding.where: finding.verdict for finding in report.findings}
    assert verdicts == {
        "3 (Tanh)": "pass",
        "2 (Linear)": "pass",
        "1 (Activation)": "fail",
        "0 (Linear)": "pass",
    }
    assert [f.where for f in report.findings] == list(verdicts)


def test_the_first_wrong_one_in_backward_order_comes_first(x):
    model = nn.Sequential(nn.Linear(3, 3), Activation(WrongCube), Activation(WrongCube))
    assert "2 (Activation)" in check_torch(model, x).fault


def test_a_fault_in_the_code_of_the_container_itself(x):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Linear(3, 3)

        def forward(self, x):
            return WrongCube.apply(self.inner(x)).sum()

    report = check_torch(Net(), x)
    assert "Net.forward itself" in report.fault and "WrongCube" in report.fault
    outer = nn.Sequential(nn.Linear(3, 3), Net())
    assert "1 (Net)" in check_torch(outer, x).fault


def test_functions_and_function_classes(x):
    assert check_torch(Cube, x).ok
    report = check_torch(WrongCube, x)
    assert report.verdict == "fail"
    assert "WrongCube" in report.fault
    assert check_torch(lambda a, b: (a @ b).exp().sum(), x, x.T.clone()).ok
    report = check_torch(lambda a, b: {"y": a * b, "z": [a.sum()]}, x, 2 * x)
    assert report.ok
    assert [row.name for row in report.arguments] == ["a", "b"]


def test_only_some_by_name(x):
    report = check_torch(network(Cube), x, wrt="2.weight")
    assert [row.name for row in report.arguments] == ["2.weight"]
    with pytest.raises(ArgumentError, match=r"Choose from 0\.weight"):
        check_torch(network(Cube), x, wrt="3.weight")


def test_nothing_of_the_callers_changes(x):
    model = nn.Sequential(
        nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.ReLU(inplace=True)
    )
    before = {name: value.clone() for name, value in model.state_dict().items()}
    torch.manual_seed(7)
    np.random.seed(7)
    expected = torch.rand(3), np.random.rand(3)
    torch.manual_seed(7)
    np.random.seed(7)
    copy_of_x = x.clone()
    report = check_torch(model, x)
    assert report.ok, str(report)
    assert any("random numbers" in text for text in report.warnings)
    assert any("buffers" in text for text in report.warnings)
    assert torch.equal(torch.rand(3), expected[0])
    np.testing.assert_array_equal(np.random.rand(3), expected[1])
    assert torch.equal(x, copy_of_x)
    after = model.state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.items())
    assert all(p.dtype == torch.float32 and p.grad is None for p in model.parameters())


def test_evaluation_mode_has_nothing_to_say_of_randomness(x):
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5)).eval()
    report = check_torch(model, x)
    assert report.ok
    assert not report.warnings


@pytest.mark.parametrize(
    ("model", "shape"),
    [
        (nn.LSTM(3, 4), (5, 2, 3)),
        (nn.Conv2d(2, 3, 3, padding=1, stride=2), (2, 2, 5, 5)),
        (nn.MultiheadAttention(4, 2, batch_first=True), None),
        (nn.LayerNorm(3), (5, 3)),
    ],
)
def test_modules_of_pytorch(model, shape):
    if shape is None:
        inputs = (torch.randn(1, 3, 4),) * 3
    else:
        inputs = (torch.randn(*shape),)
    report = check_torch(model, *inputs)
    assert report.ok, str(report)


def test_integer_inputs_are_fixed_and_frozen_parameters_too():
    model = nn.Embedding(5, 2)
    report = check_torch(model, torch.tensor([1, 2, 2]))
    assert [row.name for row in report.arguments] == ["weight"]
    assert report.ok
    frozen = nn.Linear(2, 2)
    frozen.weight.requires_grad_(False)
    report = check_torch(frozen, torch.randn(3, 2))
    assert [row.name for row in report.arguments] == ["bias", "input"]
    with pytest.raises(ArgumentError, match="nothing to differentiate"):
        check_torch(nn.Identity(), torch.tensor([1]))


def test_tied_parameters_and_unused_ones():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.Linear(3, 3, bias=False)
            self.b = nn.Linear(3, 3, bias=False)
            self.b.weight = self.a.weight
            self.unused = nn.Parameter(torch.ones(2))

        def forward(self, x):
            return self.b(torch.tanh(self.a(x)))

    report = check_torch(Tied(), torch.randn(2, 3))
    assert report.ok, str(report)


def test_complex_tensors():
    z = torch.randn(3, dtype=torch.complex64)
    assert check_torch(lambda z: (z * z.conj()).real.sum(), z).ok
    assert check_torch(lambda z: torch.fft.fft(z**2), z).ok


def test_what_raises_is_told(x):
    class Broken(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            raise RuntimeError("not yet written")

    report = check_torch(Broken, x)
    assert report.verdict == "fail"
    assert "the backward pass raised RuntimeError: not yet written" in report.reason
    report = check_torch(nn.Linear(7, 2), x)
    assert report.verdict == "inconclusive"
    assert "the forward pass raised RuntimeError" in report.reason
    with pytest.raises(InputError, match="no tensor of floats"):
        check_torch(lambda x: None, x)


def test_state_of_the_module_is_impurity(x):
    class Counting(nn.Module):
        def __init__(self):
            super().__init__()
            self.count = 0

        def forward(self, x):
            self.count += 1
            return (x * self.count).sum()

    report = check_torch(Counting(), x)
    assert report.verdict == "inconclusive"
    assert "keeps a state" in report.reason

"""Every operator of PyTorch's test database that plain NumPy can say: the same derivatives.

Values and gradients are PyTorch's, real and complex, with forward mode and second order beside
them. ``LEFT_OUT`` has the others, each with its reason.
"""

import itertools

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("expecttest")  # PyTorch's own tests want it
pytest.importorskip("scipy", minversion="1.14")  # scipy.linalg of stacks of matrices

import chainrule as cr
from tests.helpers import slope
from tests.peers import database
from tests.peers.elementwise import ELEMENTWISE, WITHOUT_DERIVATIVE
from tests.peers.indexing import INDEXING
from tests.peers.layers import LAYERS
from tests.peers.linear_algebra import LINEAR_ALGEBRA
from tests.peers.losses import LOSSES
from tests.peers.reductions import REDUCTIONS
from tests.peers.resampling import RESAMPLING
from tests.peers.shapes import SHAPES

TABLE = {
    **ELEMENTWISE,
    **REDUCTIONS,
    **SHAPES,
    **INDEXING,
    **LINEAR_ALGEBRA,
    **LAYERS,
    **RESAMPLING,
    **LOSSES,
}
MANY = 10**6

pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning:torch"),
    pytest.mark.filterwarnings("ignore::RuntimeWarning"),  # means of nothing, among the samples
    pytest.mark.filterwarnings("ignore::chainrule.base.errors.IndependentOutputWarning"),
]

LEFT_OUT = {
    "random numbers": "normal bernoulli nn.functional.dropout nn.functional.dropout2d "
    "nn.functional.dropout3d nn.functional.alpha_dropout nn.functional.feature_alpha_dropout "
    "nn.functional.rrelu nn.functional.fractional_max_pool2d nn.functional.fractional_max_pool3d "
    "svd_lowrank pca_lowrank nn.functional.multi_head_attention_forward native_dropout_backward",
    "dtypes that NumPy does not have, or too coarse to compare": "bfloat16 half chalf",
    "sparse matrices: tests/test_scipy_sparse.py": "sparse.sampled_addmm sparse.mm to_sparse",
    "nothing depends on the operand": "zero_ nn.functional.one_hot",
    "PyTorch's own steps of other operators": "_softmax_backward_data "
    "max_pool2d_with_indices_backward _native_batch_norm_legit _batch_norm_with_update "
    "torch.ops.aten._flash_attention_forward torch.ops.aten._efficient_attention_forward "
    "nn.functional.linear_cross_entropy nn.functional.embedding_bag _upsample_bilinear2d_aa "
    "torch.ops.aten._safe_softmax.default",
    "a view of more memory than the array's own": "as_strided.partial_views",
    "PyTorch's derivative is wrong: it lets through what was overwritten, repeats what was "
    "written once, is zero or absent, or ignores that one triangle is read": "as_strided_scatter "
    "nn.functional.max_unpool1d nn.functional.max_unpool2d nn.functional.max_unpool3d "
    "_chunk_cat heaviside cholesky_solve",
    "many steps of overlapping sums": "istft",
}
NOT_COMPARED = " ".join(LEFT_OUT.values()).split()


@pytest.fixture(autouse=True)
def quiet():
    with np.errstate(all="ignore"):
        yield


def pairs(name):
    """The operators that an entry of the table stands for, unless a closer entry exists."""
    for op in database.operators().get(name, []):
        full_name = database.full_name(op)
        if name == full_name or full_name not in {*TABLE, *NOT_COMPARED}:
            for dtype in database.DTYPES:
                if dtype in op.supported_dtypes("cpu"):
                    yield op, dtype


def run(name, first, step, second):
    """The first samples in steps."""
    ops = list(pairs(name))
    if not ops:
        pytest.skip("not in the installed PyTorch")
    function, compared = TABLE[name], 0
    for op, dtype in ops:
        for sample in itertools.islice(database.samples(op, dtype), 0, first, step):
            try:
                compared += database.compare(op, function, sample, second)
            except Exception as error:
                error.add_note(f"{database.full_name(op)} {dtype} {sample.summary()}"[:1000])
                raise
    if not compared:
        pytest.skip("no sample has a derivative")


@pytest.mark.parametrize("name", sorted(TABLE)[::4])
def test_some_derivatives(name):
    run(name, first=8, step=7, second=False)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(TABLE))
def test_all_samples_and_second_derivatives(name):
    run(name, first=MANY, step=1, second=True)


def test_every_operator_is_compared_or_left_out():
    import torch

    if not torch.__version__.startswith("2.13"):
        pytest.skip("the list is PyTorch 2.13's")
    known = {*TABLE, *NOT_COMPARED}
    missing = [
        name
        for name, ops in database.operators().items()
        if not any({op.name, database.full_name(op)} & known for op in ops)
    ]
    assert not missing, missing


# ---------------------------------------------------------------- those PyTorch cannot judge

POINTS = np.array([0.3, 0.9, 1.7, 2.6, 4.2])
SECOND = {"igamma": POINTS[::-1], "igammac": POINTS[::-1], "special.zeta": POINTS[::-1] / 2}
ORDERS = (0, 1, 2, 5)


@pytest.mark.parametrize("name", sorted(WITHOUT_DERIVATIVE))
def test_where_pytorch_has_no_derivative(name):
    """Numbers judge instead."""
    function = WITHOUT_DERIVATIVE[name]
    calls = [function]
    points = (POINTS,)
    if name in SECOND:
        points = (POINTS + 0.9, SECOND[name])
    elif "polynomial" in name:
        calls = [lambda x, n=n: function(x, n) for n in ORDERS]
    for f in calls:
        ones = tuple(np.ones_like(x) for x in points)
        forward = cr.jvp(f, points, ones)[1]
        along = slope(lambda s, f=f: np.asarray(f(*(x + s for x in points))))
        assert along.knows().all() and not along.refutes(forward).any(), (forward, along)
        reverse = cr.vjp(f, *points)[1](np.ones_like(POINTS))
        np.testing.assert_allclose(sum(map(np.sum, reverse)), np.sum(forward), rtol=1e-12)

"""Random indices, reads and writes with them, and random subscripts of ``einsum``."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.random_lines import agree
from tests.random_operands import Choices, points
from tests.test_random_lines import SETTINGS

INDICES = ("0", "-1", "...", "None", "::2", "::-1", "1:", "[0, 0]", "[[0], [-1]]", "True", "m",
           "np.array([], int)", "7")  # fmt: skip
READS_AND_WRITES = (
    "x[{}]",
    "[y := x * 1, y.__setitem__(np.s_[{}], y[{}] * 2), y][-1]",
    "[y := np.zeros(x.shape), y.__setitem__(np.s_[{}], x[{}] ** 2), y][-1]",
)


@settings(SETTINGS, max_examples=80)
@given(st.data())
def test_reads_and_writes(data):
    c = Choices(data)
    shape = c.shape(low=1)
    index = ", ".join(c.of(*INDICES) for _ in range(1 + c.below(len(shape))))
    m = c.mask(shape[:1]) if shape[0] != 1 else np.array([True])
    text = c.of(*READS_AND_WRITES).replace("{}", index)
    agree(text, {"x": points(c.generator(), shape)}, exact=True, m=m)


@settings(SETTINGS, max_examples=30)
@given(st.data())
def test_unbuffered_adds(data):
    c = Choices(data)
    shape = c.shape(low=1)
    index = ", ".join(c.of(*INDICES) for _ in range(1 + c.below(len(shape))))
    m = c.mask(shape[:1]) if shape[0] != 1 else np.array([True])
    text = f"[y := x * 1, np.add.at(y, np.s_[{index}], x[{index}]), y][-1]"
    agree(text, {"x": points(c.generator(), shape)}, m=m)


@settings(SETTINGS, max_examples=60)
@given(st.data())
def test_einsum(data):
    """Letters repeated within an operand, summed, kept or broadcast."""
    c = Choices(data)
    sizes = {"i": 2, "j": 3, "k": 1 + c.below(3), "l": 2}
    words = ["".join(c.of(*sizes) for _ in range(c.below(4))) for _ in range(1 + c.below(3))]
    letters = sorted(set("".join(words)))
    out = [a for a in letters if c.below(2)]
    arrow = c.of("", "->" + "".join(out[i] for i in c.order(len(out))))
    operands = {
        name: points(c.generator(), tuple(sizes[a] for a in word))
        for name, word in zip("xyz", words)
    }
    optimize = c.of("", ", optimize=True", ", optimize='greedy'")
    agree(f"np.einsum('{','.join(words)}{arrow}', {', '.join(operands)}{optimize})", operands)

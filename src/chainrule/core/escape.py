"""The refusals where a traced value would leave the tape, and how their callers are recognised."""

import dis
from types import FrameType
from typing import Any

import numpy as np

from chainrule.base.errors import NonDifferentiableError
from chainrule.base.where import called_there
from chainrule.core.trace import refuse


def escape(how: str, x: Any) -> NonDifferentiableError:
    """The refusal of a way out of the tape, remembered by the trace of ``x``."""
    library = called_there()
    if library:
        error = NonDifferentiableError(
            f"{library} turns a traced value into a plain number, which would drop its derivative",
            "Write this step with NumPy; or state its derivative (chainrule.primitive), let it be "
            "measured (chainrule.numerical), or treat the value as constant: "
            "chainrule.constant(x).",
        )
    else:
        error = NonDifferentiableError(
            f"{how} would turn a traced value into a plain number and drop its derivative",
            "Use NumPy functions on it (of a list of traced values, make an array first: "
            "np.array), let chainrule lift the function (lift=True, chainrule.lift), or treat it "
            "as constant: chainrule.constant(x).",
        )
    return refuse(error, x)


_BINARY_OP = dis.opmap["BINARY_OP"]
_REMAINDERS = (6, 19)  # % and %= among the arguments of BINARY_OP


_STORE_SUBSCR = dis.opmap["STORE_SUBSCR"]


def stores(frame: FrameType) -> bool:
    """Whether the frame is at ``a[i] = value`` of a plain array a."""
    return frame.f_code.co_code[frame.f_lasti] == _STORE_SUBSCR


def formats_text(frame: FrameType) -> bool:
    """Whether the frame is at a ``%`` operator: a numeric one would have reached our operators."""
    code, at = frame.f_code.co_code, frame.f_lasti
    return code[at] == _BINARY_OP and code[at + 1] in _REMAINDERS


def untraceable_target(target: Any, where: str) -> NonDifferentiableError:
    shape = "" if target is None else f" of shape {np.shape(target)}"
    return refuse(
        NonDifferentiableError(
            f"a traced value is written into a plain array{shape} ({where}), "
            "which cannot hold a derivative",
            "Make the array inside the differentiated function (np.zeros_like(x), or np.zeros with "
            "lifting on; np.array(a) of one computed from integers), or write a = a + x instead of "
            "a += x.",
        )
    )

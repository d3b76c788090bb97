"""A claimed Jacobian in any form: dense, sparse, or a tree of blocks."""

from typing import Any

import numpy as np

from chainrule.base import tree
from chainrule.base.errors import MismatchError
from chainrule.checker.case import Case, ClaimError


class Matrix:
    """A claimed Jacobian, dense, sparse or a tree of blocks, as (values, numbers of x)."""

    def __init__(self, claimed: Any, case: Case):
        self.case = case
        y = np.asarray(case.value)
        self.rows, self.is_complex = y.size, y.dtype.kind == "c"
        if hasattr(claimed, "tocsr"):
            self.sparse = claimed.tocsr()
            blocks = [claimed]
        else:
            self.sparse = None
            blocks = self._leaves(case.bars(claimed))
        self.blocks = []
        for block, leaf, path in zip(blocks, case.point.leaves, case.point.paths):
            wanted = (y.size, np.size(leaf))
            full = y.shape + np.shape(leaf)
            shape = block.shape if hasattr(block, "tocsr") else np.shape(block)
            if shape not in (full, wanted):
                hint = " (is it transposed?)" if shape == wanted[::-1] else ""
                text = f"the Jacobian by {path} has shape {shape}, expected {full}{hint}"
                raise ClaimError(text)
            dense = hasattr(block, "tocsr")
            self.blocks.append(block.tocsr() if dense else np.asarray(block).reshape(wanted))

    def _leaves(self, claimed: Any) -> list[Any]:
        try:
            return tree.leaves_like(self.case.point.treedef, claimed, "the Jacobian")
        except MismatchError as mismatch:
            raise ClaimError(mismatch.what) from None

    def transposed_times(self, g: Any) -> np.ndarray:
        """The cotangents of the numbers of x for ``g``; see the page on conventions for complex."""
        g = np.asarray(g).reshape(-1)
        parts = []
        for block, dtype in zip(self.blocks, self.case.point.dtypes):
            part = np.asarray((block.conj() if self.is_complex else block).T @ g).reshape(-1)
            parts.append(part.astype(complex).view(float) if dtype.kind == "c" else part.real)
        return np.concatenate(parts).astype(float)

    def row(self, i: int) -> np.ndarray:
        return self.transposed_times(self.case.unit(i))

    def stored(self, i: int, j: int) -> bool:
        """Whether a sparse matrix has this entry; a dense one has all."""
        return self.sparse is None or j in self.sparse[[i]].indices


def dense(matrix: Any) -> Any:
    return matrix.toarray() if hasattr(matrix, "tocsr") else matrix

"""``math`` for traced values, to import in its place where lifting is not wanted.

>>> from chainrule import grad, math
>>> grad(lambda x: math.sin(2 * x), lift=False)(0.0)
np.float64(2.0)
"""

from chainrule.core.mirror import mirror

__getattr__, __dir__ = mirror("math", __name__)

"""``numpy`` for traced values, to import in its place where lifting is not wanted.

>>> import chainrule.numpy as np
>>> from chainrule import grad
>>> def f(x):
...     y = np.zeros(2)
...     y[0] = x[0] ** 2
...     return np.sum(np.array([y[0], x[1]]))
>>> grad(f, lift=False)(np.array([3.0, 4.0]))
array([6., 1.])
"""

from chainrule.core.mirror import mirror

__getattr__, __dir__ = mirror("numpy", __name__)

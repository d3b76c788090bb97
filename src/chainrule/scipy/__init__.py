"""``scipy`` for traced values: functions that NumPy's protocols cannot reach have ours in place.

>>> import numpy as np
>>> from chainrule import grad
>>> from chainrule.scipy import special
>>> grad(lambda x: special.logsumexp(x), lift=False)(np.zeros(4))
array([0.25, 0.25, 0.25, 0.25])
"""

from chainrule.core.mirror import mirror

__getattr__, __dir__ = mirror("scipy", __name__)

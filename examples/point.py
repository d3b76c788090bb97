"""A small function with its gradient written by hand, for ``chainrule check``."""

import numpy as np


def energy(position, stiffness):
    """Springs between neighbours on a line."""
    stretch = position[1:] - position[:-1] - 1.0
    return 0.5 * np.sum(stiffness * stretch**2)


def energy_grad(position, stiffness):
    force = stiffness * (position[1:] - position[:-1] - 1.0)
    gradient = np.zeros_like(position)
    gradient[1:] += force
    gradient[:-1] -= force
    return gradient

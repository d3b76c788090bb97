"""The corpus of right and wrong gradients, its truth, and the judge on it."""

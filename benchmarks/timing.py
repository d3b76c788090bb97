"""Ratios in one process: what is compared runs in turns, and the medians are divided."""

import gc
import statistics
import time
from collections.abc import Callable


def medians(
    *functions: Callable[[], object], rounds: int = 15, seconds: float = 0.04
) -> list[float]:
    """Median seconds of a call of each function, measured in turns so that noise hits all alike."""
    counts = []
    for f in functions:
        f()
        start = time.perf_counter()
        f()
        counts.append(max(1, int(seconds / max(time.perf_counter() - start, 1e-7))))
    times: list[list[float]] = [[] for _ in functions]
    for _ in range(rounds):
        for f, count, seen in zip(functions, counts, times):
            gc.collect()
            start = time.perf_counter()
            for _ in range(count):
                f()
            seen.append((time.perf_counter() - start) / count)
    return [statistics.median(seen) for seen in times]


def versions(*modules) -> str:
    import sys

    names = [f"Python {sys.version.split()[0]}"] + [
        f"{m.__name__} {m.__version__}" for m in modules
    ]
    return ", ".join(names)

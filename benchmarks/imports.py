"""Seconds of ``import chainrule`` beyond ``import numpy``; medians over fresh processes."""

import os
import statistics
import subprocess
import sys

CODE = """
import time, numpy
start = time.perf_counter()
import chainrule
print(time.perf_counter() - start)
import sys
heavy = [m for m in ("scipy", "typer", "rich", "matplotlib") if m in sys.modules]
assert not heavy, heavy
"""


def main():
    times = []
    # with compiled bytecode, as an installed package has it
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    for _ in range(10):
        out = subprocess.run(
            [sys.executable, "-c", CODE],
            capture_output=True,
            text=True,
            check=True,
            env=environment,
        )
        times.append(float(out.stdout))
    times = times[1:]  # the first one compiles
    print(f"import chainrule: {statistics.median(times) * 1e3:.0f} ms beyond import numpy")


if __name__ == "__main__":
    main()

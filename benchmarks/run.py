"""All benchmarks; ``make bench``."""

import eager
import imports
import scaling

import lifting

for part in (imports, eager, lifting, scaling):
    print(f"\n== {part.__name__}: {part.__doc__.splitlines()[0]}")
    part.main()

"""All benchmarks; ``make bench``."""

import eager
import imports
import numeric
import rules
import scaling

import lifting

for part in (imports, eager, lifting, scaling, numeric, rules):
    print(f"\n== {part.__name__}: {part.__doc__.splitlines()[0]}")
    part.main()

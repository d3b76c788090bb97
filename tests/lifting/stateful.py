"""User code that writes: globals, cells, lists, workspace arrays, attributes of functions."""

from collections import defaultdict, deque

import numpy as np

count = 0
last = None
history = []
record = {"values": [], "best": None}
work = np.zeros(4)
whole = np.arange(6.0)
middle = whole[2:5]
square = whole.reshape(2, 3)
chosen = None


recent = deque(maxlen=2)
named = defaultdict(float)
unique = set()


def collects(x):
    recent.extend(x)
    named["sum"] += x.sum()
    unique.add(x[0])
    return recent[0] * named["sum"] + sum(unique)


def counts(x):
    global count
    count += 1
    return x.sum() * count


def remembers(x):
    global last
    last = x * 2
    history.append(x[0])
    record["values"].append((1, x[1]))
    record["best"] = x.sum()
    return (last * x).sum()


def remembers_and_fails(x):
    global last, count
    count += 1
    last = x[0] * 2
    history.append(last)
    raise ValueError(f"no good: {x[0]:.1f}")


def remembers_a_function(x):
    global chosen
    chosen = counts
    history.append(counts)
    record["best"] = work
    return x.sum()


def deletes(x):
    global scratch
    scratch = x * 2
    y = scratch.sum()
    del scratch
    return y


def nested_writers(x):
    global count
    count = 10
    counts(x)
    count += 1
    return x.sum() * count + counts(x)


def generator_writer(n):
    global count
    for _ in range(n):
        count += 1
        yield count


def uses_generator_writer(x):
    return sum(v * x[0] for v in generator_writer(3)) + count * x[1]


def workspace(x):
    work[:3] = x
    work[3] = x[0] * x[1]
    work[0] += 1.0
    return (work * work).sum()


def workspace_in_place(x):
    global work
    work *= 0.0
    work[1:] += x
    return (work**3).sum()


def writes_argument(x, buffer):
    buffer[...] = 0.0
    buffer[1:4] += x
    return (buffer * buffer).sum()


def writes_middle_reads_whole(x):
    middle[:] = x
    return (whole * whole).sum()


def writes_whole_reads_middle(x):
    whole[3] = x[0] * x[1]
    return middle.sum() * square[1, 0] + square[:, 2].sum()


def writes_square_reads_both(x):
    square[1] = x
    return (whole[3:] ** 2).sum() + middle[1]


def accumulator():
    total = np.zeros(3)
    calls = 0

    def add(v):
        nonlocal total, calls
        calls += 1
        total = total + v

    def result(x):
        add(x)
        add(x * x)
        return total.sum() * calls

    def state():
        return total, calls

    return result, state


def buffered():
    buffer = np.zeros(3)

    def f(x):
        buffer[0] = x[0]
        return buffer.sum() + helper(x)

    def helper(x):
        buffer[1] = x[1] ** 2
        return buffer[1] * x[2]

    return f, buffer


def swallows(x):
    try:
        y = x.astype(object)[0]
    except Exception:
        y = 0.0
    return y + x.sum()


def plain_only(v):
    out = np.zeros(3)
    out[0] = np.sin(v)
    return float(out.sum())

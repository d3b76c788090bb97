"""Where a fault must be that nobody has named: by which gradients are wrong and which right."""

from chainrule.checker.search import Search
from chainrule.checker.steps import place

_LISTED = 3


def region(search: Search) -> str:
    """A sentence on the steps in which one fault would make just these gradients wrong."""
    lines = _lines(search)
    if not lines:
        return ""
    if len(lines) <= _LISTED:
        where = " or ".join(lines)
    else:
        where = f"between {lines[0]} and {lines[-1]}"
    inputs, steps = search.steps.program.inputs, search.steps
    right = [steps.name(v) for bit, v in enumerate(inputs) if not search.wrong >> bit & 1]
    if not right:
        end = f"from the end to {lines[-1]}"
        return f"all gradients are wrong: if it is one step, look backwards {end}"
    names = ", ".join(right[:_LISTED]) + (" and others" if len(right) > _LISTED else "")
    what = "gradient of {} is" if len(right) == 1 else "gradients of {} are"
    return f"the {what.format(names)} right: if one step is wrong, it is in {where}"


def _lines(search: Search) -> list[str]:
    """The lines of the edges behind which lies all that is wrong, and nothing else; backwards."""
    masks = [search.masks[search.variable(edge)] for edge in search.sweep.sent]
    behind = [mask for mask in masks if search.may_explain(mask)]
    if not behind:
        return []
    fewest = min(behind, key=int.bit_count)
    found = [edge for edge in search.sweep.sent if search.masks[search.variable(edge)] == fewest]
    equations = sorted({i for i, _ in found}, reverse=True)
    return list(dict.fromkeys(place(search.steps.line(i)) for i in equations))

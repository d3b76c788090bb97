"""How long the variables of a program are needed, and whose memory may be written to again."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from chainrule.explainer.calls import Call, Calls, Ref
from chainrule.explainer.runs import Leaf, Run, run_of
from chainrule.explainer.turns import Loop
from chainrule.explainer.versions import WRITES, is_elementwise, roots
from chainrule.explainer.writing import Expressions

FOREVER = 10**9
_OWNING = ("np.matmul", "np.full", "np.copy", "np.where", "np.concatenate", "np.array", "astype")

Node = Call | Loop


class Lifetimes(Expressions):
    """Positions are those of calls in the order of the program, the body of a loop once."""

    def __init__(
        self,
        table: Calls,
        nodes: Sequence[Node],
        results: list[Any],
        taken: Iterable[str],
        leaves: dict[int, Leaf],
    ):
        super().__init__(table, {"np", "scipy", *taken})
        self.nodes = nodes
        self.leaves = leaves  # arguments that are reached through a container
        self._makers: dict[int, Call] = {}
        self._owned: set[int] = set()  # results of arithmetic, whose memory may be reused
        self._measure(results)

    def _measure(self, results: list[Any]) -> None:
        self._uses: Counter[int] = Counter()
        self._last: dict[int, int] = {}  # variable -> the last position that needs it
        self._position: dict[int, int] = {}  # id of a call -> its position
        self._runs: dict[int, Run] = {}  # variable of a loop -> what it runs over
        self._next: dict[int, int] = {}  # variable of a body -> the one that carries it on
        every: list[Call] = []
        at = 0
        for node in self.nodes:
            if isinstance(node, Loop):
                at = self._measure_loop(node, at)
                every += node.body
            else:
                every.append(node)
                self._measure_call(node, at)
                at += 1
        for x in results:
            self._use(x, FOREVER)
        self._roots = roots(self.table, every)
        self._dead: dict[int, int] = {}  # memory -> the last position that needs it
        for v, last in self._last.items():
            root = self._roots.get(v, v)
            self._dead[root] = max(self._dead.get(root, -1), last)
        self._makers.update((v, call) for call in every for v in call.results)
        for call in every:
            owns = call.kind in WRITES or is_elementwise(call) or call.name in _OWNING
            if owns or call.kind == "make":
                self._owned.update(v for v in call.results if not self.table.scalars[v])
        for node in self.nodes:
            if isinstance(node, Loop):
                self._carry_ownership(node)

    def _use(self, x: Any, at: int, count: int = 1) -> None:
        if type(x) is Ref:
            self._uses[x.var] += count
            self._last[x.var] = max(self._last.get(x.var, -1), at)

    def _measure_call(self, call: Call, at: int) -> None:
        self._position[id(call)] = at
        for v in call.refs():
            self._use(Ref(v), at)

    def _measure_loop(self, loop: Loop, at: int) -> int:
        end = at + len(loop.body) + 1
        local = {v for call in loop.body for v in call.results}
        local.update(c for c, _, _ in loop.carried)
        for i, call in enumerate(loop.body):
            self._position[id(call)] = at + 1 + i
            for v in call.refs():
                self._use(Ref(v), at + 1 + i if v in local else end, 1 if v in local else 2)
        for c, start, nxt in loop.carried:
            self._use(start, at, 2)
            self._use(Ref(nxt), end, 2)
            self._next[nxt] = c
        for v, values in loop.each:
            run = run_of(values, self.leaves)
            if run is None:
                for x in values:
                    self._use(x, at, 2)
            else:
                self._runs[v] = run
        for of in loop.lists.values():
            self._use(Ref(of.var), FOREVER, 2)
            self._use(of.start, FOREVER, 2)
        return end + 1

    def _carry_ownership(self, loop: Loop) -> None:
        """A carried array is the loop's own if the one made in each turn is."""
        for c, _, nxt in loop.carried:
            if nxt in self._owned and nxt not in loop.lists:
                self._owned.add(c)

    def is_used(self, var: int) -> bool:
        return self._uses[var] > 0

    def is_repeated(self, var: int) -> bool:
        """Whether a loop gathers the values of a variable."""
        return any(isinstance(node, Loop) and var in node.lists for node in self.nodes)

    def root(self, var: int) -> int:
        """The variable whose memory this one may be part of."""
        return self._roots.get(var, var)

    def _is_free(self, var: int, at: int) -> bool:
        """Whether a statement at this position may write to the memory of a variable."""
        return (
            var in self._owned and var not in self.table.inputs
            and self._roots.get(var, var) == var and self._dead.get(var, -1) <= at
        )  # fmt: skip

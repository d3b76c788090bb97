"""Progress bars for long work: on a terminal, and only when the work turns out to be long."""

import sys
from collections.abc import Iterable, Iterator, Sized
from time import monotonic
from typing import Any, TypeVar

T = TypeVar("T")

PATIENCE = 0.5  # seconds before a bar appears


class Progress:
    """A bar on stderr with the time remaining, as a context manager; silent where nobody looks.

    It appears after half a second of work, so that short work stays silent, and disappears when
    done. ``total`` may be None: then it shows that something happens, but not how long it will.

    >>> with Progress("differences", total=3) as progress:
    ...     for _ in range(3):
    ...         progress.advance()
    """

    def __init__(self, description: str, total: int | None = None, patience: float = PATIENCE):
        self.description = description
        self.total = total
        self.done = 0
        self._due = monotonic() + patience if _watched() else float("inf")
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def advance(self, steps: int = 1) -> None:
        """Tell that so many more steps are done."""
        self.done += steps
        if self._bar is not None:
            self._bar.update(self._task, completed=self.done)
        elif monotonic() >= self._due:
            self._show()

    def _show(self) -> None:
        # rich is imported here: who never waits never pays for it
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        text = TextColumn("{task.description}")
        columns = (text, BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bar = Bar(*columns, console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task(self.description, total=self.total, completed=self.done)
        self._bar.start()


def track(iterable: Iterable[T], description: str, total: int | None = None) -> Iterator[T]:
    """The items of ``iterable``, with a bar while they are worked on.

    >>> sum(track([1, 2, 3], "adding"))
    6
    """
    if total is None and isinstance(iterable, Sized):
        total = len(iterable)
    with Progress(description, total) as progress:
        for item in iterable:
            yield item
            progress.advance()


def _watched() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()

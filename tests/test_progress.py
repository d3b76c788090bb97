"""Progress bars: on a terminal and for long work only, and rich only then."""

import io
import subprocess
import sys

import pytest

from chainrule.base import progress
from chainrule.base.progress import Progress, track


class Terminal(io.StringIO):
    def isatty(self):
        return True


def pretend_terminal(monkeypatch):
    # in the test itself: pytest's capture sets sys.stderr again after the fixtures
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm-256color")
    return stream


def test_items_pass_through_unchanged():
    assert list(track(range(5), "counting")) == [0, 1, 2, 3, 4]
    assert list(track((i for i in "abc"), "letters", total=3)) == ["a", "b", "c"]


def test_silent_where_stderr_is_no_terminal(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    with Progress("work", total=2, patience=0.0) as bar:
        bar.advance()
        bar.advance()
    assert stream.getvalue() == ""


def test_silent_without_stderr(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    assert list(track([1], "work")) == [1]


def test_short_work_shows_nothing_on_a_terminal(monkeypatch):
    terminal = pretend_terminal(monkeypatch)
    assert sum(track([1, 2, 3], "work")) == 6
    assert terminal.getvalue() == ""


def test_long_work_shows_description_and_count(monkeypatch):
    terminal = pretend_terminal(monkeypatch)
    with Progress("differences", total=4, patience=0.0) as bar:
        for _ in range(4):
            bar.advance()
    assert "differences" in terminal.getvalue()


def test_bar_stops_when_work_raises(monkeypatch):
    pretend_terminal(monkeypatch)
    with pytest.raises(ZeroDivisionError), Progress("work", patience=0.0) as bar:
        bar.advance()
        1 / 0
    assert not bar._bar.live.is_started


def test_patience_is_half_a_second():
    assert progress.PATIENCE == 0.5


def test_rich_is_not_imported_for_short_work():
    code = (
        "import sys; from chainrule.base.progress import track; list(track([1], 'x'));"
        "import chainrule.numeric, chainrule.checker;"
        "sys.exit(any(m in sys.modules for m in ('rich', 'scipy', 'typer')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

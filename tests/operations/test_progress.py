"""Long work shows a bar on a terminal, on standard error, and nothing anywhere else."""

import io

import pytest
from rich.console import Console

from deptbus.cli import output
from deptbus.cli.progress import bar


def seen(monkeypatch: pytest.MonkeyPatch, *, terminal: bool, quiet: bool = False) -> str:
    """What a person sees of 3 of 4 done, told in two ways."""
    said = io.StringIO()
    monkeypatch.setattr(output, "err", Console(file=said, force_terminal=terminal, width=80, color_system=None))
    with bar("reading", quiet=quiet) as progress:
        progress.to(2, 4)
        progress.by(1)
    return said.getvalue()


def test_a_terminal_shows_what_is_done_and_how_far(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = seen(monkeypatch, terminal=True)
    assert "reading" in shown
    assert "75%" in shown


@pytest.mark.parametrize(("terminal", "quiet"), [(False, False), (True, True)])
def test_nothing_is_shown_where_no_terminal_is_or_nobody_wants_it(
    monkeypatch: pytest.MonkeyPatch, terminal: bool, quiet: bool
) -> None:
    assert seen(monkeypatch, terminal=terminal, quiet=quiet) == ""

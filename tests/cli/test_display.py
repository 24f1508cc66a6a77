"""A terminal sees ticks and bars; anything else sees plain lines."""

import io
import re

from rich.console import Console

from lslm import progress
from lslm.cli.display import TerminalDisplay


def shown(terminal: bool, fail: bool = False) -> str:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=terminal, width=100, color_system=None)
    try:
        with TerminalDisplay(console) as display, progress.shown_on(display):
            progress.stage("Search")
            with progress.bar("trials", total=4, unit="trials") as bar:
                bar.note("best 0.79")
                bar.advance()
                display._bars.refresh()
                console.print("seen")
                if fail:
                    raise ValueError
            progress.stage("Fit")
    except ValueError:
        pass
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", stream.getvalue())


def test_a_terminal_shows_a_tick_and_the_time_of_each_finished_stage():
    assert re.search(r"✓ Search +0\.\d s", shown(terminal=True))
    assert re.search(r"✓ Fit +0\.\d s", shown(terminal=True))


def test_a_bar_shows_its_share_its_count_and_its_note():
    assert re.search(r"trials .* 25% .* 1/4 trials, best 0.79", shown(terminal=True))


def test_a_stage_that_fails_gets_no_tick():
    assert "✗ Search" in shown(terminal=True, fail=True)


def test_what_a_stage_has_to_say_is_a_line_of_its_own_on_a_terminal_and_in_a_pipe():
    for terminal in (True, False):
        stream = io.StringIO()
        console = Console(file=stream, force_terminal=terminal, width=100, color_system=None)
        with TerminalDisplay(console) as display, progress.shown_on(display):
            progress.stage("Nested")
            progress.say("5 searches [of all], about 42 min")
        assert "\n  5 searches [of all], about 42 min\n" in f"\n{seen(stream)}"


def seen(stream: io.StringIO) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", stream.getvalue()).replace("\r", "\n")


def test_a_pipe_sees_only_the_names_of_stages():
    assert shown(terminal=False) == "Search\nseen\nFit\n"

"""One shim, one Prefect server and one undisturbed run for all faults of a session, and the table at its end."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.faults import flow, shim, table
from tests.faults.flow import Home
from tests.faults.shim import Action, Fault

_LONG = 20
"""Places in a stage that is taken in pieces."""


class Stretch(NamedTuple):
    """A part of the flow."""

    resumed: int
    """The call at which a run begins that goes on after one that ended here, numbered from 0."""
    places: list[list[int]]
    """Numbers of its calls, those together that change the same file or folder one after the other."""


@dataclass(frozen=True)
class Whole:
    """A run that nothing disturbed."""

    outcome: dict[str, Any]
    n_calls: int
    """That change files, of all processes."""
    n_tables: int
    """Until MLflow's tables are made: more than half of all, in the first run alone."""
    n_first: int
    """What every run does after that, before its first stage."""
    stretches: list[Stretch]
    """The rest of the flow: its stages and the parts that are kept, long ones in pieces, and its end."""


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shim.compiler() is None:
        pytest.skip("no C compiler, and faults are put in below Python")
    return shim.built(tmp_path_factory.mktemp("shim"))


@pytest.fixture(scope="session")
def prefect(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with flow.served(tmp_path_factory.mktemp("prefect")) as address:
        yield address


@pytest.fixture(scope="session")
def fresh(
    library: Path, prefect: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], Home]]:
    homes: list[Home] = []

    def one() -> Home:
        homes.append(flow.made(tmp_path_factory.mktemp("home"), library, prefect))
        return homes[-1]

    yield one
    for home in homes:
        shutil.rmtree(home.temporary, ignore_errors=True)


@pytest.fixture(scope="session")
def whole(fresh: Callable[[], Home]) -> Whole:
    home = fresh()
    ended = home.run(Fault(Action.LIST))
    assert ended.status == 0, ended.errors
    outcome = flow.outcome(ended)
    assert flow.wrong(home, ended, outcome) == []
    calls = home.shim.log.read_text().splitlines()
    n_tables = 1 + calls.index("seen command rename /workspace/mlflow.db")
    first = next(at for at, call in enumerate(calls) if "unlink /workspace/results/clean" in call)
    kept = [1 + at for at, call in enumerate(calls) if "write /workspace/results/" in call]
    return Whole(
        outcome,
        n_calls=len(calls),
        n_tables=n_tables,
        n_first=first - n_tables,
        stretches=[
            stretch
            for begin, end in pairwise([first, *kept, len(calls)])
            for stretch in pieces(calls, begin, end)
        ],
    )


def pieces(calls: list[str], begin: int, end: int) -> Iterator[Stretch]:
    """A stage in at most four pieces. A copied folder is one place, however many files it has."""
    places = [list(each) for _, each in groupby(range(begin, end), lambda at: _place(calls[at]))]
    n_pieces = min(4, 1 + len(places) // _LONG)
    edges = [len(places) * piece // n_pieces for piece in range(n_pieces + 1)]
    return (Stretch(begin, places[low:high]) for low, high in pairwise(edges))


def _place(call: str) -> list[str]:
    """The file or folder that a call changes, at most so deep as a stage's own folder."""
    return call.split(maxsplit=3)[3].split("/")[:4]


@pytest.fixture
def home(fresh: Callable[[], Home]) -> Home:
    return fresh()


@pytest.fixture
def warm(home: Home) -> Iterator[Home]:
    """For tests of many runs that end early."""
    with home.kept_warm():
        yield home


@pytest.fixture(autouse=True)
def told(request: pytest.FixtureRequest) -> Iterator[None]:
    """Each test's part of the table is shown when it is done: all of them take most of an hour."""
    n_before = len(table.POINTS)
    yield
    if not table.POINTS[n_before:]:
        return
    plugins: Any = request.config.pluginmanager
    terminal = plugins.get_plugin("terminalreporter")
    with plugins.get_plugin("capturemanager").global_and_fixture_disabled():
        terminal.ensure_newline()
        for line in table.lines(n_before):
            terminal.write_line(line)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if table.POINTS:
        terminalreporter.section("faults")
        for line in table.summary():
            terminalreporter.write_line(line)

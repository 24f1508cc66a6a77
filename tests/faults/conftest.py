"""One shim, one Prefect server and one undisturbed run for all faults of a session, and the table at its end."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.faults import flow, shim, table
from tests.faults.flow import Home
from tests.faults.shim import Action, Fault


@dataclass(frozen=True)
class Whole:
    """A run that nothing disturbed."""

    outcome: dict[str, Any]
    n_calls: int
    """That change files, of all processes."""
    n_training: int
    """Of the training processes alone."""
    n_tables: int
    """Until MLflow's tables are made: more than half of all, in the first run alone."""


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
) -> Callable[[], Home]:
    return lambda: flow.made(tmp_path_factory.mktemp("home"), library, prefect)


@pytest.fixture(scope="session")
def whole(fresh: Callable[[], Home]) -> Whole:
    home = fresh()
    ended = home.run(Fault(Action.LIST))
    assert ended.status == 0, ended.errors
    outcome = flow.outcome(ended)
    assert flow.wrong(home, ended, outcome) == []
    calls = home.shim.log.read_text().splitlines()
    return Whole(
        outcome,
        n_calls=len(calls),
        n_training=sum(call.startswith("seen training") for call in calls),
        n_tables=calls.index("seen command rename /workspace/mlflow.db") + 1,
    )


@pytest.fixture
def home(fresh: Callable[[], Home]) -> Home:
    return fresh()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if table.POINTS:
        terminalreporter.section("faults")
        for line in table.lines():
            terminalreporter.write_line(line)

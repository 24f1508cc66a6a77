"""A scheduled run is stopped when its time is over; that of a person is not counted."""

import time
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from flows import scheduled
from lslm import stopping
from lslm.errors import InputError
from lslm.pipelines.loader import Pipeline
from lslm.settings import ExecutionSettings, RegistrySettings, Settings
from tests.cli.samples import REPORT

LIMIT = 0.3


def trained(work: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The flow's work with another in the place of the stages, and nobody there to run them."""
    context = SimpleNamespace(model_copy=lambda update: nullcontext())
    monkeypatch.setattr(scheduled, "FlowRunContext", SimpleNamespace(get=lambda: context))
    runners = SimpleNamespace(opened=lambda settings: nullcontext(nullcontext()))
    monkeypatch.setattr(scheduled, "runners", runners)
    monkeypatch.setattr(scheduled, "train", SimpleNamespace(fn=work))
    settings = Settings(
        name="reviews",
        execution=ExecutionSettings(timeout=LIMIT),
        registry=RegistrySettings(approval=True),
    )
    return scheduled._trained(Pipeline(settings, Path(), Path()))


def hanging(settings: Settings, base: Path) -> Any:
    for _ in range(1000):
        time.sleep(0.01)


def asking(settings: Settings, base: Path) -> Any:
    stopping.lift()
    time.sleep(2 * LIMIT)
    return REPORT


def test_a_run_that_hangs_is_stopped_though_a_person_would_have_a_day(monkeypatch) -> None:
    began = time.monotonic()
    with pytest.raises(TimeoutError, match="timed out after 0.3 second"):
        trained(hanging, monkeypatch)
    assert time.monotonic() - began < 5


def test_the_time_that_a_person_takes_is_not_counted(monkeypatch) -> None:
    assert trained(asking, monkeypatch) == REPORT


def test_a_workspace_that_a_worker_deletes_after_the_run_is_refused() -> None:
    with pytest.raises(
        InputError, match=r"'\.lslm' would lie in a folder that is deleted.*LSLM_WORKSPACE"
    ):
        scheduled._lasting(Path(".lslm"))


@pytest.mark.parametrize("named", [True, False])
def test_the_parameter_or_the_worker_s_variable_names_the_workspace(
    monkeypatch, tmp_path: Path, named: bool
) -> None:
    folder = tmp_path / "a: b #2"
    monkeypatch.setenv("LSLM_WORKSPACE", str(tmp_path / "other" if named else folder))
    seen: list[Path] = []

    def lasting(workspace: Path) -> Any:
        seen.append(workspace)
        raise InputError("seen")

    monkeypatch.setattr(scheduled, "_lasting", lasting)
    here = SimpleNamespace(own=lambda: None, mark=lambda flow_run: None)
    monkeypatch.setattr(scheduled, "flow_runs", here)
    with pytest.raises(InputError, match="seen"):
        scheduled.scheduled.fn("imdb", workspace=folder if named else None)
    assert seen == [folder]

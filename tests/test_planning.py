"""Keys are made of source that is read, not imported."""

import subprocess
import sys
from pathlib import Path

import pytest

from lslm import planning
from lslm.planning import StagePlan
from lslm.settings import Settings
from lslm.workspace import Workspace
from tests.cli.samples import REPORT

KEY = """
import sys
from lslm.planning import key_parts
parts = key_parts({}, ("lslm.heads.classify", "lslm.training.fitting"))
assert "source of lslm.heads._losses" in parts
assert "keras" not in sys.modules
"""


def test_the_key_of_a_stage_that_trains_is_made_without_keras():
    subprocess.run([sys.executable, "-c", KEY], check=True)


def test_a_run_that_was_killed_after_its_last_stage_is_not_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "plan", lambda *_: [StagePlan("register", "done", ())])
    workspace, settings = Workspace(tmp_path), Settings(name="reviews", workspace=tmp_path)
    planning.remember_report(settings, workspace, REPORT)
    assert planning.unchanged(settings, tmp_path, workspace) == REPORT
    with pytest.raises(KeyboardInterrupt), workspace.underway("reviews"):
        raise KeyboardInterrupt
    assert planning.unchanged(settings, tmp_path, workspace) is None

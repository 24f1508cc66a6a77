"""Keys are made of source that is read, not imported."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from lslm import planning
from lslm.evaluation.report import RunReport
from lslm.planning import Plan, StagePlan
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


def test_the_key_holds_the_modules_of_a_head_from_another_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "otherheads"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "head.py").write_text("from . import losses\nfrom otherheads.parts import layer\n")
    (package / "losses.py").write_text("from lslm import errors\n")
    (package / "parts.py").write_text("layer = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    parts = planning.key_parts({}, ("otherheads.head",))
    named = {name.removeprefix("source of ") for name in parts}
    assert {f"otherheads.{name}" for name in ("head", "losses", "parts")} < named
    assert "lslm.errors" in named


def test_a_package_may_have_no_file_of_its_own_compiled_modules_and_absent_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "spacedheads"
    package.mkdir()
    (package / "head.py").write_text(
        "from . import losses, words\n"
        "try:\n    from spacedheads._fast import f\nexcept ImportError:\n    pass\n"
    )
    (package / "losses.py").write_text("")
    (package / "words.abi3.so").write_bytes(b"\x7fELF\x00\x00")
    monkeypatch.syspath_prepend(tmp_path)
    parts = planning.key_parts({}, ("spacedheads.head",))
    named = {name.removeprefix("source of ") for name in parts if name.startswith("source")}
    assert named == {f"spacedheads.{name}" for name in ("head", "losses", "words")}


@pytest.fixture
def finished(monkeypatch: pytest.MonkeyPatch) -> Callable[[RunReport], None]:
    """Let every stage be done, and this be what the last one made."""

    def install(report: RunReport) -> None:
        found = Plan([StagePlan("register", "done", ())], report)
        point = SimpleNamespace(load=lambda: lambda *_: found)
        monkeypatch.setattr(planning, "entry_points", lambda **_: (point,))

    return install


def test_a_run_that_was_killed_after_its_last_stage_is_not_over(
    tmp_path: Path, finished: Callable[[RunReport], None]
) -> None:
    finished(REPORT)
    workspace, settings = Workspace(tmp_path), Settings(name="reviews", workspace=tmp_path)
    assert planning.unchanged(settings, tmp_path, workspace) == REPORT
    with pytest.raises(KeyboardInterrupt), workspace.underway("reviews"):
        raise KeyboardInterrupt
    assert planning.unchanged(settings, tmp_path, workspace) is None


def test_settings_that_were_run_before_show_their_own_report_and_not_the_last_run_s(
    tmp_path: Path, finished: Callable[[RunReport], None]
) -> None:
    workspace, settings = Workspace(tmp_path), Settings(name="reviews", workspace=tmp_path)
    other = REPORT.model_copy(update={"run_id": "other", "version": "4"})
    approved = REPORT.decision.model_copy(update={"promoted": True, "reason": "approved by ada"})
    answered = REPORT.model_copy(update={"decision": approved})
    finished(REPORT)
    planning.remember_report(settings, workspace, other)
    assert planning.unchanged(settings, tmp_path, workspace) == REPORT
    # The person answers after the other run.
    planning.remember_report(settings, workspace, answered)
    assert planning.unchanged(settings, tmp_path, workspace) == answered
    finished(other)
    assert planning.unchanged(settings, tmp_path, workspace) == other


def test_a_run_whose_last_stage_is_to_do_is_not_unchanged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, settings = Workspace(tmp_path), Settings(name="reviews", workspace=tmp_path)
    planning.remember_report(settings, workspace, REPORT)
    found = Plan([StagePlan("clean", "done", ()), StagePlan("register", "run", ())], None)
    point = SimpleNamespace(load=lambda: lambda *_: found)
    monkeypatch.setattr(planning, "entry_points", lambda **_: (point,))
    assert planning.unchanged(settings, tmp_path, workspace) is None
    assert planning.last_report(settings, workspace) == REPORT

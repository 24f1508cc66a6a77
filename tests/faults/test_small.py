"""The parts that keep files and trials, killed and failed at calls of theirs: fast enough for each change."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.shim import Shim
from tests.faults.table import POINTS, WELL, Point


@pytest.mark.parametrize(
    ("work", "n_points"),
    [
        ("files", 9),
        ("study", 3),
        pytest.param("files", 115, marks=pytest.mark.slow),
        pytest.param("study", 25, marks=pytest.mark.slow),
    ],
)
def test_a_part_is_whole_after_it_was_cut_off(
    work: str, n_points: int, library: Path, tmp_path: Path
) -> None:
    for name in ("home", "shim"):
        (tmp_path / name).mkdir()
    shim = Shim(library, tmp_path / "home", tmp_path / "shim")
    command = [sys.executable, "-m", "tests.faults.small", work, str(n_points)]
    paths = [str(path) for path in (library, tmp_path / "home", tmp_path / "shim")]
    ended = subprocess.run(
        [*command, *paths],
        env={**os.environ, **shim.variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    points = [Point(**each) for each in json.loads(ended.stdout)]
    POINTS.extend(points)
    assert len(points) == n_points
    assert {each.ended for each in points} == {"failed"}
    assert [each for each in points if each.resumed != WELL] == []

"""The command line starts fast, explains itself, and ends with the right status."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lslm import __version__
from lslm.cli.app import app

ROOT = Path(__file__).parents[2]
COMMANDS = (
    "run",
    "plan",
    "init",
    "models",
    "approve",
    "refuse",
    "promote",
    "rollback",
    "history",
    "production",
    "predict",
    "up",
)
HEAVY = {
    "numpy",
    "polars",
    "pydantic",
    "keras",
    "tensorflow",
    "mlflow",
    "prefect",
    "optuna",
    "gensim",
}


def lslm(*arguments: str, cwd=None, stdin: str = "") -> subprocess.CompletedProcess[str]:
    code = "from lslm.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )


def test_help_imports_no_heavy_library():
    code = "import sys; from lslm.cli.app import app; print(*sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert not HEAVY & set(ran.stdout.split())


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_shows_examples(command):
    result = CliRunner().invoke(app, [command, "--help"])
    assert result.exit_code == 0
    assert f"  lslm {command}" in result.stdout.split("Examples:")[1]


def test_the_version_is_told():
    assert CliRunner().invoke(app, ["--version"]).stdout == f"lslm {__version__}\n"


def test_bad_input_is_one_line_on_stderr_and_status_2(tmp_path):
    ended = lslm("plan", "imdb", "--set", "search.n_trials=x", cwd=tmp_path)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.splitlines() == [
        "error: --set search.n_trials=x: search.n_trials is 'x';"
        " expected a whole number of at least 0"
    ]


def test_an_unknown_option_is_status_2(tmp_path):
    assert lslm("run", "--bugdet", "5m", cwd=tmp_path).returncode == 2


def test_init_writes_a_file_and_will_not_write_it_twice(tmp_path):
    (tmp_path / "r.csv").write_text("text,label\n" + "good and long,1\nbad and long,0\n" * 5)
    first = lslm("init", "r.csv", cwd=tmp_path)
    assert (first.returncode, first.stdout) == (0, "r.yaml\n")
    assert "looked at 10 rows" in first.stderr
    before = (tmp_path / "r.yaml").read_bytes()
    second = lslm("init", "r.csv", cwd=tmp_path)
    assert second.returncode == 2
    assert "r.yaml: is there already" in second.stderr
    assert (tmp_path / "r.yaml").read_bytes() == before
    assert lslm("init", "r.csv", "--force", cwd=tmp_path).returncode == 0


def test_init_names_the_data_from_the_folder_of_the_pipeline_file(tmp_path):
    (tmp_path / "r.csv").write_text("text,label\n" + "good and long,1\nbad and long,0\n" * 5)
    lslm("init", "r.csv", "--output", "pipelines/r.yaml", cwd=tmp_path)
    assert "path: ../r.csv" in (tmp_path / "pipelines" / "r.yaml").read_text()

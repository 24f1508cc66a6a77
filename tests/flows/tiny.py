"""A tiny real pipeline, as a person has it: a folder with a CSV file and a pipeline file."""

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil

PIPELINE = """
name: tiny
deterministic: true
corpus:
  sources: [{path: films.csv}]
split: {holdout: 0.2}
embedding: {size: 8, min_count: 1, epochs: 2}
encoder: {units: 8, bidirectional: false}
training: {epochs: 2, batch_size: 16, learning_rate: 0.01}
search:
  n_trials: 2
  space: {encoder.units: [4, 8]}
evaluation: {folds: 2, resamples: 200}
"""
WORDS = {"pos": ("good", "fine", "lovely"), "neg": ("bad", "poor", "awful")}


def environment(home: Path) -> dict[str, str]:
    """The variables a command below `home` runs with."""
    variables = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("LSLM_", "MLFLOW_TRACKING", "PREFECT_API", "PREFECT_HOME"))
    }
    return {**variables, "LSLM_WORKSPACE": str(home / "workspace")}


def lslm(*arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    """Run a command as a person does in the folder."""
    return subprocess.run(
        [sys.executable, "-m", "lslm", *arguments],
        cwd=home,
        env=environment(home),
        capture_output=True,
        text=True,
        check=False,
        timeout=1200,
    )


def written(folder: Path, name: str = "tiny", pipeline: str = PIPELINE) -> Path:
    """The pipeline, or another one for the same data, and the data in `folder`."""
    lines = ["text,label"]
    for i in range(150):
        label = "pos" if i % 2 else "neg"
        word = WORDS[label][i % 3]
        lines.append(
            f'"A {word} film <br />about the thing number {i}, with part {i * 7}.",{label}'
        )
    (folder / "films.csv").write_text("\n".join(lines), encoding="utf-8")
    (folder / f"{name}.yaml").write_text(pipeline, encoding="utf-8")
    return folder


def fitting(pid: int) -> psutil.Process | None:
    """A training process of the command: a child of the fork server, which is a child of the command."""
    with suppress(psutil.NoSuchProcess):
        for server in psutil.Process(pid).children():
            if "forkserver" in " ".join(server.cmdline()):
                return next(iter(server.children()), None)
    return None

"""The registered version, where only what its own requirements name is installed."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.flows.tiny import lslm

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

TEXTS = ["a good film", "an awful <br /> thing", ""]
LOADED = """
import json, sys
import mlflow, pandas as pd

mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model(sys.argv[2])
print(json.dumps(model.predict(pd.DataFrame({"text": json.loads(sys.argv[3])})).to_dict("records")))
for name in ("keras", "tensorflow", "prefect", "optuna", "gensim"):
    assert name not in sys.modules, name
"""


@pytest.fixture(scope="module")
def store(home: Path) -> str:
    return f"sqlite:///{home / 'workspace' / 'mlflow.db'}"


@pytest.fixture(scope="module")
def reference(report: dict[str, Any], home: Path) -> str:
    """The address of the champion; the tiny model may have to be made one."""
    if not report["decision"]["promoted"]:
        promoted = lslm("promote", "tiny", report["version"], home=home)
        assert promoted.returncode == 0, promoted.stderr
    return "models:/tiny@champion"


@pytest.fixture(scope="module")
def alone(reference: str, store: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of commands of an environment that has the model's requirements and no more."""
    import mlflow

    mlflow.set_tracking_uri(store)
    listed = mlflow.pyfunc.get_model_dependencies(reference)
    folder = tmp_path_factory.mktemp("alone") / "environment"
    if uv := shutil.which("uv"):
        python = ["--python", str(folder)]
        subprocess.run([uv, "venv", "--python", sys.executable, str(folder)], check=True)
        subprocess.run([uv, "pip", "install", "-q", "-r", listed, *python], check=True)
    else:
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([folder / "bin" / "pip", "install", "-q", "-r", listed], check=True)
    return folder / "bin"


@pytest.fixture(scope="module")
def expected(reference: str, home: Path) -> list[dict[str, Any]]:
    """What `lslm predict` answers."""
    done = lslm(
        "predict", *TEXTS, "--model", reference.removeprefix("models:/"), "--json", home=home
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_pyfunc_answers_as_the_command_does(
    alone: Path, store: str, reference: str, expected: list[dict[str, Any]], tmp_path: Path
) -> None:
    done = subprocess.run(
        [alone / "python", "-I", "-c", LOADED, store, reference, json.dumps(TEXTS)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    same(json.loads(done.stdout.splitlines()[-1]), expected)


def test_mlflow_models_serve_answers_as_the_command_does(
    server: str, expected: list[dict[str, Any]]
) -> None:
    asked = json.dumps({"dataframe_split": {"columns": ["text"], "data": [[t] for t in TEXTS]}})
    request = urllib.request.Request(
        f"{server}/invocations", asked.encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        same(json.load(answer)["predictions"], expected)


@pytest.fixture
def server(alone: Path, store: str, reference: str, tmp_path: Path) -> Iterator[str]:
    """`mlflow models serve` in that environment, until it answers."""
    port = free_port()
    command = ["models", "serve", "-m", reference, "--env-manager", "local", "--port", str(port)]
    variables = {**os.environ, "PATH": f"{alone}:/usr/bin:/bin", "MLFLOW_TRACKING_URI": store}
    with (tmp_path / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [alone / "mlflow", *command],
            env=variables,
            cwd=tmp_path,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        address = f"http://127.0.0.1:{port}"
        wait_for(f"{address}/ping", process, tmp_path / "server.log")
        yield address
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(240):
        assert process.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    raise AssertionError(log.read_text())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def same(answers: list[dict[str, Any]], expected: list[dict[str, Any]]) -> None:
    assert [answer["label"] for answer in answers] == [answer["label"] for answer in expected]
    probabilities = [answer["probability"] for answer in answers]
    assert probabilities == pytest.approx([answer["probability"] for answer in expected], abs=1e-6)

"""Takes the pictures of the README: a pipeline on servers of its own, its pages in headless Chromium.

    python docs/screenshots.py [--pipeline rotten-tomatoes] [--into docs/images]

Needs `chromium` (or `google-chrome`) on the PATH, and the time of a run. Everything else is
made in a temporary folder and taken away again; ports are free ones.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from lslm.services.supervisor import free_port

_SIZE = "1440,960"
_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Pages fetch what they show: let their clocks run on before the picture is taken.
    "--virtual-time-budget=20000",
)


def main() -> None:
    """Serve, deploy, run, take the pictures, stop."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pipeline", default="rotten-tomatoes")
    parser.add_argument("--into", type=Path, default=Path(__file__).parent / "images")
    asked = parser.parse_args()
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        raise SystemExit("no chromium on the PATH")
    asked.into.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["LSLM_WORKSPACE"] = scratch
        names = ("--port-prefect", "--port-mlflow", "--port-optuna")
        ports = [word for name in names for word in (name, str(free_port()))]
        served = json.loads(lslm("up", "--detach", "--json", *ports))
        try:
            for name, page in pages(asked.pipeline, served).items():
                take(browser, page, asked.into / f"{name}.png", Path(scratch) / "browser")
        finally:
            lslm("down")


def pages(pipeline: str, served: dict[str, Any]) -> dict[str, str]:
    """Train by a deployment until a person is asked; the addresses to photograph, by name."""
    api, ui = served["prefect_api"], served["prefect_api"].removesuffix("/api")
    os.environ["PREFECT_API_URL"] = api
    from prefect.client.orchestration import get_client

    made = json.loads(lslm("deploy", pipeline, "--json", "--set", "registry.approval=true"))
    with get_client(sync_client=True) as client:
        run = client.create_flow_run_from_deployment(made["id"])
        while True:
            state = client.read_flow_run(run.id).state
            if state is not None and (state.is_paused() or state.is_final()):
                break
            time.sleep(2)
        keys = {each.key: each for each in client.read_artifacts(limit=200)}
    folds = str(keys[f"{pipeline}-folds"].data)
    return {
        "prefect-run": f"{ui}/runs/flow-run/{run.id}",
        "prefect-gate": f"{ui}/artifacts/artifact/{keys[f'{pipeline}-gate'].id}",
        "prefect-search": f"{ui}/artifacts/artifact/{keys[f'{pipeline}-search'].id}",
        "mlflow-run": folds.rsplit("](", 1)[1].split(")", maxsplit=1)[0],
    }


def take(browser: str, page: str, into: Path, profile: Path) -> None:
    """A picture of a page."""
    command = [browser, *_OPTIONS, f"--user-data-dir={profile}", f"--window-size={_SIZE}"]
    subprocess.run(
        [*command, f"--screenshot={into}", page], check=True, capture_output=True, timeout=120
    )
    print(into)


def lslm(*arguments: str) -> str:
    """What a command printed."""
    command = [sys.executable, "-m", "lslm", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    main()

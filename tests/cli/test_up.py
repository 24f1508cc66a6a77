"""`lslm up` starts its servers, tells their addresses, and leaves nothing behind, however it ends."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from lslm.services import state
from lslm.workspace import Workspace

ROOT = Path(__file__).parents[2]
# It starts a process that leaves its session, as a flow run may.
SERVER = """
import http.server, subprocess, sys
sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
subprocess.Popen(sleep, start_new_session=True)
handler = http.server.SimpleHTTPRequestHandler
http.server.test(handler, port=int(sys.argv[1]), bind="127.0.0.1")
"""
COMMAND = f"""
import sys
from lslm.cli import main
from lslm.services import health, launches, leftovers
from lslm.services.launches import WORKERS, Launch

def server(name, option, port):
    command = (sys.executable, "-c", {SERVER!r}, str(port))
    healthy = lambda: health.answers(f"http://127.0.0.1:{{port}}/")
    return Launch(name, command, healthy, port=port, option=option)

leftovers._PATIENCE = 0.4
launches.prefect = lambda port, database: server("Prefect", "--port-prefect", port)
launches.mlflow = lambda port, store, artifacts: server("MLflow", "--port-mlflow", port)
launches.optuna = lambda port, storage: server("Optuna", "--port-optuna", port)
asleep = (sys.executable, "-c", "import time; time.sleep(60)")
launches.worker = lambda *given: Launch("worker", asleep, lambda: True, stage=WORKERS)
main()
"""


@pytest.fixture
def ports():
    """Three ports that nobody holds."""
    probes = [socket.socket() for _ in range(3)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    numbers = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return numbers


@pytest.fixture
def start(tmp_path):
    """Start a command for a workspace; whatever the test leaves is killed after it."""
    started = []

    def run(*arguments: str) -> subprocess.Popen[str]:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, *arguments, "--workspace", str(tmp_path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env=environment,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()
    run("down").communicate(timeout=30)


def up(start, ports, *more: str) -> subprocess.Popen[str]:
    names = ("--port-prefect", "--port-mlflow", "--port-optuna")
    options = [word for pair in zip(names, map(str, ports), strict=True) for word in pair]
    return start("up", *options, *more)


def told(process: subprocess.Popen[str], lines: int = 5) -> list[str]:
    assert process.stdout is not None
    return [process.stdout.readline() for _ in range(lines)]


def below(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """The servers and what they started, once all of it is there."""
    end = time.monotonic() + 10
    while len(found := psutil.Process(process.pid).children(recursive=True)) < 7:
        assert time.monotonic() < end, found
        time.sleep(0.05)
    return found


def gone(processes: list[psutil.Process]) -> bool:
    return not psutil.wait_procs(processes, timeout=5)[1]


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGHUP])
def test_a_signal_stops_the_servers_and_all_that_they_started(start, ports, tmp_path, sign):
    process = up(start, ports)
    assert told(process) == [
        f"Prefect   http://127.0.0.1:{ports[0]}\n",
        f"MLflow    http://127.0.0.1:{ports[1]}\n",
        f"Optuna    http://127.0.0.1:{ports[2]}\n",
        "worker    work pool 'lslm'\n",
        f"database  SQLite, {tmp_path}\n",
    ]
    servers = below(process)
    process.send_signal(sign)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert gone(servers)
    assert {line.split(" is up")[0] for line in err.splitlines() if " is up (" in line} == {
        "Prefect",
        "MLflow",
        "Optuna",
        "worker",
    }
    assert state.serving(Workspace(tmp_path)) is None


def test_down_stops_it_from_another_terminal(start, ports):
    process = up(start, ports)
    told(process)
    servers = below(process)
    out, _ = start("down").communicate(timeout=30)
    process.communicate(timeout=10)
    assert process.returncode == 130
    assert gone(servers)
    assert set(out.removeprefix("stopped ").strip().split(", ")) == {
        "Prefect",
        "MLflow",
        "Optuna",
        "worker",
    }
    assert "nothing runs" in start("down").communicate(timeout=30)[0]


@pytest.mark.parametrize("next_command", ["down", "up"])
def test_after_kill_9_the_next_command_ends_what_was_left(start, ports, next_command):
    process = up(start, ports, "--json")
    values = json.loads("".join(told(process, 9)))
    assert values["prefect_api"] == f"http://127.0.0.1:{ports[0]}/api"
    assert (values["database"], values["pid"]) == ("sqlite", process.pid)
    servers = below(process)
    process.kill()
    process.communicate()
    assert any(server.is_running() for server in servers)
    if next_command == "down":
        out, _ = start("down").communicate(timeout=30)
        assert "7 processes that a killed `lslm up` left" in out
    else:
        # The same ports: they are free again.
        assert told(up(start, ports))[0] == f"Prefect   http://127.0.0.1:{ports[0]}\n"
    assert gone(servers)


def test_a_second_one_for_the_workspace_is_refused(start, ports, tmp_path):
    first = up(start, ports)
    told(first)
    second = up(start, ports)
    _, err = second.communicate(timeout=30)
    assert second.returncode == 2
    assert err == (
        f"error: {tmp_path}: servers run for this workspace already (process {first.pid}, "
        f"http://127.0.0.1:{ports[0]}); expected `lslm down` first, or another --workspace\n"
    )
    assert first.poll() is None


def test_a_port_in_use_is_one_line_and_status_2(start, ports):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", ports[1]))
        taken.listen()
        process = up(start, ports)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 2
    assert out == ""
    assert err == f"error: --port-mlflow: port {ports[1]} is in use; expected a free port\n"


def test_a_server_that_ends_ends_all_with_its_last_words(start, ports, tmp_path):
    process = up(start, ports)
    told(process)
    servers = below(process)
    known = state.read(Workspace(tmp_path))
    mlflow = next(server for server in known.servers if server.name == "MLflow")
    with mlflow.log.open("a") as log:
        log.write("no space left\n\n")
    os.kill(mlflow.process.pid, signal.SIGKILL)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 1
    assert f"error: MLflow ended with status -9: no space left\n  log: {mlflow.log}\n" in err
    assert gone(servers)


def test_a_named_server_that_is_silent_is_refused(start, ports, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{ports[1]}")
    process = up(start, ports)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 2
    assert f"http://127.0.0.1:{ports[1]} does not answer" in err


def test_what_is_served_elsewhere_is_used_and_not_started(start, ports, tmp_path, monkeypatch):
    (tmp_path / "health").touch()
    command = [sys.executable, "-m", "http.server", str(ports[1]), "--bind", "127.0.0.1"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL) as named:
        try:
            monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{ports[1]}")
            process = up(start, ports)
            assert told(process)[1] == f"MLflow    http://127.0.0.1:{ports[1]}\n"
            known = state.read(Workspace(tmp_path))
            assert {server.name for server in known.servers} == {"Prefect", "Optuna", "worker"}
            process.terminate()
            process.communicate(timeout=30)
            assert named.poll() is None
        finally:
            named.kill()

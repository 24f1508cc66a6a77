"""`lslm up` starts both servers, tells their addresses, and leaves nothing behind."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[2]
SERVER = """
import http.server, subprocess, sys
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
handler = http.server.SimpleHTTPRequestHandler
http.server.test(handler, port=int(sys.argv[1]), bind="127.0.0.1")
"""
COMMAND = f"""
from lslm.cli import main, up

def server(name, option, port):
    return up._Server(name, option, port, "/", ("-c", {SERVER!r}, str(port)))

up._START = 20
up._prefect = lambda port: server("Prefect", "--port-prefect", port)
up._mlflow = lambda port, home: server("MLflow", "--port-mlflow", port)
main()
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def started(tmp_path, *ports: int) -> subprocess.Popen[str]:
    options = ["up", "--port-prefect", str(ports[0]), "--port-mlflow", str(ports[1])]
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, *options, "--workspace", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


@pytest.mark.parametrize(("sign", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 130)])
def test_a_signal_stops_both_servers_and_their_children(tmp_path, sign, status):
    first, second = free_port(), free_port()
    process = started(tmp_path, first, second)
    told = [process.stdout.readline() for _ in range(2)]
    assert told == [
        f"Prefect  http://127.0.0.1:{first}\n",
        f"MLflow   http://127.0.0.1:{second}\n",
    ]
    below = psutil.Process(process.pid).children(recursive=True)
    assert len(below) == 4
    process.send_signal(sign)
    process.communicate(timeout=60)
    assert process.returncode == status
    gone = time.monotonic() + 5
    while any(alive(child) for child in below) and time.monotonic() < gone:
        time.sleep(0.05)
    assert not any(alive(child) for child in below)


def alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_port_in_use_is_one_line_and_status_2(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = started(tmp_path, free_port(), port)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 2
    assert out == ""
    assert err == f"error: --port-mlflow: port {port} is in use; expected a free port\n"

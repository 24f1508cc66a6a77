"""A process is known by its number and its beginning; nobody else's is ever stopped."""

import os
import signal
import socket
import sys
import time

import psutil
import pytest

from lslm.services import leftovers, processes, state
from lslm.services.processes import Process
from lslm.services.state import Server, State
from lslm.workspace import Workspace

SLEEP = (sys.executable, "-c", "import time; time.sleep(60)")
STUBBORN = (
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); "
    "time.sleep(60)",
)


@pytest.fixture
def run(tmp_path):
    """Start processes with a mark; those that are left are killed after the test."""
    started = []

    def begin(command=SLEEP, mark="token/server"):
        popen, identity = processes.start(command, {}, tmp_path / "log", mark)
        started.append(popen)
        return identity

    yield begin
    for popen in started:
        popen.kill()
        popen.wait()


def session(leader: Process, tmp_path, **changes) -> State:
    """What a session that is no more wrote down."""
    server = Server(
        name="server", process=leader, stage=1, stop_signal=signal.SIGTERM, log=tmp_path / "log"
    )
    values = {"host": socket.gethostname(), "token": "token", "servers": (server,), **changes}
    return State(**values, owner=Process(pid=os.getpid(), born=1.0))


def test_a_process_is_found_until_it_ends(run):
    identity = run()
    assert identity.found().pid == identity.pid
    os.kill(identity.pid, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(identity.pid)], timeout=5)
    assert identity.found() is None


def test_a_process_that_got_the_number_later_is_another(run):
    identity = run()
    assert Process(pid=identity.pid, born=identity.born - 60).found() is None


def test_a_process_that_got_the_number_of_a_server_is_not_stopped(run, tmp_path):
    home = Workspace(tmp_path)
    other = run(mark="other/server")
    state.write(home, session(Process(pid=other.pid, born=other.born - 60), tmp_path))
    assert leftovers.clean(home) == 0
    assert other.found() is not None
    assert state.read(home).servers == ()


def test_a_server_that_was_not_yet_written_down_is_stopped_too(run, tmp_path):
    home = Workspace(tmp_path)
    forgotten = run(mark="token/another")
    state.write(home, session(run(), tmp_path, servers=()))
    assert leftovers.clean(home) == 2
    assert forgotten.found() is None


def test_processes_of_another_machine_are_left_alone(run, tmp_path):
    home = Workspace(tmp_path)
    leader = run()
    state.write(home, session(leader, tmp_path, host="elsewhere"))
    assert leftovers.clean(home) == 0
    assert leader.found() is not None


def test_one_that_does_not_listen_is_killed(run, tmp_path, monkeypatch):
    monkeypatch.setattr(leftovers, "_PATIENCE", 0.3)
    leader = run(STUBBORN)
    while not (tmp_path / "log").read_text():
        pass
    leftovers.stop(session(leader, tmp_path))
    assert leader.found() is None


def test_children_that_go_first_are_asked_before_their_parent(run, tmp_path):
    told = tmp_path / "told"
    child = (
        "import signal, sys, time\n"
        f"def end(*_): print('child', file=open({str(told)!r}, 'a')); sys.exit()\n"
        "signal.signal(signal.SIGTERM, end); print('ready', flush=True); time.sleep(60)"
    )
    parent = (
        "import signal, subprocess, sys, time\n"
        f"child = subprocess.Popen([sys.executable, '-c', {child!r}])\n"
        "def end(*_): child.kill(); "
        f"print('parent', file=open({str(told)!r}, 'a')); sys.exit()\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "while True: time.sleep(0.05)"
    )
    leader = run((sys.executable, "-c", parent))
    while not (tmp_path / "log").read_text():
        pass
    known = session(leader, tmp_path)
    first = known.servers[0].model_copy(update={"children_first": True})
    leftovers.stop(known.model_copy(update={"servers": (first,)}))
    assert told.read_text().split() == ["child", "parent"]


def test_state_that_cannot_be_read_is_no_state(tmp_path):
    home = Workspace(tmp_path)
    state.write(home, session(processes.this(), tmp_path))
    file = state.folder(home) / "state.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert state.read(home).token == "token"
    file.write_text('{"of": "another version"}')
    assert state.read(home) is None


def test_a_mark_is_inherited_across_sessions(run):
    run(
        (
            sys.executable,
            "-c",
            f"import subprocess; subprocess.run({SLEEP!r}, start_new_session=True)",
        )
    )
    end = time.monotonic() + 5
    while len(processes.marked("token/")) < 2:
        assert time.monotonic() < end
    for process in processes.marked("token/"):
        process.kill()

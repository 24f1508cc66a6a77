"""`lslm doctor` says what is wrong, with the mend, and ends with a status that scripts can use."""

import json
import socket
import sqlite3
import subprocess
import sys
import time

import pytest
from packaging.requirements import Requirement
from typer.testing import CliRunner

from lslm.cli.app import app
from lslm.diagnosis import installation, machine, servers
from lslm.diagnosis.checks import Check, answered
from lslm.diagnosis.sources import sources as read_sources
from lslm.errors import InputError
from lslm.pipelines.loader import load
from lslm.services import processes, state
from lslm.services.state import Server, State
from lslm.settings import TrackingSettings
from lslm.workspace import Workspace
from tests.flows.tiny import written

RUN = "0123456789abcdef"


@pytest.fixture
def home(tmp_path):
    return Workspace(tmp_path / "workspace").create()


@pytest.fixture
def tracked(home):
    """MLflow's tables, as far as the doctor reads them, with a run whose process is given."""

    def write(pid: int, host: str = socket.gethostname()):
        with sqlite3.connect(home.root / "mlflow.db") as database:
            database.execute("CREATE TABLE runs (run_uuid, status, lifecycle_stage)")
            database.execute("CREATE TABLE tags (run_uuid, key, value)")
            database.execute("INSERT INTO runs VALUES (?, 'RUNNING', 'active')", [RUN])
            born = processes.this().born
            tags = {"lslm.host": host, "lslm.pid": str(pid), "lslm.pid_started": f"{born:.2f}"}
            rows = [(RUN, key, value) for key, value in tags.items()]
            database.executemany("INSERT INTO tags VALUES (?, ?, ?)", rows)

    return write


def one(checks) -> Check:
    (check,) = checks
    return check


@pytest.mark.parametrize(
    ("wanted", "found", "mend"),
    [
        ("pydantic<1", "and not <1", "pip install 'pydantic<1'"),
        ("no-such-package>=2", "not installed", "pip install 'no-such-package>=2'"),
    ],
)
def test_a_package_out_of_its_bounds_is_told_with_the_command_that_mends_it(wanted, found, mend):
    check = installation.package(Requirement(wanted))
    assert not check.ok
    assert check.found.endswith(found)
    assert check.mend == mend


def test_the_bound_of_fastapi_is_checked(monkeypatch):
    versions = installation.importlib.metadata.version
    monkeypatch.setattr(
        installation.importlib.metadata,
        "version",
        lambda name: "0.158.0" if name == "fastapi" else versions(name),
    )
    check = one(installation.packages())
    assert (check.name, check.ok) == ("package fastapi", False)
    assert check.mend == "pip install 'fastapi<0.151,>=0.139'"


def test_a_port_in_use_is_told_with_a_free_one(home):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        check = one(servers.ports({"--port-mlflow": taken.getsockname()[1]}, home))
    assert not check.ok
    assert check.mend.startswith("lslm up --port-mlflow ")


def test_a_database_that_is_none_is_told(home):
    (home.root / "mlflow.db").write_bytes(b"this is no database" * 99)
    checks = list(servers.stores(TrackingSettings(), home))
    assert [check.ok for check in checks] == [False, True]
    assert "not a database" in checks[0].found


def test_a_database_that_someone_holds_is_told(home, monkeypatch):
    monkeypatch.setattr(servers, "_WAIT", 0.05)
    with sqlite3.connect(home.root / "optuna.db", isolation_level=None) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        checks = list(servers.stores(TrackingSettings(), home))
    assert "locked" in checks[1].found
    assert not checks[1].ok


def test_a_silent_server_is_told(home):
    settings = TrackingSettings(uri="http://127.0.0.1:9", study_url="sqlite:///:memory:")
    first = next(servers.stores(settings, home))
    assert (first.ok, first.found) == (False, "http://127.0.0.1:9 is silent")


def test_a_run_without_a_process_is_told(home, tracked):
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    tracked(ended.pid)
    check = one(servers.stale_runs(TrackingSettings(), home))
    assert (check.ok, check.found) == (False, f"RUNNING without a process: {RUN}")


@pytest.mark.parametrize("host", [socket.gethostname(), "elsewhere"])
def test_a_run_that_lives_or_is_elsewhere_is_left_alone(home, tracked, host):
    tracked(processes.this().pid if host != "elsewhere" else 1, host)
    assert one(servers.stale_runs(TrackingSettings(), home)).ok


def test_servers_of_a_killed_up_are_told(home, tmp_path):
    asleep = (sys.executable, "-c", "import time; time.sleep(60)")
    started, identity = processes.start(asleep, {}, tmp_path / "log", "t/Prefect")
    server = Server(name="Prefect", process=identity, stage=1, stop_signal=15, log=tmp_path / "log")
    state.write(home, State(host=socket.gethostname(), token="t", servers=(server,)))
    try:
        check = one(servers.stale_processes(home))
    finally:
        started.kill()
        started.wait()
    assert (check.ok, check.mend) == (False, "lslm down")
    assert str(identity.pid) in check.found


def test_a_workspace_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").touch()
    check = one(machine.writable(tmp_path / "file" / "workspace"))
    assert not check.ok


def test_too_little_disk_or_memory_and_too_many_processes_are_told(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "_DISK", 1e9)
    monkeypatch.setattr(machine, "_MAIN", 1e9)
    checks = [*machine.disk(tmp_path), *machine.memory(1), *machine.cores(10_000)]
    assert [check.ok for check in checks] == [False, False, False]


def test_a_question_that_cannot_be_asked_is_a_failed_check():
    def refuses():
        raise InputError("no such file", where="a.csv", right="b.csv")

    def breaks():
        raise OSError("disk on fire")

    assert one(answered("x", refuses)) == Check("x", False, "a.csv: no such file", "b.csv")
    assert "disk on fire" in one(answered("x", breaks)).found


def test_a_healthy_pipeline_is_all_ok_in_under_5_seconds(tmp_path):
    written(tmp_path)
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "lslm", "doctor", "tiny.yaml", "--json", *free_ports()],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.monotonic() - began
    checks = {check["name"]: check for check in json.loads(done.stdout)}
    assert done.returncode == 0, done.stdout
    assert checks["sources"]["found"] == "1 files, 0.0 MB"
    assert checks["training processes"]["ok"]
    assert seconds < 5


def test_a_language_model_needs_no_label(tmp_path):
    (tmp_path / "notes.txt").write_text("One thing.\nAnd another.\n")
    (tmp_path / "notes.yaml").write_text(
        "name: notes\ncorpus: {sources: [{path: notes.txt}]}\nhead: {kind: language-model}\n"
        "embedding: {method: none}\n"
    )
    assert one(read_sources(load(str(tmp_path / "notes.yaml")))).ok


@pytest.mark.parametrize("texts", [3, 0])
def test_a_folder_may_hold_files_that_are_no_text_among_others(tmp_path, texts):
    folder = tmp_path / "notes" / "good"
    folder.mkdir(parents=True)
    (folder / "letter.docx").write_bytes(b"PK\x03\x04\x14\x00\x06\x00\xff")
    for number in range(texts):
        (folder / f"{number}.txt").write_text("One thing.")
    (tmp_path / "notes.yaml").write_text("name: notes\ncorpus: {sources: [{path: notes}]}\n")
    assert one(read_sources(load(str(tmp_path / "notes.yaml")))).ok == bool(texts)


def test_a_failure_is_a_line_with_its_mend_and_status_1(tmp_path):
    written(tmp_path)
    (tmp_path / "films.csv").unlink()
    done = CliRunner().invoke(
        app,
        ["doctor", str(tmp_path / "tiny.yaml"), "--workspace", str(tmp_path / "w"), *free_ports()],
    )
    assert done.exit_code == 1
    assert "\nsources: films.csv: no such file\n  mend: " in done.stdout


def test_a_pipeline_with_mistakes_is_a_failed_check(tmp_path):
    (tmp_path / "bad.yaml").write_text("name: bad\nsaerch: {}\n")
    options = ["--workspace", str(tmp_path / "w"), "--json", *free_ports()]
    done = CliRunner().invoke(app, ["doctor", str(tmp_path / "bad.yaml"), *options])
    failed = [check for check in json.loads(done.stdout) if not check["ok"]]
    assert done.exit_code == 1
    assert [check["name"] for check in failed] == ["pipeline"]
    assert "saerch" in failed[0]["found"]


def free_ports() -> list[str]:
    from lslm.services.supervisor import free_port

    names = ("--port-prefect", "--port-mlflow", "--port-optuna")
    return [word for name in names for word in (name, str(free_port()))]

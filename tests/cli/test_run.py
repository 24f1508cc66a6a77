"""`lslm run` keeps libraries off the terminal, shows the end as tables, and ends with a status."""

import json
import os
import signal
import subprocess
import sys
import time
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from lslm.cli import run as command
from lslm.cli.app import app
from lslm.cli.ending import show
from lslm.cli.options import load_pipeline
from lslm.errors import InputError
from tests.cli.samples import REPORT
from tests.evaluation.test_front import FOUND


def noisy(settings, base):
    from lslm import progress

    progress.stage("clean")
    print("a library prints")
    subprocess.run([sys.executable, "-c", "print('a child prints')"], check=True)
    with progress.bar("documents", total=2) as bar:
        bar.advance(2)
    return REPORT


def loud(settings, base):
    print("a library prints")
    return REPORT


def failing(settings, base):
    raise ValueError("no space left\non the device")


def refusing(settings, base):
    raise InputError("no column 'txt'", where="a.csv", right="text")


def interrupted(settings, base):
    raise KeyboardInterrupt


def terminated(settings, base):
    os.kill(os.getpid(), signal.SIGTERM)


def endless(settings, base):
    while True:
        time.sleep(0.01)


def asking(settings, base):
    from lslm import stopping

    stopping.lift()
    time.sleep(0.5)
    return REPORT


def forbidden(settings, base):
    raise AssertionError("a finished pipeline is not run again")


@pytest.fixture
def flow(monkeypatch):
    """Put a flow, and what the plan says, in the place of the real ones."""

    def install(work, status="run"):
        def found(group, name):
            return (EntryPoint(name, f"{__name__}:{work.__name__}", group),)

        stages = [SimpleNamespace(stage="clean", status=status, changed=())]
        done = REPORT if status == "done" else None
        fake = SimpleNamespace(plan=lambda *_: stages, unchanged=lambda *_: done)
        monkeypatch.setattr(command, "flow", lambda name: work)
        monkeypatch.setitem(sys.modules, "lslm.planning", fake)

    return install


def test_what_libraries_print_goes_to_the_log(tmp_path, flow, capfd):
    flow(noisy)
    app(["run", "imdb", "--workspace", str(tmp_path), "--json"], standalone_mode=False)
    out, err = capfd.readouterr()
    log = (tmp_path / "lslm.log").read_text()
    assert json.loads(out)["version"] == "3"
    assert "prints" not in out + err
    assert "a library prints" in log
    assert "a child prints" in log


def test_stages_are_plain_lines_where_there_is_no_terminal(tmp_path, flow, capfd):
    flow(noisy)
    app(["run", "imdb", "--workspace", str(tmp_path)], standalone_mode=False)
    assert capfd.readouterr().err.splitlines() == ["start", "clean"]


def test_a_failure_is_a_summary_with_the_log_and_status_1(tmp_path, flow, capfd, monkeypatch):
    from lslm.cli import main

    flow(failing)
    monkeypatch.setattr(sys, "argv", ["lslm", "run", "imdb", "--workspace", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        main()
    err = capfd.readouterr().err
    assert ended.value.code == 1
    assert f"error: ValueError: no space left\n  log: {tmp_path / 'lslm.log'}\n" in err
    assert "Traceback" not in err
    assert "Traceback" in (tmp_path / "lslm.log").read_text()


def test_bad_input_found_late_is_still_status_2(tmp_path, flow, capfd, monkeypatch):
    from lslm.cli import main

    flow(refusing)
    monkeypatch.setattr(sys, "argv", ["lslm", "run", "imdb", "--workspace", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "error: a.csv: no column 'txt'; expected text" in capfd.readouterr().err


def test_ctrl_c_says_how_to_go_on_and_is_status_130(tmp_path, flow, capfd, monkeypatch):
    from lslm.cli import main

    flow(interrupted)
    monkeypatch.setattr(sys, "argv", ["lslm", "run", "imdb", "--workspace", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 130
    assert "running the same command goes on where it stopped" in capfd.readouterr().err


def test_sigterm_is_told_like_ctrl_c_and_is_status_143(tmp_path, flow, capfd, monkeypatch):
    from lslm.cli import main

    flow(terminated)
    monkeypatch.setattr(sys, "argv", ["lslm", "run", "imdb", "--workspace", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 143
    assert "running the same command goes on where it stopped" in capfd.readouterr().err


@pytest.mark.parametrize("approval", ["false", "true"])
def test_a_run_whose_time_is_over_stops_as_after_sigterm(
    tmp_path, flow, capfd, monkeypatch, approval
):
    from lslm.cli import main

    flow(endless)
    given = ["--workspace", str(tmp_path), "--set", "execution.timeout=0.2s"]
    given += ["--set", f"registry.approval={approval}"]
    monkeypatch.setattr(sys, "argv", ["lslm", "run", "imdb", *given])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 143
    err = capfd.readouterr().err
    assert "the time of execution.timeout is over" in err
    assert "running the same command goes on where it stopped" in err


def test_a_run_that_ends_in_time_is_left_alone(tmp_path, flow, capfd):
    flow(loud)
    given = ["--workspace", str(tmp_path), "--set", "execution.timeout=1h", "--json"]
    app(["run", "imdb", *given], standalone_mode=False)
    assert json.loads(capfd.readouterr().out)["version"] == "3"


def test_the_time_that_a_person_takes_is_not_the_run_s(tmp_path, flow, capfd):
    flow(asking)
    given = ["--workspace", str(tmp_path), "--set", "execution.timeout=0.2s", "--json"]
    app(["run", "imdb", *given], standalone_mode=False)
    assert json.loads(capfd.readouterr().out)["version"] == "3"


def test_what_the_log_cannot_take_is_lost(tmp_path, flow, capfd):
    (tmp_path / "lslm.log").symlink_to("/dev/full")
    flow(loud)
    app(["run", "imdb", "--workspace", str(tmp_path), "--json"], standalone_mode=False)
    assert json.loads(capfd.readouterr().out)["version"] == "3"


def test_a_disk_without_room_is_one_line(tmp_path, flow, capfd, monkeypatch):
    from lslm.cli import main

    (tmp_path / "files").write_text("no folder can be made here")
    monkeypatch.setattr(sys, "argv", ["lslm", "run", "imdb", "--workspace", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        main()
    err = capfd.readouterr().err
    assert ended.value.code == 1
    assert err.startswith("error: ")
    assert "Traceback" not in err


def test_a_finished_pipeline_is_not_run_again(tmp_path, flow, capfd):
    flow(forbidden, status="done")
    app(["run", "imdb", "--workspace", str(tmp_path)], standalone_mode=False)
    out, err = capfd.readouterr()
    assert err == "nothing changed since the last run\n"
    assert "version 3" in out


def test_the_end_shows_scores_intervals_choices_the_gate_and_the_next_commands(tmp_path, flow):
    flow(forbidden, status="done")
    result = CliRunner().invoke(app, ["run", "imdb", "--workspace", str(tmp_path)])
    for said in (
        "0.790  [0.760, 0.820]",
        "0.780 .. 0.800",
        "+0.290 [+0.250, +0.330]",
        "training.learning_rate  0.001235",
        "imdb version 3 is registered as challenger: not above the floor",
        "✗ floor: 0.79 against 0.80",
        "lslm up",
        'lslm predict --model imdb/3 "some text"',
    ):
        assert said in result.stdout


@pytest.mark.parametrize(
    ("head", "question"),
    [
        ("classify", 'lslm predict --model imdb/3 "some text"'),
        ("summarize", "lslm summarize --model imdb/3 document.txt"),
        ("language-model", "lslm score imdb/3 lines.txt"),
    ],
)
def test_the_end_says_how_such_a_model_is_asked(head, question, capsys):
    show(REPORT.model_copy(update={"head": head}))
    assert question in capsys.readouterr().out


def test_what_the_user_set_in_the_environment_wins(monkeypatch):
    from lslm.cli.environment import prepare

    monkeypatch.setenv("DO_NOT_TRACK", "0")
    monkeypatch.delenv("PREFECT_HOME", raising=False)
    monkeypatch.setenv("PREFECT_API_URL", "http://prefect.example/api")
    prepare(Path("work"))
    assert os.environ["DO_NOT_TRACK"] == "0"
    assert "PREFECT_HOME" not in os.environ


def test_the_plan_is_a_table_and_json(tmp_path, flow):
    flow(forbidden)
    runner = CliRunner()
    table = runner.invoke(app, ["plan", "imdb", "--workspace", str(tmp_path)])
    assert "clean  would run" in table.stdout


def test_the_end_shows_the_front_and_what_made_no_difference(capsys):
    from lslm.cli.ending import show

    show(REPORT.model_copy(update={"search": FOUND}))
    out = capsys.readouterr().out
    assert "Front within 2 MB and 1 ms" in out
    assert "4         0.800  1.90  0.25  chosen" in out
    assert "Made no difference here: encoder.cell, training.schedule." in out


@pytest.mark.parametrize(
    ("option", "value", "right"),
    [("--max-size", "big", "2MB"), ("--max-latency", "3 weeks", "500us, 1ms, 2s")],
)
def test_a_bound_that_is_none_is_one_line_and_status_2(option, value, right, monkeypatch, capfd):
    from lslm.cli import main

    monkeypatch.setattr(sys, "argv", ["lslm", "plan", "imdb", option, value])
    with pytest.raises(SystemExit) as ended:
        main()
    (line,) = capfd.readouterr().err.splitlines()
    assert ended.value.code == 2
    assert repr(value) in line
    assert right in line


@pytest.mark.parametrize("name", ["runs #2", "2024", "null", "a: [b", 'the "first"', "größe"])
def test_the_workspace_is_the_folder_of_that_name(name):
    assert load_pipeline("imdb", [], Path(name)).settings.workspace == Path(name)


def test_bounds_reach_the_settings():
    loaded = load_pipeline("imdb", [], None, max_size="500KB", max_latency="2ms")
    search = loaded.settings.search
    assert (search.max_size_mb, search.max_latency_ms) == (0.5, 2.0)
    assert not loaded.settings.keeps_networks
    assert load_pipeline("imdb", [], None).settings.keeps_networks

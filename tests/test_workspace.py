"""One training of a pipeline at a time, also when a process dies."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lslm import unfinished
from lslm.workspace import Handle, Workspace

HOLD = """
import sys, time
from pathlib import Path
from lslm.workspace import Workspace
with Workspace(Path(sys.argv[1])).alone("reviews", lambda: None):
    print("held", flush=True)
    time.sleep(60)
"""

CUT_OFF = """
import os, signal, sys
from pathlib import Path
from lslm.workspace import Workspace
with Workspace(Path(sys.argv[1])).underway("reviews"):
    os.kill(os.getpid(), signal.SIGKILL)
"""

KILLED_WHILE_WRITING = """
import os, signal, sys
from pathlib import Path
from lslm.workspace import Workspace
workspace = Workspace(Path(sys.argv[1]))
os.fsync = lambda descriptor: os.kill(os.getpid(), signal.SIGKILL)
with workspace.scratch():
    workspace.write_json("keys/reviews/fold.json", {"more": 1})
"""


@pytest.fixture
def held(tmp_path: Path):
    """Another process trains the pipeline."""
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_training_says_that_it_waits_and_goes_on_when_the_first_is_killed(
    held, tmp_path: Path
) -> None:
    told = threading.Event()
    after = threading.Timer(0.5, os.kill, (held.pid, signal.SIGKILL))
    after.start()
    with Workspace(tmp_path).alone("reviews", told.set):
        assert held.wait(5) == -signal.SIGKILL
    assert told.is_set()


def test_another_pipeline_does_not_wait(held, tmp_path: Path) -> None:
    waited = threading.Event()
    with Workspace(tmp_path).alone("intents", waited.set):
        assert not waited.is_set()


def test_one_that_steps_aside_lets_the_next_begin(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    with workspace.alone("reviews", lambda: None):
        workspace.step_aside("reviews")
        command = [sys.executable, "-c", HOLD.replace("60", "0"), str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout == "held\n"


def test_a_run_that_was_cut_off_is_known_until_one_comes_to_its_end(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    with pytest.raises(KeyboardInterrupt), workspace.underway("reviews"):
        raise KeyboardInterrupt
    workspace.note_open("reviews", "7f")
    assert workspace.was_cut_off("reviews")
    with workspace.underway("reviews"):
        assert workspace.left_open("reviews") == "7f"
    assert not workspace.was_cut_off("reviews")
    assert workspace.left_open("reviews") == ""


def test_the_end_of_a_run_that_stepped_aside_does_not_hide_that_the_next_was_cut_off(
    tmp_path: Path,
) -> None:
    workspace = Workspace(tmp_path)
    with workspace.underway("reviews"):
        workspace.step_aside("reviews")
        subprocess.run([sys.executable, "-c", CUT_OFF, str(tmp_path)], check=False, timeout=30)
    assert workspace.was_cut_off("reviews")


def test_what_a_killed_process_was_writing_is_swept_and_what_a_living_one_writes_is_not(
    tmp_path: Path,
) -> None:
    workspace = Workspace(tmp_path).create()
    workspace.write_json("keys/reviews/fold.json", {})
    script = KILLED_WHILE_WRITING
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False, timeout=30)
    assert done.returncode == -signal.SIGKILL
    with workspace.scratch() as mine:
        left = [path for path in tmp_path.rglob("*") if "-" in path.name and path != mine]
        assert len(left) == 2
        workspace.create()
        assert mine.is_dir()
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["fold.json"]
    assert not list((tmp_path / "tmp").iterdir())


def test_a_later_process_of_the_same_number_keeps_nothing_alive(tmp_path: Path) -> None:
    machine = unfinished.mark().partition("-")[0]
    left = tmp_path / "tmp" / f"{machine}-{os.getpid()}-1000000000-abcdefgh"
    left.mkdir(parents=True)
    Workspace(tmp_path).create()
    assert not left.exists()


def test_what_another_machine_writes_into_a_shared_workspace_stays(tmp_path: Path) -> None:
    theirs = tmp_path / "tmp" / "00000000-1-1000000000-abcdefgh"
    theirs.mkdir(parents=True)
    Workspace(tmp_path).create()
    assert theirs.exists()


def test_a_temporary_folder_goes_with_its_process_and_is_swept_after_one_that_was_killed(
    tmp_path: Path,
) -> None:
    # A command of an earlier test may have given this process a folder of its own, with a long name.
    short = tempfile.mkdtemp(prefix="t", dir="/tmp")
    script = """
import os, signal, sys, tempfile
from multiprocessing.util import get_temp_dir
from lslm import unfinished
from lslm.unfinished import claim_temporary
claim_temporary()
tempfile.mkstemp()
get_temp_dir()
if sys.argv[1] == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
"""
    left = []
    for end in ("killed", "well"):
        done = subprocess.run(
            [sys.executable, "-c", script, end],
            env={**os.environ, "TMPDIR": short},
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
        assert done.stderr == ""
        left.append(len(list(Path(short).iterdir())))
    assert left == [1, 0]


def test_of_two_that_add_the_same_the_first_one_s_files_stay(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path).create()
    together = threading.Barrier(2)

    def add(number: int) -> tuple[Handle, int]:
        with workspace.scratch() as folder:
            made = folder / "made"
            made.mkdir()
            for part in range(50):
                (made / f"{part}.txt").write_text("the same")
            together.wait()
            handle = workspace.add(made)
            return handle, handle.path.stat().st_ino

    with ThreadPoolExecutor(2) as threads:
        (one, first), (other, second) = threads.map(add, range(2))
    assert one == other
    assert one.intact()
    assert first == second


@pytest.mark.parametrize("content", [b'{"a": 1', b'{"a": "\xff"}'])
def test_a_damaged_file_of_json_counts_as_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "digests.json").write_bytes(content)
    assert Workspace(tmp_path).read_json("digests.json") is None

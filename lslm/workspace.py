"""Where things are kept: files named by their content, and what each finished stage returned.

Layout of a workspace folder:

    files/<digest>/...       content-addressed files and folders, never changed once there
    results/<stage>-<key>    what a finished stage returned (written by Prefect's result store)
    keys/<pipeline>/...      what the key of each stage was made of, so that a change can be named
    runs/<pipeline>/...      the report of each finished run
    runs/<pipeline>.open     process and MLflow run of one that is going on, or that was cut off
    locks/<pipeline>.lock    held while a pipeline runs; it goes with its process
    locks/_files.lock        held for the moment in which files are added
    checkpoints/<pipeline>/  where fits stand whose trial, fold or model is not recorded yet
    tmp/                     work in progress

What is being written carries its process in its name, and is swept when that is gone.
"""

import hashlib
import json
import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict

from lslm import unfinished

_BLOCK = 1 << 20
_FILES = "_files"
"""Name of the lock of all files; no pipeline has such a one."""
_UNFINISHED = (
    "tmp/*",
    ".*",
    "keys/*/.*",
    "runs/.*",
    "runs/*/.*",
    "checkpoints/*/.*",
    "services/.*",
)


class Handle(BaseModel):
    """A file or folder in a workspace: small, frozen, safe to pass between processes."""

    model_config = ConfigDict(frozen=True)

    path: Path
    digest: str
    """SHA-256 of the file, or of a folder's sorted (name, SHA-256) lines."""
    size: int
    """Bytes, all files together."""

    def intact(self) -> bool:
        """Whether the files are still there at their full size (a cheap check, not a re-hash)."""
        return self.path.exists() and size(self.path) == self.size


class Workspace:
    """One folder that holds everything a pipeline makes."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()

    @property
    def files(self) -> Path:
        """Content-addressed files and folders."""
        return self.root / "files"

    @property
    def results(self) -> Path:
        """What finished stages returned."""
        return self.root / "results"

    @property
    def log(self) -> Path:
        """Everything the libraries said."""
        return self.root / "lslm.log"

    def checkpoint(self, pipeline: str, key: str) -> Path:
        """Where an unfinished fit of that key keeps its state."""
        return self.root / "checkpoints" / pipeline / f"{key}.npz"

    def forget_checkpoints(self, pipeline: str) -> None:
        """Drop what unfinished fits left that no run came back to."""
        shutil.rmtree(self.root / "checkpoints" / pipeline, ignore_errors=True)

    @property
    def tracking_uri(self) -> str:
        """MLflow's default store."""
        return f"sqlite:///{self.root / 'mlflow.db'}"

    @property
    def artifacts(self) -> Path:
        """MLflow's default artifact folder."""
        return self.root / "mlartifacts"

    @property
    def study_url(self) -> str:
        """Optuna's default storage."""
        return f"sqlite:///{self.root / 'optuna.db'}"

    def create(self) -> "Workspace":
        """Make the folders, and sweep what dead processes left behind."""
        for folder in (self.files, self.results, self.root / "keys", self.root / "runs"):
            folder.mkdir(parents=True, exist_ok=True)
        for pattern in _UNFINISHED:
            unfinished.sweep(self.root.glob(pattern))
        return self

    @contextmanager
    def alone(self, pipeline: str, waiting: Callable[[], None]) -> Iterator[None]:
        """One training of a pipeline at a time on this machine; `waiting` is called if there is another.

        Two would do the same stages twice, and both would ask to be champion.
        """
        lock = self._lock(pipeline)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            waiting()
            lock.acquire(poll_interval=0.5)
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def underway(self, pipeline: str) -> Iterator[None]:
        """A run that is cut off inside the block is known by it, also where all its stages are done: what it has
        open elsewhere, in MLflow or Prefect, is still to be ended.
        """
        self.note_open(pipeline, self.left_open(pipeline))
        yield
        # After `step_aside` the next run may have begun, and this one is no longer what is underway.
        if self._noted(pipeline)[0] == _process():
            self._open(pipeline).unlink(missing_ok=True)

    def note_open(self, pipeline: str, run_id: str) -> None:
        """Note the MLflow run that is open for the one that is underway."""
        write_atomic(self._open(pipeline), f"{_process()}\n{run_id}".encode())

    def left_open(self, pipeline: str) -> str:
        """The MLflow run of the one that is underway or was cut off; empty where there is none."""
        return self._noted(pipeline)[1]

    def was_cut_off(self, pipeline: str) -> bool:
        """Whether the last run of the pipeline did not come to its end."""
        return self._open(pipeline).exists()

    def _noted(self, pipeline: str) -> tuple[str, str]:
        """The process and the MLflow run that stand in the note; empty where there is none."""
        try:
            text = self._open(pipeline).read_text()
        except FileNotFoundError:
            return "", ""
        process, _, run_id = text.rpartition("\n")
        return process, run_id

    def _open(self, pipeline: str) -> Path:
        return self.root / "runs" / f"{pipeline}.open"

    def step_aside(self, pipeline: str) -> None:
        """Let others train the pipeline, before the end of `alone`: nothing is left but to wait."""
        self._open(pipeline).unlink(missing_ok=True)
        self._lock(pipeline).release()

    def _lock(self, pipeline: str) -> FileLock:
        return FileLock(self._lock_file(pipeline), is_singleton=True, thread_local=False)

    def _lock_file(self, name: str) -> Path:
        folder = self.root / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{name}.lock"

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A temporary folder on the same file system; gone after the block, whatever happens."""
        parent = self.root / "tmp"
        parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=parent, prefix=unfinished.mark()))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def add(self, path: Path) -> Handle:
        """Move a finished file or folder in under its digest; what is already there is kept.

        The move is one rename, so nobody ever sees half of it.
        """
        name, total = digest(path), size(path)
        handle = Handle(path=self.files / name / path.name, digest=name, size=total)
        if not handle.intact():
            with self.scratch() as staged:
                path.rename(staged / path.name)
                _sync(staged / path.name)
                self._put(staged, handle)
        return handle

    def _put(self, staged: Path, handle: Handle) -> None:
        """One at a time: another run may make the same meanwhile, and already read it."""
        # One of its own: threads of this process wait for one another too.
        with FileLock(self._lock_file(_FILES)):
            if not handle.intact():
                shutil.rmtree(handle.path.parent, ignore_errors=True)
                staged.rename(handle.path.parent)

    def finished(self, key: str) -> bool:
        """Whether the stage with this key finished, and every file of its result is still there."""
        record = _read_json(self.results / key)
        return record is not None and all(
            h.intact() for h in _handles(json.loads(record["result"]))
        )

    def result(self, key: str) -> bytes:
        """What the stage with this key returned, as JSON."""
        return json.loads((self.results / key).read_bytes())["result"].encode()

    def forget(self, key: str) -> None:
        """Drop a stage's result, so that it runs again."""
        (self.results / key).unlink(missing_ok=True)

    def write_json(self, name: str, value: Any) -> None:
        """Write a small JSON file at `name` below the root, whole or not at all."""
        write_atomic(self.root / name, json.dumps(value, indent=1, sort_keys=True).encode())

    def read_json(self, name: str) -> Any | None:
        """Read a small JSON file below the root; None where there is none."""
        return _read_json(self.root / name)


def digest(path: Path) -> str:
    """SHA-256 of a file, or of a folder's sorted (name, SHA-256) lines.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     _ = (Path(folder) / "a").write_bytes(b"")
        ...     digest(Path(folder) / "a")[:8]
        'e3b0c442'
    """
    if path.is_dir():
        lines = (f"{child.relative_to(path).as_posix()} {digest(child)}\n" for child in _tree(path))
        return hashlib.sha256("".join(lines).encode()).hexdigest()
    state = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            state.update(block)
    return state.hexdigest()


def size(path: Path) -> int:
    """Bytes of a file, or of all files in a folder."""
    if path.is_dir():
        return sum(child.stat().st_size for child in _tree(path))
    return path.stat().st_size


def write_atomic(path: Path, content: bytes) -> None:
    """Write a file whole or not at all: a synced temporary file, then one rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.{unfinished.mark()}")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _process() -> str:
    """This process among those that live: its number, on its machine."""
    return f"{socket.gethostname()} {os.getpid()}"


def _tree(folder: Path) -> list[Path]:
    return sorted(child for child in folder.rglob("*") if child.is_file())


def existing(path: Path) -> Path:
    """The path, or the nearest folder above it that is there."""
    return next(each for each in (path, *path.parents) if each.exists())


def _sync(path: Path) -> None:
    for child in _tree(path) if path.is_dir() else [path]:
        with child.open("rb") as file:
            os.fsync(file.fileno())


def _read_json(path: Path) -> Any | None:
    try:
        return json.loads(path.read_bytes())
    except (FileNotFoundError, json.JSONDecodeError, UnicodeDecodeError):
        return None


def _handles(value: Any) -> Iterator[Handle]:
    """Every handle inside a JSON value, however deep."""
    if isinstance(value, dict):
        if value.keys() == {"path", "digest", "size"}:
            yield Handle.model_validate(value)
        else:
            for child in value.values():
                yield from _handles(child)
    elif isinstance(value, list):
        for child in value:
            yield from _handles(child)

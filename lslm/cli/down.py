"""`lslm down`: stop what `lslm up` started."""

import contextlib
import time
from typing import TYPE_CHECKING

import psutil

from lslm.cli.options import WorkspaceOption

if TYPE_CHECKING:
    from lslm.services.processes import Process

_PATIENCE = 150.0
"""Seconds `lslm up` may take to stop its servers; it kills those that do not stop themselves."""


def down(workspace: WorkspaceOption = None) -> None:
    """Stop the servers of `lslm up`, and whatever a killed one left behind.

    \b
    Examples:
      lslm down
      lslm down --workspace /data/reviews
    """
    from lslm.services import leftovers, state
    from lslm.settings import Settings
    from lslm.workspace import Workspace

    home = Workspace(workspace or Settings(name="down").workspace)
    known = state.read(home)
    if known is None:
        print("nothing runs for this workspace")
        return
    if known.owner is not None and known.owned():
        _end(known.owner)
        names = ", ".join(server.name for server in known.servers)
        print(f"stopped {names}" if names else "stopped")
    elif not known.here() and known.servers:
        print(f"they run on {known.host}; stop them there")
    elif left := leftovers.clean(home):
        print(f"stopped {left} processes that a killed `lslm up` left")
    else:
        print("nothing runs for this workspace")
    leftovers.clean(home)


def _end(owner: "Process") -> None:
    """As Ctrl-C in its terminal; killed if that has no effect, what it started is cleaned up then."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(owner.pid)
        process.terminate()
        end = time.monotonic() + _PATIENCE
        while owner.found() is not None:
            if time.monotonic() > end:
                process.kill()
            time.sleep(0.1)

"""Processes that belong to a session: found and stopped, also after the session was killed."""

from collections.abc import Sequence

import psutil

from lslm.services import processes, state
from lslm.services.state import Server, State
from lslm.workspace import Workspace

_PATIENCE = 15.0
"""Seconds for each of: asking a stage's servers, asking all its processes, killing them."""


def mark(known: State, name: str = "") -> str:
    """What the processes of a server carry; of every server, without a name."""
    return f"{known.token}/{name}"


def found(known: State) -> list[psutil.Process]:
    """Every process of the session but the session itself."""
    if not known.here():
        return []
    every = {process.pid: process for process in processes.marked(mark(known))}
    for server in known.servers:
        every |= {each.pid: each for each in _members(known, server)}
    return list(every.values())


def stop(known: State) -> None:
    """Stop the session's processes, the last stage first; nobody is left after it."""
    if not known.here():
        return
    for stage in sorted({server.stage for server in known.servers}, reverse=True):
        _stop_stage(known, [server for server in known.servers if server.stage == stage])
    # A server that was started but not yet written down.
    processes.stop(list, list, lambda: found(known), _PATIENCE)


def clean(workspace: Workspace) -> int:
    """Stop what a session left that is no more; returns how many processes there were."""
    known = state.read(workspace)
    if known is None or not known.here() or known.owned():
        return 0
    left = found(known)
    if left:
        stop(known)
    state.write(
        workspace,
        known.model_copy(update={"owner": None, "servers": (), "ready": False, "waiting": ()}),
    )
    return len(left)


def _members(known: State, server: Server) -> list[psutil.Process]:
    return processes.members(server.process, mark(known, server.name))


def _stop_stage(known: State, servers: Sequence[Server]) -> None:
    processes.stop(
        lambda: [
            child for server in servers if server.children_first for child in _children(server)
        ],
        lambda: [
            (process, server.stop_signal)
            for server in servers
            if (process := server.process.found()) is not None
        ],
        lambda: [each for server in servers for each in _members(known, server)],
        _PATIENCE,
    )


def _children(server: Server) -> list[psutil.Process]:
    leader = server.process.found()
    return processes.children(leader) if leader is not None else []

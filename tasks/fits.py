"""A fit in a training process that ends when it is done: where the process dies, another goes on."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from lslm import planning, progress, stopping
from lslm.training import workers
from lslm.training.epochs import Epoch
from tasks.stage import Run


def finished(
    run: Run,
    function: Callable[..., Any] | str,
    heard: Callable[[Epoch], bool],
    checkpoint: Path,
    **arguments: Any,
) -> Any:
    """What the function returns, which keeps its state at `checkpoint` after each epoch and goes on from there.

    A process that dies is replaced, as often as the settings say. Where the run is asked to stop, the fit ends
    with the epoch that is running, which is kept. The state stays when the fit is done: a later run trains nothing
    of it again. It goes once what the fit was for is recorded (`forget`), at the latest at the end of the run.
    """
    deaths_left = run.settings.execution.worker_deaths

    def unless_stopped(epoch: Epoch) -> bool:
        goes_on = heard(epoch)
        stopping.check()
        return goes_on

    while True:
        try:
            with stopping.fitting():
                found: Any = workers.shared().run(
                    function, on_event=unless_stopped, checkpoint=checkpoint, **arguments
                )
        except workers.WorkerDied:
            if not deaths_left:
                raise
            deaths_left -= 1
        else:
            return found


def state_of(run: Run, name: str, made_of: dict[str, Any], modules: tuple[str, ...]) -> Path:
    """Where a fit keeps its state: it is found by its name and what it is made of."""
    key = planning.key(name, planning.key_parts(made_of, modules))
    return run.workspace.checkpoint(run.settings.name, key)


def forget(checkpoints: Iterable[Path]) -> None:
    """Drop what fits kept, once what they were for is recorded."""
    for checkpoint in checkpoints:
        checkpoint.unlink(missing_ok=True)


def moving(share: float) -> Callable[[Epoch], bool]:
    """What moves the bar on by `share` with each epoch of a fit, once, and never stops it."""
    n_heard = 0

    def heard(epoch: Epoch) -> bool:
        nonlocal n_heard
        if epoch.number > n_heard:
            n_heard = epoch.number
            progress.advance(share)
        return True

    return heard

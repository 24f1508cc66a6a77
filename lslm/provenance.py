"""What a run was made with, as far as it can change a bit of the result."""

import os
import platform
import sys
from importlib.metadata import distributions

from lslm.evaluation.report import Environment


def environment(workers: int) -> Environment:
    """This process: its packages, its Python, its machine. `workers` is the number of training processes."""
    return Environment(
        python=platform.python_version(),
        system=f"{platform.system()} {platform.machine()}",
        processor=_processor(),
        workers=workers,
        hash_seed=hash_seed(),
        packages={
            name.lower().replace("_", "-"): each.version
            for each in sorted(distributions(), key=lambda each: each.name or "")
            if (name := each.name)
        },
    )


def hash_seed() -> str:
    """What Python's hashes of text are seeded with: a number, or `random`."""
    return os.environ.get("PYTHONHASHSEED", "random") if sys.flags.hash_randomization else "0"


def _processor() -> str:
    """The processor's name: other instructions round otherwise."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:  # noqa: PTH123 (not a file of ours)
            names = [
                line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")
            ]
    except OSError:
        names = []
    return names[0] if names else platform.processor()

"""The stage that decides what goes before the gate: the network, or a baseline that does better."""

from typing import Literal

import polars as pl
from pydantic import BaseModel, ConfigDict

from lslm import heads
from lslm.evaluation import abstention, answers, calibration
from lslm.evaluation.candidate import best_system, in_place_of_network
from lslm.evaluation.scoring import NETWORK
from lslm.serving import kept, model_folder
from lslm.serving.model_folder import ModelFolder
from lslm.settings import HeadSettings
from lslm.workspace import Handle
from tasks.models import Folds
from tasks.stage import Run, stage


class Models(BaseModel):
    """The calibrated network, and what is put forward: the same, or a baseline."""

    model_config = ConfigDict(frozen=True)

    network: Handle
    candidate: Handle
    system: str = NETWORK
    """The candidate's name among the systems that were scored."""


@stage("Put forward", modules=("lslm.evaluation.candidate", "lslm.serving.kept", "lslm.heads"))
def put_forward(
    run: Run,
    network: Handle,
    development: Handle,
    folds: Folds,
    head: HeadSettings,
    candidate: Literal["network", "best"],
    wanted_accuracy: float | None,
    seed: int,
) -> Models:
    """The network; with `best`, the baseline that does better on the folds, fitted on all of them."""
    kind, given = heads.get(head.kind), [answers.load(each.path) for each in folds.answers]
    system = best_system(kind, given) if candidate == "best" else NETWORK
    if system == NETWORK:
        return Models(network=network, candidate=network)
    like, its = ModelFolder(network.path), in_place_of_network(given, system)
    documents, targets = pl.read_parquet(development.path), like.description().targets
    with run.workspace.scratch() as folder:
        kept.save(folder / "bare", like, system, kind.kept[system].fit(documents, targets, seed))
        model_folder.calibrate(
            folder / "bare",
            folder / "model",
            temperature=calibration.temperature(kind, its),
            abstain_below=abstention.threshold(kind, its, wanted_accuracy),
        )
        made = run.workspace.add(folder / "model")
    return Models(network=network, candidate=made, system=system)

"""What the rules look at: the holdout's answers of challenger and champion, time and size."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from lslm.evaluation.pooling import spread
from lslm.evaluation.report import Scores
from lslm.evaluation.scoring import NETWORK
from lslm.heads.contract import Array, Goal, Head, Targets
from lslm.serving.latency import Latency, measure
from lslm.serving.model_folder import ModelFolder
from lslm.serving.predictor import Predictor
from lslm.settings import GateSettings
from lslm.tracking.gate.opponent import Opponent
from lslm.tracking.gate.paired import groups_of, paired_test
from lslm.tracking.gate.slices import Slice, sliced
from lslm.tracking.moves import champion as champion_of
from lslm.tracking.store import Store
from lslm.tracking.versions import download, find
from lslm.workspace import size


@dataclass(frozen=True)
class Challenger:
    """A fitted model with its answers for the holdout."""

    head: Head
    folder: Path
    documents: pl.DataFrame
    """The holdout."""
    outputs: Array
    """Its answers for them, first axis the documents."""
    targets: Targets
    scores: Scores
    """Of every system on the holdout."""
    system: str = NETWORK
    """Its own name among them."""


@dataclass(frozen=True)
class Evidence:
    """All that the rules look at."""

    goal: Goal
    scores: Scores
    system: str
    """The challenger's name among the scores."""
    champion: Opponent | None
    """None where there is no champion yet."""
    slices: tuple[Slice, ...]
    latency: Latency
    n_bytes: int
    """Of the model folder."""
    holdout_uses: int
    """Runs that scored this holdout, this one included."""


def gather(
    store: Store,
    name: str,
    challenger: Challenger,
    settings: GateSettings,
    *,
    holdout_uses: int,
    run_id: str | None = None,
) -> Evidence:
    """Ask the champion about the same holdout, cut it into slices, measure time and size.

    A champion that `run_id` itself registered, before it was cut off, is no opponent.
    """
    champion, slices = _against_champion(store, name, challenger, settings, run_id)
    texts: list[str] = challenger.documents["text"].to_list()
    return Evidence(
        goal=challenger.head.goal,
        scores=challenger.scores,
        system=challenger.system,
        champion=champion,
        slices=slices,
        latency=measure(Predictor.load(challenger.folder), texts),
        n_bytes=size(challenger.folder),
        holdout_uses=holdout_uses,
    )


def _against_champion(
    store: Store, name: str, challenger: Challenger, settings: GateSettings, run_id: str | None
) -> tuple[Opponent | None, tuple[Slice, ...]]:
    test, holdout = paired_test(challenger.head, settings), challenger.documents
    (ours,) = paired(challenger.head, holdout, (challenger.outputs, challenger.targets))
    alone = sliced(holdout, ours, None, test, settings)
    version = champion_of(store, name)
    if version is None or (run_id and find(store, name, version).run_id == run_id):
        return None, alone
    folder = download(store, name, version)
    if other := differing(ModelFolder(challenger.folder), ModelFolder(folder)):
        return Opponent(version, None, unlike=other), alone
    rows = np.flatnonzero(~np.isin(holdout["fingerprint"].to_numpy(), ModelFolder(folder).seen()))
    n_left_out = len(holdout) - len(rows)
    if not len(rows):
        return Opponent(version, None, n_left_out), alone
    fresh = holdout[rows]
    both = (challenger.outputs[rows], challenger.targets), answers(folder, fresh)
    if other := unlike(challenger.head, *(targets for _, targets in both)):
        return Opponent(version, None, n_left_out, unlike=other), alone
    a, b = paired(challenger.head, fresh, *both)
    opponent = Opponent(
        version,
        test(a, b, groups_of(fresh)),
        n_left_out,
        float(a.mean()),
        float(b.mean()),
    )
    return opponent, sliced(fresh, a, b, test, settings)


def answers(folder: Path, documents: pl.DataFrame) -> tuple[Array, Targets]:
    """What the model in a folder answers, first axis the documents, and what its head fitted."""
    predictor = Predictor.load(folder, cleans=False)
    return predictor.outputs(documents["text"].to_list()), predictor.targets


def differing(first: ModelFolder, second: ModelFolder) -> str:
    """What keeps two models from being asked about the same documents: another head, or texts cleaned otherwise.

    Documents are known by their cleaned text, and a model that is shown another text than in production answers
    otherwise.
    """
    ours, theirs = first.description(), second.description()
    if ours.head.kind != theirs.head.kind:
        return f"head.kind {ours.head.kind}, not {theirs.head.kind}"
    if ours.cleaning.html != theirs.cleaning.html:
        html = (json.dumps(each.cleaning.html) for each in (ours, theirs))
        return f"cleaning.html {', not '.join(html)}"
    return ""


def unlike(head: Head, first: Targets, second: Targets) -> str:
    """What keeps the scores of two models from being compared, such as `text.tokenizer words, not characters`."""
    if head.yardstick is None:
        return ""
    ours, theirs = head.yardstick(first), head.yardstick(second)
    names = sorted(ours.keys() | theirs.keys())
    told = (
        f"{name} {ours.get(name)}, not {theirs.get(name)}"
        for name in names
        if ours.get(name) != theirs.get(name)
    )
    return "; ".join(told)


def paired(
    head: Head, documents: pl.DataFrame, *systems: tuple[Array, Targets]
) -> tuple[Array, ...]:
    """One value a document for each system, `(n,)`; over the labels of all. See `unlike` for what must agree."""
    if all("labels" in targets for _, targets in systems):
        labels = sorted({label for _, targets in systems for label in targets["labels"]})
        systems = tuple(
            (spread(outputs, targets["labels"], labels), targets | {"labels": labels})
            for outputs, targets in systems
        )
    if head.yardstick is not None:
        systems = tuple((outputs, systems[0][1]) for outputs, _ in systems)
    return tuple(
        head.example_scores(head.encode_targets(documents, targets), outputs)
        for outputs, targets in systems
    )

"""The last stages, with models made by hand and a real registry: what is told is told of what is served."""

import json
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from lslm import heads
from lslm.corpus import splitting
from lslm.evaluation import answers
from lslm.evaluation.answers import Answers
from lslm.evaluation.report import RunReport
from lslm.serving.model_folder import Description, ModelFolder
from lslm.serving.predictor import Predictor
from lslm.settings import (
    EvaluationSettings,
    GateSettings,
    HeadSettings,
    Hyperparameters,
    RegistrySettings,
    Settings,
)
from lslm.tracking import approvals, registry, runs
from lslm.tracking.package import Candidate
from lslm.tracking.store import Store, connect
from lslm.workspace import Handle, Workspace
from tasks import registry as stages
from tasks.candidate import Models, put_forward
from tasks.corpora import Parts
from tasks.models import Folds, evaluate
from tasks.nesting import Nested
from tasks.probes import load_swapped, swap_words
from tasks.reported import Asides, Terms
from tasks.scope import tell_apart
from tasks.searching import Found
from tasks.stage import Run
from tasks.variation import Varied
from tests.evaluation.test_page import CLEANING, SPLIT, WORDS
from tests.tracking.conftest import write_model

HEAD, CLASSIFY = heads.get("classify"), HeadSettings()
SVC = "word-char-svc"
LABELS = {"labels": ["bad", "good"]}
TERMS = Terms(
    evaluation=EvaluationSettings(folds=2, resamples=100, wanted_accuracy=0.8),
    gate=GateSettings(min_slice=5, must_beat_baselines=False),
    registry=RegistrySettings(),
    store="",
)
_NUMBERS = count()
SEARCH = {"goal": "accuracy", "value": None, "n_complete": 0, "n_pruned": 0, "seconds": 0.0}


def documents(n: int, first: int) -> pl.DataFrame:
    """Of two labels in turns, with the word that tells which."""
    return pl.DataFrame(
        {
            "id": range(n),
            "text": [f"a {'fine' if i % 2 else 'dull'} film, number {first + i}" for i in range(n)],
            "label": ["good" if i % 2 else "bad" for i in range(n)],
            "group": range(n),
            "time": pl.Series([None] * n, dtype=pl.String),
            "fingerprint": pl.Series(range(first, first + n), dtype=pl.UInt64),
            "source": ["films.csv"] * n,
            "row": range(1, n + 1),
        }
    )


DEVELOPMENT, HOLDOUT = documents(60, 0), documents(20, 100)


def said(truth: np.ndarray, n_right: int, sure: float) -> np.ndarray:
    """The first few right, each with the same probability."""
    chosen = np.where(np.arange(len(truth)) < n_right, truth, 1 - truth)
    return np.where(np.eye(2)[chosen] == 1, sure, 1 - sure).astype(np.float32)


class World:
    """A workspace, a registry, and what the earlier stages made."""

    def __init__(self, home: Path, name: str) -> None:
        self.settings = Settings(name=name, workspace=home / "workspace")
        self.name = name
        self.workspace = Workspace(home / "workspace").create()
        self.store: Store = connect(self.settings, self.workspace)
        run_id = runs.open_run(self.store, self.settings, digests={}, name="first")
        self.run = Run(settings=self.settings, base=home, run_id=run_id)
        self.development = self.documents("development", DEVELOPMENT)
        self.holdout = self.documents("holdout", HOLDOUT)

    def added(self, name: str, write: Callable[[Path], Any]) -> Handle:
        with self.workspace.scratch() as folder:
            write(folder / name)
            return self.workspace.add(folder / name)

    def documents(self, name: str, frame: pl.DataFrame) -> Handle:
        return self.added(f"{name}.parquet", frame.write_parquet)

    def json(self, name: str, content: Any) -> Handle:
        return self.added(name, lambda path: path.write_text(json.dumps(content)))

    def network(self, weight: float = 2.0) -> Handle:
        return self.added("model", lambda path: write_model(path, weight, ()))

    def answers(self, given: Answers) -> Handle:
        return self.added("answers", lambda path: answers.save(path, given))

    def folds(self) -> Folds:
        """The network is too sure and wrong more often than the SVC, which is not sure enough."""
        found = []
        for _, rows in splitting.folds(DEVELOPMENT, 2, TERMS.evaluation.seed):
            truth = HEAD.encode_targets(DEVELOPMENT[rows], LABELS)
            outputs = {"network": said(truth, 18, 0.99), SVC: said(truth, 27, 0.6)}
            found.append(self.answers(Answers(truth, outputs, LABELS, part())))
        return Folds(answers=tuple(found))

    def tested(self, network: Handle, *baselines: str) -> Handle:
        texts = HOLDOUT["text"].to_list()
        outputs = {"network": Predictor.load(network.path, cleans=False).outputs(texts)}
        for name in baselines:
            outputs[name] = HEAD.baselines[name](DEVELOPMENT, HOLDOUT, LABELS, 0)
        return self.answers(Answers(HEAD.encode_targets(HOLDOUT, LABELS), outputs, LABELS, {}))

    def registered(
        self, models: Models, folds: Folds, tested: Handle, terms: Terms = TERMS, **parts: Handle
    ) -> RunReport:
        def corpus(path: Path) -> None:
            path.mkdir()
            (path / "report.json").write_text(json.dumps(CLEANING))

        nothing = self.json("found.json", [])
        return stages.register.function(
            self.run,
            self.added("corpus", corpus),
            Parts(
                development=self.development,
                holdout=self.holdout,
                outside=None,
                report=self.json("split.json", SPLIT),
                **parts,
            ),
            Found(hyperparameters=Hyperparameters(), summary=SEARCH),
            folds,
            Asides(
                varied=Varied(curve=(), seeds=()),
                nested=Nested(answers=(), found=()),
                explained=nothing,
                swaps=nothing,
            ),
            models,
            tested,
            CLASSIFY,
            terms,
        )

    def card(self, version: str) -> str:
        return self.store.client.get_model_version(self.name, version).description


def part() -> dict[str, Any]:
    return {**WORDS, "vocabulary": 10, "coverage": {"validation": 0.9}}


def described(model: Handle) -> Description:
    return ModelFolder(model.path).description()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("registered")


@pytest.fixture
def world(home: Path) -> World:
    """A pipeline of its own for each test; they share the store, whose migrations take seconds."""
    return World(home, f"films-{next(_NUMBERS)}")


@pytest.fixture
def better(world: World) -> tuple[Models, Folds]:
    """A network, and the baseline that is put forward in its place."""
    folds = world.folds()
    models = put_forward.function(
        world.run, world.network(), world.development, folds, CLASSIFY, "best", 0.8, 0
    )
    return models, folds


def test_report_and_card_of_a_baseline_are_about_the_baseline(
    world: World, better: tuple[Models, Folds]
) -> None:
    models, folds = better
    report = world.registered(models, folds, world.tested(models.network, SVC))
    served, network = described(models.candidate), described(models.network)
    assert report.system == served.system == SVC
    assert report.calibration
    assert report.abstention
    assert report.errors
    assert report.calibration.temperature == served.temperature != network.temperature
    assert report.abstention.below == served.abstain_below
    assert (report.errors.n, report.errors.n_wrong) == (60, 6)
    assert {each.name: each.score.value for each in report.slices}["label good"] >= 0.8

    truth = HEAD.encode_targets(HOLDOUT, LABELS)
    outputs = Predictor.load(models.candidate.path, cleans=False).outputs(HOLDOUT["text"].to_list())
    scored = report.holdout.systems[SVC]["log_loss"].value
    assert scored == pytest.approx(HEAD.metrics["log_loss"](truth, outputs))
    assert f"scaled by temperature {served.temperature:.3f}" in world.card(report.version)
    logged = world.store.client.get_run(world.run.run_id).data
    assert logged.metrics["calibration/temperature"] == served.temperature
    assert logged.tags["lslm.system"] == SVC
    assert logged.metrics["holdout/log_loss"] == scored
    beside = report.holdout.systems["network"]["log_loss"].value
    assert logged.metrics["holdout/log_loss/network"] == beside != scored


def test_the_page_of_the_model_has_its_scores_and_on_what_data(world: World) -> None:
    network, folds = world.network(), world.folds()
    models, tested = Models(network=network, candidate=network), world.tested(network, SVC)
    report = world.registered(models, folds, tested)
    (output,) = world.store.client.get_run(world.run.run_id).outputs.model_outputs
    model = world.store.client.get_logged_model(output.model_id)
    shown = {metric.key: metric for metric in model.metrics}
    held = report.holdout.systems["network"]["accuracy"]
    assert shown["holdout/accuracy"].value == held.value
    assert shown["holdout/accuracy_low"].value == held.low
    assert shown["cv/accuracy"].value == 0.6
    assert not [name for name in shown if SVC in name]
    data = {each.dataset.name: each.dataset.digest for each in run_inputs(world)}
    assert data.keys() == {f"{world.name} development", f"{world.name} holdout"}
    for name, part in (("cv/accuracy", "development"), ("holdout/accuracy", "holdout")):
        assert shown[name].dataset_name == f"{world.name} {part}"
        assert shown[name].dataset_digest == data[f"{world.name} {part}"]
    assert model.params["system"] == "network"
    assert model.params["encoder.units"] == str(Hyperparameters().encoder.units)


def run_inputs(world: World) -> list[Any]:
    return world.store.client.get_run(world.run.run_id).inputs.dataset_inputs


def test_the_threshold_that_is_told_is_that_of_the_model_that_is_served(
    world: World, better: tuple[Models, Folds]
) -> None:
    models, folds = better
    strange = documents(4, 200).with_columns(text=pl.lit("green tea tastes"))
    outside = world.documents("out-of-scope", strange)
    marked = tell_apart.function(world.run, models, folds, outside, "other", CLASSIFY)
    terms = TERMS.model_copy(update={"out_of_scope": "other"})
    tested = world.tested(marked.network, SVC)
    report = world.registered(marked, folds, tested, terms, out_of_scope=outside)
    scope = described(marked.candidate).out_of_scope
    assert report.out_of_scope
    assert scope
    assert report.out_of_scope.below == scope.below
    assert scope != described(marked.network).out_of_scope


def test_a_run_cut_off_after_the_promotion_still_tells_what_it_replaced(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, name = world.store, world.name
    # It says the opposite of what is true.
    first = Candidate(
        run_id=runs.open_run(store, world.settings, digests={"films.csv": "old"}, name="before"),
        folder=world.network(-2.0).path,
        head=HEAD,
        card="# Before",
        input_example=("fine",),
        report="r" * 64,
        data={},
    )
    registry.promote(store, name, registry.register(store, world.settings, first), "first")
    network, folds = world.network(), world.folds()
    models, tested = Models(network=network, candidate=network), world.tested(network)

    def killed(*given: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(stages, "show", killed)
        with pytest.raises(KeyboardInterrupt):
            world.registered(models, folds, tested)
    assert registry.champion(store, name) == "2"
    report = world.registered(models, folds, tested)
    told = "accuracy 1.0000 against 0.0000 of version 1"
    assert (report.version, report.decision.promoted) == ("2", True)
    assert told in report.decision.rules[1].figures
    assert told in report.decision.reason
    assert told in world.card("2")
    assert told in registry.list_models(store, name)[0].gate


# Stored documents are clean: what is left of their markup was written to be read.

STORED = "fine <script>dull dull</script>"


def test_stored_documents_are_scored_as_they_are_served(world: World) -> None:
    model = world.network()
    holdout = world.documents("stored", HOLDOUT[:1].with_columns(text=pl.lit(STORED)))
    tested = evaluate.function(
        world.run, model, world.development, holdout, CLASSIFY, (), TERMS.evaluation.seed
    )
    served = Predictor.load(model.path).outputs(["fine &lt;script&gt;dull dull&lt;/script&gt;"])
    np.testing.assert_allclose(answers.load(tested.path).outputs["network"], served)
    assert served.argmax() == 0


def test_words_are_swapped_in_documents_as_they_are_stored(world: World) -> None:
    holdout = world.documents("stored", HOLDOUT[:1].with_columns(text=pl.lit(STORED)))
    found = swap_words.function(world.run, world.network(), holdout, (("fine", "good"),))
    (swapped, _) = load_swapped(found.path)
    assert np.argmax(swapped.before) == 0


def test_a_run_that_goes_on_keeps_the_comparison_that_a_person_was_asked_about(
    world: World,
) -> None:
    asking = TERMS.model_copy(update={"registry": RegistrySettings(approval=True)})
    folds, store, name = world.folds(), world.store, world.name

    def registered(weight: float, terms: Terms) -> RunReport:
        network = world.network(weight)
        models = Models(network=network, candidate=network)
        return world.registered(models, folds, world.tested(network, SVC), terms)

    def begun() -> Run:
        runs.close_run(store, world.run.run_id, "FINISHED")
        run_id = runs.open_run(store, world.settings, digests={}, name="another")
        return world.run.model_copy(update={"run_id": run_id})

    assert registered(-2.0, TERMS).decision.promoted
    asked = world.run = begun()
    first = registered(2.0, asking)
    assert first.decision.approval
    assert first.decision.approval.state == "pending"
    world.run = begun()
    registered(3.0, TERMS)
    registry.promote(store, name, "3", "meanwhile")
    world.run = asked
    assert registered(2.0, asking).decision == first.decision
    with pytest.raises(registry.Overtaken, match="with 1; the champion is now version 3"):
        approvals.answer(store, name, "2", approve=True, why="yes")


def test_a_holdout_is_known_by_its_documents(world: World) -> None:
    numbered = HOLDOUT.with_columns(id=pl.col("id") + 7, group=pl.col("group") + 7)
    same = [world.documents(name, each) for name, each in (("a", HOLDOUT), ("b", numbered[::-1]))]
    assert same[0].digest != same[1].digest
    assert len({stages._documents_of(each) for each in same}) == 1
    assert stages._documents_of(world.documents("c", HOLDOUT[1:])) != stages._documents_of(same[0])

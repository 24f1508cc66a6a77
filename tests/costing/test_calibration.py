"""A calibration of a real tiny pipeline finds every rate, and is not made twice."""

import time

import pytest

from lslm.costing import calibration
from lslm.costing.assumed import EXPECTED
from lslm.costing.stages import STAGES, Costs
from lslm.pipelines.loader import load
from lslm.workspace import Workspace
from tests.flows.tiny import written


@pytest.mark.slow
def test_a_calibration_is_made_once(tmp_path):
    pipeline = load(str(written(tmp_path) / "tiny.yaml"), [f"workspace={tmp_path / 'w'}"])
    home = Workspace(tmp_path / "w").create()
    found = calibration.rates(pipeline.settings, pipeline.base, home)
    assert found.parts["corpus"].documents == 150
    assert found.network.build > 0.1
    assert set(found.baselines) == {"majority", "tfidf-logistic-regression", "word-char-svc"}
    costs = Costs(pipeline.settings, found, EXPECTED)
    assert all(costs.of(stage).cpu >= 0 for stage in STAGES)
    began = time.perf_counter()
    assert calibration.rates(pipeline.settings, pipeline.base, home) == found
    assert time.perf_counter() - began < 5


@pytest.fixture
def name(tmp_path):
    """How the rates of the tiny pipeline are called, with some settings changed."""
    file = written(tmp_path) / "tiny.yaml"
    home = Workspace(tmp_path / "w").create()

    def named(*changes):
        pipeline = load(str(file), [*changes, f"workspace={home.root}"])
        return calibration._key(pipeline.settings, pipeline.base, home)

    return named


@pytest.mark.parametrize(
    "change",
    [
        "encoder.units=16",
        "training.batch_size=8",
        "execution.workers=7",
        "execution.cores=2",
        "search.max_size_mb=2MB",
        "evaluation.baselines=[majority]",
        "search.n_trials=0",
        "embedding.size=16",
        "training.lazy_words=true",
        "registry.networks=false",
    ],
)
def test_what_changes_rates_is_calibrated_anew(name, change):
    assert name(change) != name()


@pytest.mark.parametrize(
    "change", ["training.epochs=9", "search.n_trials=9", "search.budget=9m", "evaluation.folds=3"]
)
def test_what_only_says_how_often_is_not(name, change):
    assert name(change) == name()


def test_other_documents_are_calibrated_anew(name, tmp_path):
    before = name()
    with (tmp_path / "films.csv").open("a", encoding="utf-8") as file:
        file.write("\nanother one,pos")
    assert name() != before

"""Seconds of stages are arithmetic that can be done by hand."""

import pytest

from lslm.costing.assumed import EXPECTED, HIGH, LOW
from lslm.costing.rates import Line
from lslm.costing.stages import STAGES, Costs
from tests.costing.made import CORPUS, RATES, settings


def costs(assumed=EXPECTED, rates=RATES, **sections):
    return Costs(settings(**sections), rates, assumed)


def test_every_stage_of_the_flow_has_a_cost(tmp_path):
    from lslm.pipelines.loader import load
    from lslm.planning import plan
    from lslm.workspace import Workspace

    loaded = load("rotten-tomatoes", [f"workspace={tmp_path}"])
    stages = plan(loaded.settings, loaded.base, Workspace(tmp_path))
    assert {each.stage for each in stages} == set(STAGES)


def test_an_unknown_stage_is_refused():
    with pytest.raises(LookupError, match="'dream'"):
        costs().of("dream")


def test_reading_and_cleaning_go_by_documents_and_characters():
    assert costs().of("clean").cpu == pytest.approx(1 + 1000 * (0.001 + 100 * 0.0001))


def test_the_final_fit_is_a_part_a_network_and_its_export():
    # 900 documents, 4 epochs of 0.01 s, 2 s to build, 0.5 s to save; 1 s for the part, 3 s to export.
    assert costs().of("fit").wall == pytest.approx(1 + 900 * 4 * 0.01 + 2 + 0.5 + 3)


def test_folds_on_two_processes_end_with_the_third_round(monkeypatch):
    monkeypatch.setattr("lslm.training.workers.available_cores", lambda: 2)
    work = costs(execution={"workers": 2}).of("cross-validate")
    fold = 720 * 4 * 0.01 + 2 + 1 + 180 * 0.005 + 0.1 * 7.2
    assert work.cpu == pytest.approx(5 * (1 + fold))
    # Five parts, then five folds: the first process makes three parts and two folds, the other the rest.
    assert work.wall == pytest.approx(2 * 1 + 3 * fold, abs=1.01)


def test_processes_beyond_the_cores_gain_nothing(monkeypatch):
    monkeypatch.setattr("lslm.training.workers.available_cores", lambda: 1)
    one, eight = (costs(execution={"workers": n}).of("cross-validate") for n in (1, 8))
    assert one == eight


def test_a_budget_ends_the_search_when_the_last_trial_that_began_is_done():
    free = costs(search={"n_trials": 10, "pruner": "none"})
    bound = costs(search={"n_trials": 10, "pruner": "none", "budget": 50})
    trial = (free.search(900).wall - 1) / 10
    assert 1 + 50 <= bound.search(900).wall <= 1 + 50 + trial


def test_a_budget_longer_than_the_trials_changes_nothing():
    free, bound = (
        costs(search={"n_trials": 3, **more}).search(900) for more in ({}, {"budget": 10_000})
    )
    assert free == bound


def test_pruning_shortens_trials_after_the_first_four():
    def wall(n, pruner):
        search = {"n_trials": n, "pruner": pruner}
        return costs(search=search, training={"epochs": 12}).search(900).wall

    assert wall(4, pruner="median") == wall(4, pruner="none")
    assert wall(8, pruner="median") < wall(8, pruner="none")


def test_patience_ends_trials_before_their_last_epoch():
    short, long = (
        costs(training={"epochs": 20, "patience": n}, search={"n_trials": 2}).search(900).cpu
        for n in (1, 10)
    )
    assert short < long


def test_a_trial_on_folds_is_a_fit_of_each(monkeypatch):
    monkeypatch.setattr("lslm.training.workers.available_cores", lambda: 1)
    work = costs(search={"n_trials": 2, "folds": 5, "pruner": "none"}).of("search")
    # Five parts of 1 s; a fit has 720 of 900 documents, and answers for the other 180 after each of 4 epochs.
    one = 720 * 4 * 0.01 + 2 + 1 + 4 * 180 * 0.005
    assert work.cpu == pytest.approx(5 * 1 + 2 * 5 * one)
    assert work.wall == work.cpu


@pytest.mark.parametrize(("pruner", "n_fits"), [("median", 3), ("wilcoxon", 4)])
def test_a_trial_on_folds_is_pruned_between_them(pruner, n_fits):
    def cpu(n, folds, pruner):
        return costs(search={"n_trials": n, "folds": folds, "pruner": pruner}).search(900).cpu

    whole, pruned = (cpu(5, 5, each) - cpu(4, 5, each) for each in ("none", pruner))
    assert pruned == pytest.approx(whole * (0.5 * n_fits + 0.5 * 5) / 5)


def test_where_models_are_bounded_each_is_exported_and_none_is_pruned():
    space = {"training.learning_rate": [0.1, 0.2], "encoder.units": [16]}
    asked = {"n_trials": 8, "pruner": "none", "space": space}
    pruned = {"pruner": "median", "max_latency_ms": 1.0}
    free, bounded = (costs(search={**asked, **more}).of("search").cpu for more in ({}, pruned))
    # A part of all documents, and eight exports.
    assert bounded == pytest.approx(free + 1 + 8 * 3)


def test_a_fit_of_two_cores_has_half_as_many_beside_it(monkeypatch):
    monkeypatch.setattr("lslm.training.workers.available_cores", lambda: 4)
    assert costs(execution={"workers": None, "cores": 2}).processes == 2
    assert costs(execution={"workers": 3, "cores": 2}).processes == 2
    assert costs(execution={"workers": None, "cores": 1}).processes == 4


def test_a_grid_ends_when_all_of_it_was_tried():
    space = {"encoder.units": [8, 16]}
    asked = {"sampler": "grid", "space": space, "pruner": "none"}
    two, many = (costs(search={**asked, "n_trials": n}).search(900) for n in (2, 50))
    assert two == many


def test_the_view_of_a_long_run_is_longer_in_every_stage():
    search = {"n_trials": 8}
    low, expected, high = (costs(view, search=search) for view in (LOW, EXPECTED, HIGH))
    for stage in STAGES:
        assert low.of(stage).wall <= expected.of(stage).wall <= high.of(stage).wall


def test_a_network_that_stands_alone_in_its_fold_is_not_fitted_twice():
    varied = {"seeds": 2, "curve": []}
    alone = costs(evaluation={"folds": 5, "baselines": ["majority"], **varied}).of("vary")
    beside = costs(
        training={"epochs": 4, "members": 2},
        evaluation={"folds": 5, "baselines": ["majority"], **varied},
    ).of("vary")
    assert beside.cpu > 1.9 * alone.cpu


def test_in_time_each_fold_has_the_documents_before_it_and_the_steps_of_a_trial(monkeypatch):
    monkeypatch.setattr("lslm.training.workers.available_cores", lambda: 1)
    given = {"evaluation": {"folds": 2}, "corpus": {"time": "day", "sources": [{"path": "a.csv"}]}}
    found = costs(search={"n_trials": 1, "validation": 0.5}, **given)
    # Spans of 300 documents. A trial is taken to be best after 2.8 epochs of 450.
    assert found.fold_epochs == pytest.approx([2.8 * 450 / 300, 2.8])
    fits = 300 * 4.2 * 0.01 + 600 * 2.8 * 0.01 + 2 * (2 + 1 + 300 * 0.005)
    baselines = 0.1 * (3 + 6)
    assert found.of("cross-validate").cpu == pytest.approx(2 * 1 + fits + baselines)
    assert found.last_fold() == pytest.approx((600, 300))


def test_on_a_part_of_the_documents_a_network_takes_as_long():
    def cpu(*curve, kind="classify"):
        asked = {"folds": 5, "baselines": [], "seeds": 2, "curve": list(curve)}
        return costs(evaluation=asked, head={"kind": kind}).of("vary").cpu

    # A part of 1 s, and the network of all documents.
    one = 720 * 4 * 0.01 + 2 + 1 + 180 * 0.005
    assert cpu(0.25, 0.5) - cpu() == pytest.approx(2 * (1 + one))
    assert cpu(0.25, 0.5, kind="language-model") == cpu(kind="language-model")


def test_nothing_is_explained_where_answers_are_no_classes():
    assert costs(head={"kind": "summarize"}).of("explain-answers").cpu == 0


def test_language_models_of_outside_text_have_a_process_a_direction(monkeypatch):
    monkeypatch.setattr("lslm.training.workers.available_cores", lambda: 2)
    # 1,000 documents of 20 words, 2 passes of 0.001 s, and 3 s to begin.
    rates = RATES.model_copy(
        update={"parts": {"corpus": CORPUS, "outside": CORPUS}, "reading": Line(fixed=3, each=1e-3)}
    )
    asked = {
        "embedding": {"method": "word2vec"},
        "execution": {"workers": 2},
        "pretraining": {"language_model": True, "epochs": 2, "adapt_epochs": 1},
    }
    work = costs(rates=rates, **asked).of("pretrain-language-model")
    assert (work.cpu, work.wall) == pytest.approx((86, 43))
    # Each part goes on with one pass over its own words, in both directions.
    off = costs(rates=rates, **{**asked, "pretraining": {"language_model": False}})
    on = costs(rates=rates, **asked)
    assert on.prepare(900, 0) - off.prepare(900, 0) == pytest.approx(2 * (3 + 900 * 20 * 1e-3))
    assert off.of("pretrain-language-model").cpu == 0

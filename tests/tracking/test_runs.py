import json
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lslm import owners
from lslm.errors import InputError
from lslm.settings import EncoderSettings, Hyperparameters, SearchSettings, Settings
from lslm.tracking import runs
from lslm.tracking.runs import TrialRecord
from lslm.tracking.store import Store, connect, experiment, run_address
from lslm.tracking.trials import PARENT

TRIAL = TrialRecord(
    number=0,
    params={"encoder.units": 64},
    values=((1, {"loss": 0.7}), (2, {"loss": 0.5})),
    state="complete",
    value=0.8,
    seconds=1.5,
)


def in_experiment(store: Store, settings: Settings, query: str = "") -> list:
    return list(store.client.search_runs([experiment(store, settings)], query))


def leave_running(store: Store, settings: Settings, digests: dict[str, str]) -> str:
    """A run whose process, once alive on this machine, is gone."""
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    run_id = runs.open_run(store, settings, digests=digests, name="dead")
    store.client.set_tag(run_id, owners.PID, str(gone.pid))
    return run_id


def test_the_default_store_writes_ahead(store):
    with sqlite3.connect(store.workspace.root / "mlflow.db") as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_connecting_twice_is_one_store(store, settings):
    again = connect(settings, store.workspace)
    assert experiment(again, settings) == experiment(store, settings)


def test_artifacts_of_the_default_store_lie_in_the_workspace(store, run_id):
    location = store.client.get_run(run_id).info.artifact_uri
    assert location.startswith(store.workspace.artifacts.as_uri())


def test_a_deleted_experiment_is_told(store, settings):
    store.client.delete_experiment(experiment(store, settings))
    with pytest.raises(InputError, match="is deleted"):
        experiment(store, settings)


def test_a_run_shows_its_settings_data_and_prefect_run(store, settings):
    run_id = runs.open_run(
        store,
        settings,
        digests={"../data/reviews (1), R&D.csv": "abc"},
        name="first",
        flow_run_id="f1",
        flow_run_url="http://localhost/f1",
    )
    run = store.client.get_run(run_id)
    assert run.data.params["search.n_trials"] == "3"
    (digest,) = (value for name, value in run.data.tags.items() if name.startswith("lslm.digest"))
    assert len(digest) == 64
    files = json.loads(Path(store.client.download_artifacts(run_id, "sources.json")).read_text())
    assert files == {"../data/reviews (1), R&D.csv": "abc"}
    assert run.data.tags["prefect.flow_run_id"] == "f1"
    assert "http://localhost/f1" in run.data.tags["mlflow.note.content"]
    rendered = store.client.download_artifacts(run_id, "settings.yaml")
    assert "n_trials: 3" in Path(rendered).read_text()
    address = run_address(store, run_id, "http://localhost:5000/")
    assert address.endswith(f"/runs/{run_id}?workflowType=machine_learning")


def test_what_the_search_may_change_is_logged_once_it_is_chosen(store, run_id):
    before = store.client.get_run(run_id).data.params
    assert not any(name.startswith(("encoder.", "training.")) for name in before)
    runs.log_chosen(store, run_id, Hyperparameters(encoder=EncoderSettings(units=32)))
    assert store.client.get_run(run_id).data.params["encoder.units"] == "32"


def test_a_run_that_was_cut_off_after_another_choice_is_given_up(store, settings, run_id):
    runs.log_chosen(store, run_id, Hyperparameters(encoder=EncoderSettings(units=32)))
    runs.close_run(store, run_id, "FAILED")
    again = runs.open_run(store, settings, digests={"corpus": "c0"}, name="second", left=run_id)
    runs.log_chosen(store, again, Hyperparameters(encoder=EncoderSettings(units=32)))
    with pytest.raises(InputError, match=rf"{run_id} was cut off with other.*once more"):
        runs.log_chosen(store, again, Hyperparameters(encoder=EncoderSettings(units=64)))
    runs.close_run(store, again, "FAILED")
    fresh = runs.open_run(store, settings, digests={"corpus": "c0"}, name="third", left=run_id)
    assert again == run_id != fresh


def test_a_run_that_another_machine_left_is_its_own_to_take_up(store, settings, run_id):
    runs.close_run(store, run_id, "FAILED")
    store.client.set_tag(run_id, owners.HOST, "elsewhere")
    assert runs.open_run(store, settings, digests={"corpus": "c0"}, name="here") != run_id


def test_a_run_that_died_is_taken_up_again(store, settings):
    dead = leave_running(store, settings, {"corpus": "x"})
    runs.end_dead(store, settings)
    again = runs.open_run(store, settings, digests={"corpus": "x"}, name="second")
    assert again == dead
    run = store.client.get_run(again)
    assert (run.info.status, run.data.tags["lslm.resumed"]) == ("RUNNING", "1")
    assert owners.is_mine(run.data.tags)


def test_dead_runs_with_other_data_are_ended_with_their_children(store, settings):
    dead = leave_running(store, settings, {"corpus": "x"})
    child = store.client.create_run(
        experiment(store, settings), tags={PARENT: dead, **store.client.get_run(dead).data.tags}
    )
    runs.end_dead(store, settings)
    states = [store.client.get_run(each).info.status for each in (dead, child.info.run_id)]
    assert states == ["KILLED", "KILLED"]


def test_a_run_of_another_machine_is_left_alone(store, settings):
    other = runs.open_run(store, settings, digests={"corpus": "x"}, name="elsewhere")
    store.client.set_tag(other, owners.HOST, "elsewhere")
    runs.end_dead(store, settings)
    new = runs.open_run(store, settings, digests={"corpus": "x"}, name="here")
    assert new != other
    assert store.client.get_run(other).info.status == "RUNNING"


def test_a_finished_run_is_not_taken_up(store, settings, run_id):
    runs.close_run(store, run_id, "FINISHED")
    assert runs.open_run(store, settings, digests={"corpus": "c0"}, name="second") != run_id


def test_one_that_was_finished_when_its_process_was_killed_is_taken_up(store, settings, run_id):
    runs.close_run(store, run_id, "FINISHED")
    again = runs.open_run(store, settings, digests={"corpus": "c0"}, name="second", left=run_id)
    assert again == run_id


def test_where_it_runs_does_not_make_it_another_run(tmp_path):
    here, there = (Settings(name="a", workspace=tmp_path / each) for each in "xy")
    other = Settings(name="a", search=SearchSettings(n_trials=1))
    assert runs.run_key(here, {}) == runs.run_key(there, {}) != runs.run_key(other, {})
    assert runs.run_key(here, {"corpus": "x"}) != runs.run_key(here, {"corpus": "y"})


def test_a_process_number_used_again_is_not_the_holder():
    mine = owners.mine()
    assert owners.is_mine(mine)
    assert not owners.is_dead(mine)
    assert owners.is_dead(mine | {owners.BORN: "12.00"})
    assert not owners.is_mine(mine | {owners.BORN: "12.00"})


def test_a_trial_is_a_child_with_its_curve(store, run_id):
    child = runs.log_trial(store, run_id, "study", TRIAL)
    run = store.client.get_run(child)
    assert run.data.tags[PARENT] == run_id
    assert run.info.status == "FINISHED"
    assert run.data.params == {"encoder.units": "64"}
    curve = store.client.get_metric_history(child, "loss")
    assert [(point.step, point.value) for point in curve] == [(1, 0.7), (2, 0.5)]
    assert run.info.end_time - run.info.start_time == 1500


def test_a_trial_is_logged_once(store, run_id, settings):
    first = runs.log_trial(store, run_id, "study", TRIAL)
    assert runs.log_trial(store, run_id, "study", TRIAL) == first
    assert len(in_experiment(store, settings)) == 2


@pytest.mark.parametrize("status", ["KILLED", "RUNNING"])
def test_a_trial_cut_off_while_it_was_logged_is_logged_again(store, run_id, status):
    first = runs.log_trial(store, run_id, "study", TRIAL)
    store.client.update_run(first, status=status)
    assert runs.log_trial(store, run_id, "study", TRIAL) != first
    cut_off = store.client.get_run(first).info
    assert (cut_off.lifecycle_stage, cut_off.status) == ("deleted", "KILLED")


@pytest.mark.parametrize(
    ("state", "status", "pruned"),
    [
        ("complete", "FINISHED", "false"),
        ("pruned", "FINISHED", "true"),
        ("failed", "FAILED", "false"),
    ],
)
def test_the_state_of_a_trial_is_shown(store, run_id, state, status, pruned):
    record = replace(TRIAL, state=state, value=None)
    run = store.client.get_run(runs.log_trial(store, run_id, "study", record))
    assert (run.info.status, run.data.tags["lslm.pruned"]) == (status, pruned)


def test_closing_leaves_nothing_running(store, settings, run_id):
    store.client.create_run(experiment(store, settings), tags={PARENT: run_id})
    runs.close_run(store, run_id, "FINISHED")
    assert in_experiment(store, settings, "attributes.status = 'RUNNING'") == []


def test_a_stage_logs_metrics_and_artifacts(store, run_id, tmp_path):
    (tmp_path / "a.txt").write_text("file")
    artifacts = {"a.txt": tmp_path / "a.txt", "b.md": "text", "c.json": {"n": np.int64(1)}}
    runs.log_stage(store, run_id, "clean", {"kept": 9}, artifacts)
    assert store.client.get_run(run_id).data.metrics["clean/kept"] == 9
    names = {file.path for file in store.client.list_artifacts(run_id, "clean")}
    assert names == {"clean/a.txt", "clean/b.md", "clean/c.json"}


def test_a_stage_that_is_done_again_logs_what_is_new(store, run_id):
    runs.log_stage(store, run_id, "clean", {"kept": 9, "rejected": 1})
    runs.log_stage(store, run_id, "clean", {"kept": 9, "rejected": 2, "seen": 11})
    history = {
        name: [point.value for point in store.client.get_metric_history(run_id, f"clean/{name}")]
        for name in ("kept", "rejected", "seen")
    }
    assert history == {"kept": [9], "rejected": [1, 2], "seen": [11]}


def test_a_table_is_one_that_mlflow_shows_and_is_replaced(store, run_id):
    for value in (0.1, 0.2):
        runs.log_table(store, run_id, "folds", [{"fold": 0, "f1": value}, {"fold": 1, "x": 1}])
    table = store.client.load_table(store.client.get_run(run_id).info.experiment_id, "folds.json")
    assert table["f1"].dropna().tolist() == [0.2]
    tag = store.client.get_run(run_id).data.tags["mlflow.loggedArtifacts"]
    assert json.loads(tag) == [{"path": "folds.json", "type": "table"}]


def test_data_is_an_input_of_the_run(store, run_id, tmp_path):
    runs.log_dataset(
        store, run_id, name="d", digest="e" * 64, path=tmp_path, context="holdout", n=7
    )
    (given,) = store.client.get_run(run_id).inputs.dataset_inputs
    assert given.dataset.digest == "e" * 36
    tags = {tag.key: tag.value for tag in given.tags}
    assert tags == {"mlflow.data.context": "holdout", "lslm.digest": "e" * 64}


def test_each_run_that_scores_a_holdout_counts_once(store, settings, run_id):
    digest = settings.name
    assert runs.holdout_uses(store, digest) == 0
    assert runs.note_holdout_use(store, run_id, digest) == 1
    assert runs.note_holdout_use(store, run_id, digest) == 1
    runs.close_run(store, run_id, "FAILED")
    other = runs.open_run(store, settings, digests={"corpus": "c1"}, name="second")
    assert runs.note_holdout_use(store, other, digest) == 2

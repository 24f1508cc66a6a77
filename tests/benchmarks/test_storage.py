"""The benchmark of the storage asks it for all that a search does."""

from pathlib import Path

import optuna

from benchmarks import storage
from lslm.search import beating
from lslm.search.chosen import EPOCHS


def test_its_trials_are_signed_judged_and_told_as_those_of_a_search(tmp_path: Path) -> None:
    url = storage.sqlite(tmp_path / "optuna.db")
    name = storage.filled(url, 3)
    done = storage.client(url, name, seconds=0.2, seed=0)
    trials = optuna.load_study(study_name=name, storage=url).trials[3:]
    # One before the clock is started.
    assert len(done) == len(trials) - 1 > 0
    for trial in trials:
        assert beating.is_signed(trial.user_attrs)
        assert trial.user_attrs[EPOCHS] == storage.N_EPOCHS
        assert trial.params.keys() == storage.SPACE.keys()
    assert all(len(trial.intermediate_values) == storage.N_EPOCHS for trial in trials[1:])

"""Two versions on one holdout: the same documents for both, and none that one has learned."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from lslm.errors import InputError
from lslm.serving import model_folder
from lslm.settings import CleaningSettings, GateSettings
from lslm.tracking import registry
from lslm.tracking.comparison import compare
from lslm.tracking.versions import of_run

HOLDOUT = pl.DataFrame(
    {
        "text": ["fine", "dull", "fine fine", "so dull"],
        "label": ["good", "bad", "good", "bad"],
        "fingerprint": pl.Series([1, 2, 3, 4], dtype=pl.UInt64),
    }
)


@pytest.fixture
def name(settings):
    return settings.model_name


@pytest.fixture
def registered(store, settings, candidate, tmp_path: Path):
    """Register a version whose holdout lies in the workspace."""

    def make(**named):
        with store.workspace.scratch() as folder:
            HOLDOUT.write_parquet(folder / "holdout.parquet")
            handle = store.workspace.add(folder / "holdout.parquet")
        return registry.register(store, settings, candidate(holdout=handle.digest, **named))

    return make


def test_a_version_is_level_with_itself(store, name, registered):
    version = registered()
    found = compare(store, (name, version), (name, version), GateSettings())
    assert (found.difference, found.p_value, found.n, found.n_left_out) == (0, 1, 4, 0)
    assert (found.metric, found.test) == ("accuracy", "McNemar, exact")


def test_what_either_has_learned_is_left_out(store, name, registered):
    one, two = registered(seen=(1,)), registered(seen=(2,))
    found = compare(store, (name, one), (name, two), GateSettings())
    assert (found.n, found.n_left_out) == (2, 2)


def test_nothing_left_is_told(store, name, registered):
    one, two = registered(seen=(1, 2)), registered(seen=(3, 4))
    with pytest.raises(InputError, match="no document is left"):
        compare(store, (name, one), (name, two), GateSettings())


def test_models_of_another_cleaning_do_not_compare(store, name, settings, registered, candidate):
    one = registered()
    given = candidate(3.0)
    other = given.folder.with_name("raw")
    changes = {"cleaning": CleaningSettings(html=False)}
    model_folder.describe(given.folder, other, changes)
    two = registry.register(store, settings, replace(given, folder=other))
    with pytest.raises(InputError, match=r"cleaning\.html true, not false"):
        compare(store, (name, one), (name, two), GateSettings())


def test_a_holdout_that_is_elsewhere_is_told(store, name, settings, candidate):
    version = registry.register(store, settings, candidate(holdout="0" * 64))
    with pytest.raises(InputError, match="not in this workspace"):
        compare(store, (name, version), (name, version), GateSettings())


def test_a_run_stands_for_the_newest_version_it_registered(store, name, registered, run_id):
    registered()
    newest = registered(seen=(1,))
    assert of_run(store, run_id) == (name, newest)


def test_a_run_that_registered_nothing_is_told(store):
    with pytest.raises(InputError, match="it registered no version"):
        of_run(store, "0" * 32)

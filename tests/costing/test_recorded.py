"""A record counts only where the same documents and the same settings were there."""

import pytest

from lslm.corpus import sources
from lslm.costing import drawing
from lslm.costing.recorded import recorded
from lslm.metering import Cost
from lslm.planning import key_parts, remember
from lslm.settings import Settings
from lslm.workspace import Workspace


@pytest.fixture
def settings(tmp_path):
    (tmp_path / "a.csv").write_text("text,label\ngood,pos\n", encoding="utf-8")
    return Settings.model_validate({"name": "t", "corpus": {"sources": [{"path": "a.csv"}]}})


@pytest.fixture
def workspace(settings, tmp_path):
    home = Workspace(tmp_path / "workspace").create()
    files = sources.fingerprints(settings.corpus, tmp_path, home)
    note(home, "clean", {"files": files, "corpus": settings.corpus}, 3.0)
    note(home, "pretrain", {"outside": None, "embedding": settings.embedding}, 20.0)
    return home


def note(home, stage, arguments, cpu_seconds):
    cost = Cost(seconds=1.0, cpu_seconds=cpu_seconds)
    remember(home, "t", stage, key_parts(arguments, ()), cost, "run")


def test_the_same_work_is_known(settings, workspace, tmp_path):
    assert recorded(settings, tmp_path, workspace) == {"clean": 3.0, "pretrain": 20.0}


def test_a_stage_with_another_setting_is_not(settings, workspace, tmp_path):
    embedding = settings.embedding.model_copy(update={"epochs": 9})
    other = settings.model_copy(update={"embedding": embedding})
    assert recorded(other, tmp_path, workspace) == {"clean": 3.0}


@pytest.mark.parametrize(
    ("changes", "known"),
    [
        ({"training.members": 1}, False),
        ({"encoder.tuned_words": 9}, True),
        ({"training.epochs": 9}, True),
        ({}, True),
    ],
)
def test_hyperparameters_that_no_search_changes_are_compared(
    settings, workspace, tmp_path, changes, known
):
    chosen = drawing.start(settings).replaced({"training.members": 3, "encoder.tuned_words": 7})
    note(workspace, "fit", {"chosen": chosen}, 9.0)
    training = chosen.replaced(changes).training
    now = settings.model_copy(update={"training": training})
    assert ("fit" in recorded(now, tmp_path, workspace)) is known


def test_other_documents_make_all_of_it_unknown(settings, workspace, tmp_path):
    (tmp_path / "a.csv").write_text("text,label\nbad,neg\nfine,pos\n", encoding="utf-8")
    assert recorded(settings, tmp_path, workspace) == {}


def test_nothing_is_known_of_a_new_workspace(settings, tmp_path):
    assert recorded(settings, tmp_path, Workspace(tmp_path / "new").create()) == {}

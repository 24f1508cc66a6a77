import json
from dataclasses import replace
from pathlib import Path

import pytest

from lslm.errors import InputError
from lslm.tracking import registration, registry, versions
from lslm.tracking.store import insisting, local_path


def package_of(store, name: str, version: str) -> Path:
    location = local_path(store.client.get_model_version_download_uri(name, version))
    assert location is not None
    return location


@pytest.fixture
def name(settings) -> str:
    return settings.model_name


@pytest.fixture
def two_versions(store, settings, candidate) -> None:
    for weight in (1.0, 2.0):
        registry.register(store, settings, candidate(weight))


def test_a_registered_champion_answers_through_mlflow(store, settings, candidate, name):
    import mlflow
    import pandas as pd

    version = registry.register(store, settings, candidate())
    registry.promote(store, name, version, "first")
    model = mlflow.pyfunc.load_model(f"models:/{name}@champion")
    answers = model.predict(pd.DataFrame({"text": ["a fine film", "dull , dull"]}))
    assert answers["label"].tolist() == ["good", "bad"]
    assert list(answers.columns) == ["label", "probability"]
    assert [column.name for column in model.metadata.get_input_schema()] == ["text"]


def test_a_registered_model_tells_where_it_comes_from(store, settings, candidate, name, run_id):
    version = registry.register(store, settings, candidate())
    found = store.client.get_model_version(name, version)
    assert (found.run_id, found.description) == (run_id, "# A toy")
    assert found.tags["lslm.digest.holdout"] == "h0"
    assert found.tags["lslm.report"] == "r" * 64
    (output,) = store.client.get_run(run_id).outputs.model_outputs
    assert found.source == f"models:/{output.model_id}"


def test_the_page_of_a_model_names_the_version_it_is_registered_as(
    store, settings, candidate, name, run_id
):
    given = replace(candidate(), params={"system": "network", "encoder.units": 8})
    for _ in range(2):
        registry.register(store, settings, given)
    model = store.client.get_logged_model(registry.logged_model(store, name, "1"))
    assert json.loads(model.tags["mlflow.modelVersions"]) == [{"name": name, "version": "1"}]
    assert model.params == {"system": "network", "encoder.units": "8"}


def test_a_package_holds_source_and_pinned_requirements_but_no_pickle(
    store, settings, candidate, name
):
    package = package_of(store, name, registry.register(store, settings, candidate()))
    names = {path.name for path in package.rglob("*")}
    assert (package / "code" / "lslm" / "settings.py").is_file()
    assert not {each for each in names if each.endswith((".pkl", ".pyc", ".lock"))}
    lines = (package / "requirements.txt").read_text().splitlines()
    assert "numpy" in {line.partition("==")[0] for line in lines}
    assert all("==" in line for line in lines)


def test_registering_the_same_model_again_is_one_version(store, settings, candidate, name):
    first = registry.register(store, settings, candidate())
    store.client.delete_registered_model_alias(name, "challenger")
    assert registry.register(store, settings, candidate()) == first
    assert len(registry.list_models(store, name)) == 1
    assert registry.list_models(store, name)[0].aliases == ("challenger",)


def test_a_registration_cut_off_half_way_leaves_one_model(
    store, settings, candidate, run_id, monkeypatch
):
    def killed(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(store.client, "finalize_logged_model", killed)
        with pytest.raises(KeyboardInterrupt):
            registry.register(store, settings, candidate())
    registry.register(store, settings, candidate())
    experiment_id = store.client.get_run(run_id).info.experiment_id
    states = [str(each.status) for each in store.client.search_logged_models([experiment_id])]
    assert states == ["READY"]


def test_a_model_that_was_logged_but_not_registered_is_used(
    store, settings, candidate, run_id, monkeypatch
):
    def killed(*arguments: object, **named: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(store.client, "create_model_version", killed)
        with pytest.raises(KeyboardInterrupt):
            registry.register(store, settings, candidate())
    monkeypatch.setattr(registration, "save_package", killed)
    assert registry.register(store, settings, candidate()) == "1"


def test_the_newest_version_is_the_challenger(store, two_versions, name):
    rows = registry.list_models(store, name)
    assert [(row.version, row.aliases) for row in rows] == [("2", ("challenger",)), ("1", ())]
    assert {row.score for row in rows} == {"accuracy 0.9"}


def test_an_unknown_model_or_version_names_what_exists(store, two_versions, name):
    with pytest.raises(InputError, match=f"one of: .*{name}"):
        registry.download(store, "nothing", "champion")
    with pytest.raises(InputError, match="one of: challenger, 1, 2"):
        registry.download(store, name, "champion")


def test_a_local_model_is_used_where_it_lies(store, two_versions, name):
    folder = registry.download(store, name, "challenger")
    assert folder.is_relative_to(store.workspace.artifacts)
    assert folder == registry.download(store, name, "2")


def test_a_model_that_lies_elsewhere_is_fetched_once(store, two_versions, name, monkeypatch):
    monkeypatch.setattr(versions, "local_path", lambda location: None)
    folder = registry.download(store, name, "2")
    assert folder.is_relative_to(store.workspace.files)
    registry.promote(store, name, "2", "why")
    monkeypatch.setattr("mlflow.artifacts.download_artifacts", None)
    assert registry.download(store, name, "champion") == folder


def test_a_changed_model_is_neither_used_nor_promoted(store, two_versions, name):
    folder = registry.download(store, name, "1")
    (folder / "vocabulary.json").write_text("[]")
    for use in (registry.download, lambda *given: registry.promote(*given, "why")):
        with pytest.raises(InputError, match="not those that were registered"):
            use(store, name, "1")
    assert registry.champion(store, name) is None


def test_changed_code_is_not_promoted(store, two_versions, name):
    code = package_of(store, name, "1") / "code" / "lslm" / "settings.py"
    code.write_text("import os")
    with pytest.raises(InputError, match="not those that were registered"):
        registry.promote(store, name, "1", "why")


def test_compiled_code_put_beside_the_source_is_thrown_away(store, two_versions, name):
    cache = package_of(store, name, "1") / "code" / "lslm" / "__pycache__"
    cache.mkdir()
    (cache / "settings.cpython-311.pyc").write_bytes(b"planted")
    registry.promote(store, name, "1", "why")
    assert not cache.exists()


def test_rollback_goes_back_through_the_champions(store, settings, candidate, two_versions, name):
    registry.register(store, settings, candidate(3.0))
    for version in ("1", "2", "3"):
        registry.promote(store, name, version, f"try {version}")
    assert registry.rollback(store, name, "worse") == "2"
    assert registry.rollback(store, name, "worse still") == "1"
    with pytest.raises(InputError, match="no earlier champion"):
        registry.rollback(store, name, "again")
    moves = registry.history(store, name)
    assert [(move.before, move.after) for move in moves] == [
        (None, "1"),
        ("1", "2"),
        ("2", "3"),
        ("3", "2"),
        ("2", "1"),
    ]
    assert moves[-1].why == "worse still"
    assert {move.report for move in moves} == {"r" * 64}


def test_rollback_knows_a_champion_set_in_mlflow_itself(store, two_versions, name):
    store.client.set_registered_model_alias(name, "champion", "1")
    registry.promote(store, name, "challenger", "better")
    assert registry.rollback(store, name, "worse") == "1"


def test_promoting_the_champion_is_no_move(store, two_versions, name):
    for _ in range(2):
        assert registry.promote(store, name, "1", "why") == "1"
    assert len(registry.history(store, name)) == 1


def test_a_card_longer_than_mlflow_s_column_is_cut_and_says_so(store, two_versions, name):
    registry.annotate(store, name, "2", card="word " * 2000, tags={})
    description = store.client.get_model_version(name, "2").description
    assert len(description) == 5000
    assert "`report/card.md` on the MLflow run" in description[-100:]


def test_what_the_gate_said_is_shown(store, two_versions, name):
    registry.annotate(store, name, "2", card="# New", tags={"lslm.gate": "not promoted"})
    assert store.client.get_model_version(name, "2").description == "# New"
    assert registry.list_models(store, name)[0].gate == "not promoted"


def test_only_what_passes_is_tried_again():
    from mlflow.exceptions import MlflowException

    calls = []

    def fails(message: str) -> None:
        calls.append(message)
        if len(calls) < 3:
            raise MlflowException(message)

    insisting(lambda: fails("(sqlite3.IntegrityError) UNIQUE constraint failed"))
    assert len(calls) == 3
    calls.clear()
    with pytest.raises(MlflowException):
        insisting(lambda: fails("no such model"))
    assert len(calls) == 1

"""Stages on a Prefect server: tried again or not, named, and with pages to look at."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.filesystems import LocalFileSystem

from lslm.errors import InputError
from lslm.settings import EmbeddingSettings, ExecutionSettings, PretrainingSettings, Settings
from lslm.workspace import Workspace
from tasks.embeddings import Language, pretrain, pretrain_language_model
from tasks.registry import register
from tasks.stage import Named, Run, stage
from tests.tasks.test_registered import TERMS

CALLS: list[str] = []
PRETRAINED = Settings(name="reviews", pretraining=PretrainingSettings(language_model=True))


class Part(Named):
    def __str__(self) -> str:
        return "shaky 7"


@stage("Shaky", modules=())
def shaky(run: Run, word: str, part: Part | None = None) -> str:
    """Fails at its first call."""
    CALLS.append(word)
    if len(CALLS) == 1:
        raise OSError("gone for a moment")
    return word


@stage("Wrong", modules=())
def wrong(run: Run, word: str) -> str:
    """Fails for good."""
    CALLS.append(word)
    raise InputError("no column", where="a.csv", right="text")


@stage("Shown", modules=(), pages=lambda result: {"table": f"# {result}"})
def shown(run: Run, word: str) -> str:
    """Leaves a page."""
    CALLS.append(word)
    return word


@stage("Whole", modules=())
def whole(run: Run, word: str) -> list[bool]:
    """Whether each of its parts is kept before it is done itself."""
    kept: list[bool] = []
    for part in (lambda: shown.submit(run, word).result(), lambda: other.here(run, word)):
        part()
        kept.append(len(list(run.workspace.results.iterdir())) == len(kept) + 1)
    return kept


@stage("Other", modules=())
def other(run: Run, word: str) -> str:
    """Another part."""
    CALLS.append(word)
    return word


@pytest.fixture
def run(tmp_path: Path, prefect_server: None) -> Run:
    CALLS.clear()
    settings = Settings(
        name=f"toy-{os.getpid()}",
        workspace=tmp_path,
        execution=ExecutionSettings(retry_delay=0.1),
    )
    Workspace(tmp_path).create()
    return Run(settings=settings, base=tmp_path, run_id="r1", page="http://mlflow/#/runs/r1")


def flow_of(work: Any) -> Any:
    return flow(name="toy")(work)()


def test_a_failure_that_passes_is_tried_again(run: Run) -> None:
    assert flow_of(lambda: shaky(run, "a")) == "a"
    assert CALLS == ["a", "a"]


def test_bad_input_is_not_tried_again(run: Run) -> None:
    with pytest.raises(InputError, match="no column"):
        flow_of(lambda: wrong(run, "b"))
    assert CALLS == ["b"]


def test_a_stage_whose_result_cannot_be_written_is_not_done(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, n_full = LocalFileSystem.write_path, 1

    def full(*given: Any, **named: Any) -> Any:
        nonlocal n_full
        n_full -= 1
        if n_full >= 0:
            raise OSError(errno.ENOSPC, "no space left")
        return write(*given, **named)

    monkeypatch.setattr(LocalFileSystem, "write_path", full)
    assert flow_of(lambda: other(run, "e")) == "e"
    assert flow_of(lambda: other(run, "e")) == "e"
    assert CALLS == ["e", "e"]
    n_full = 99
    with pytest.raises(OSError, match="the result of other cannot be written"):
        flow_of(lambda: other(run, "f"))


def test_a_part_of_a_stage_says_which_it_is(run: Run) -> None:
    CALLS.append("before")
    flow_of(lambda: shaky.submit(run, "c", Part()).result())
    with get_client(sync_client=True) as client:
        assert "shaky 7" in {each.name for each in client.read_task_runs()}


def test_a_stage_leaves_its_page_also_where_its_result_was_there(run: Run) -> None:
    for _ in range(2):
        flow_of(lambda: shown(run, "d"))
    assert CALLS == ["d"]
    with get_client(sync_client=True) as client:
        pages = [
            each for each in client.read_artifacts() if each.key == f"{run.settings.name}-table"
        ]
    assert len(pages) == 2
    assert {page.data for page in pages} == {"# d\n\n[MLflow run](http://mlflow/#/runs/r1) `r1`"}


def test_a_part_is_kept_before_the_whole_is_done(run: Run) -> None:
    assert flow_of(lambda: whole(run, "a")) == [True, True]


def test_a_key_holds_the_stage_s_own_source_and_no_setting_that_it_does_not_read() -> None:
    given = {"outside": None, "embedding": EmbeddingSettings()}
    parts = pretrain.parts(given)
    assert "source of tasks.embeddings" in parts
    assert "source of tasks.stage" not in parts
    for changes, same in (({"adapt_epochs": 9, "outside_words": 9}, True), ({"epochs": 9}, False)):
        other = given | {"embedding": EmbeddingSettings(**changes)}
        assert (pretrain.parts(other) == parts) is same
    language = Language.of(PRETRAINED)
    assert language is not None
    adapted = language.settings.model_copy(update={"adapt_epochs": 9})
    whole = [
        pretrain_language_model.parts({"language": each})
        for each in (language, language.model_copy(update={"settings": adapted}))
    ]
    assert whole[0] == whole[1]


def test_the_licence_is_a_part_of_what_is_registered() -> None:
    whole = [
        register.parts({"terms": TERMS.model_copy(update={"licence": each})})
        for each in (None, "CC-BY-4.0")
    ]
    assert whole[0] != whole[1]

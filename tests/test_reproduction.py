"""Two runs are compared in the order in which things are made."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from lslm import reproduction
from lslm.evaluation.report import Environment, Made, Provenance
from lslm.settings import Settings
from lslm.workspace import Workspace
from tests.cli.samples import REPORT

HERE = Environment(
    python="3.11.7",
    system="Linux x86_64",
    processor="one",
    workers=2,
    hash_seed="random",
    packages={"keras": "3.15.1", "numpy": "2.4.6"},
)


def provenance(*digests: str) -> Provenance:
    stages = ("clean", "search", "fit", "evaluate")
    made = tuple(
        Made(stage=stage, name="", digest=digest)
        for stage, digest in zip(stages, digests, strict=False)
    )
    return Provenance(base="/data", sources={"a.csv": "0"}, environment=HERE, made=made)


def compared(*steps: reproduction.Step) -> reproduction.Reproduction:
    return reproduction.Reproduction(
        run_id="r",
        deterministic=True,
        steps=steps,
        surroundings=(),
        recorded_score=0.8,
        score=0.8,
    )


def test_the_first_thing_that_differs_is_named() -> None:
    steps = reproduction.compare_made(provenance(*"abcd"), provenance(*"abxy"))
    first = compared(*steps).first_difference
    assert first is not None
    assert (first.stage, first.recorded, first.again) == ("fit", "c", "x")


def test_what_one_run_did_not_make_differs() -> None:
    steps = list(reproduction.compare_made(provenance(*"abcd"), provenance(*"abc")))
    assert [step.same for step in steps] == [True, True, True, False]
    assert steps[-1].again is None


def test_two_equal_runs_are_reproduced() -> None:
    steps = reproduction.compare_made(provenance(*"abcd"), provenance(*"abcd"))
    assert compared(*steps).first_difference is None


def test_another_file_or_content_differs() -> None:
    steps = list(reproduction.compare_sources({"a.csv": "0", "b.csv": "1"}, {"a.csv": "2"}))
    assert [step.same for step in steps] == [False, False]


def test_other_surroundings_are_told() -> None:
    now = HERE.model_copy(update={"workers": 4, "packages": {"keras": "3.16.0", "numpy": "2.4.6"}})
    assert list(reproduction.compare_environments(HERE, now)) == [
        "workers: 2 then, 4 now",
        "package keras: 3.15.1 then, 3.16.0 now",
    ]


def test_the_new_run_does_as_many_trials_and_touches_no_other_store(tmp_path: Path) -> None:
    settings = Settings.model_validate(
        {
            "name": "films",
            "search": {"n_trials": 20, "budget": "1m"},
            "registry": {"approval": True},
            "tracking": {"uri": "http://example.org:5000"},
        }
    )
    recorded = REPORT.model_copy(
        update={"search": {"n_complete": 3, "n_pruned": 2}, "provenance": provenance("a")}
    )
    again = reproduction.again(settings, recorded, Workspace(tmp_path))
    assert (again.search.n_trials, again.search.budget) == (5, None)
    assert not again.registry.approval
    assert again.tracking.uri == f"sqlite:///{tmp_path / 'mlflow.db'}"
    assert (again.workspace, again.execution.workers) == (tmp_path, 2)


def test_determinism_settles_what_it_needs() -> None:
    settings = Settings.model_validate({"name": "films", "deterministic": True})
    assert settings.embedding.workers == 1
    assert settings.search.in_waves


def test_determinism_refuses_two_threads() -> None:
    with pytest.raises(ValidationError, match="embedding.workers has to be 1"):
        Settings.model_validate(
            {"name": "films", "deterministic": True, "embedding": {"workers": 2}}
        )

"""A stage is done again where a part of it would be: its key holds the same source."""

from typing import Any

import pytest

from tasks.models import cross_validate, fold, prepare_part
from tasks.nesting import nest, search_inside
from tasks.probes import explain_answers
from tasks.registry import register
from tasks.searching import search
from tasks.stage import Stage
from tasks.variation import vary


def sources(stage: Stage[Any, Any]) -> set[str]:
    return {name for name in stage.parts({}) if name.startswith("source of ")}


@pytest.mark.parametrize(
    ("whole", "parts"),
    [
        (search, (prepare_part,)),
        (cross_validate, (prepare_part, fold)),
        (nest, (prepare_part, fold, search_inside)),
        (vary, (prepare_part, fold)),
        (explain_answers, (prepare_part,)),
    ],
    ids=lambda given: given.name if isinstance(given, Stage) else "",
)
def test_the_source_that_its_parts_run_is_in_its_key(
    whole: Stage[Any, Any], parts: tuple[Stage[Any, Any], ...]
) -> None:
    for part in parts:
        assert sources(part) <= sources(whole)


def test_functions_that_stages_take_from_one_another_are_in_their_keys() -> None:
    assert {"source of tasks.registry", "source of tasks.reported"} <= sources(register)
    assert {"source of tasks.searching", "source of tasks.models"} <= sources(nest)
    assert not {"source of tasks.stage", "source of tasks.tracked"} & sources(register)


def test_the_source_that_puts_a_model_together_is_in_the_key_of_what_asks_it() -> None:
    assert "source of lslm.serving.assembly" in sources(explain_answers)

from lslm.evaluation.front import front_rows
from lslm.evaluation.markdown import idle_text, search_text

FOUND = {
    "value": 0.8,
    "n_complete": 2,
    "n_pruned": 0,
    "n_failed": 0,
    "n_over": 3,
    "seconds": 4.0,
    "bounds": {"size_mb": 2.0, "latency_ms": 1.0},
    "front": (4, 2),
    "idle": ("encoder.cell", "training.schedule"),
    "trials": [
        {
            "trial": number,
            "state": "complete" if value else "over",
            "value": value,
            "epochs": 2,
            "size_mb": size,
            "latency_ms": 0.25,
            "parameters": {"encoder.units": 8},
        }
        for number, value, size in ((4, 0.8, 1.9), (2, 0.7, 1.234), (0, None, 30.0))
    ],
}


def test_the_front_is_told_best_first_with_what_was_chosen() -> None:
    assert [(row["trial"], row["chosen"]) for row in front_rows(FOUND)] == [(4, True), (2, False)]
    assert front_rows({"value": None}) == []


def test_the_section_has_the_front_and_what_made_no_difference() -> None:
    text = search_text(FOUND, "accuracy")
    assert "held within 2 MB and 1 ms; 3 trials over that were not trained" in text
    assert "| 4 | 0.8000 | 1.90 | 0.25 | chosen |" in text
    assert "| 2 | 0.7000 | 1.23 | 0.25 |  |" in text
    assert "Made no difference here: encoder.cell, training.schedule." in text


def test_a_search_without_bounds_tells_of_no_front() -> None:
    plain = {**FOUND, "front": (), "bounds": {}, "idle": ()}
    assert "held within" not in search_text(plain, "accuracy")
    assert idle_text(plain) == ""

"""The tables at the end of a run say which way is better."""

import pytest

from lslm.cli.ending import show
from tests.cli.samples import REPORT


@pytest.mark.parametrize(("direction", "told"), [("minimize", True), ("maximize", False)])
def test_a_score_of_which_less_is_better_says_so(
    direction: str, told: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    show(REPORT.model_copy(update={"direction": direction}))
    shown = capsys.readouterr().out
    assert ("Holdout, scored once, lower is better" in shown) == told
    assert ("2 folds pooled, lower is better" in shown) == told

"""What a study says of its parameters."""

import optuna
import pytest

from lslm.search import chosen


def importances(direction: str, *, bounded: bool) -> dict[str, dict[str, float]]:
    """Of 200 trials: `harms` decides which are bad, and `helps` which of the others are best."""
    sign = 1 if direction == "maximize" else -1
    directions = [direction, *(["minimize"] if bounded else [])]
    study = optuna.create_study(
        directions=directions, sampler=optuna.samplers.RandomSampler(seed=0)
    )
    for _ in range(200):
        trial = study.ask()
        helps, harms = (trial.suggest_float(name, 0, 1) for name in ("helps", "harms"))
        quality = 0.3 + 0.5 * harms if harms < 0.2 else 0.8 + 0.06 * helps * (helps > 0.8)
        values = [sign * quality, *([1.0] if bounded else [])]
        study.tell(trial, values)
    return chosen.importances(study, 200, 0)


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_beside_a_bound_too_what_made_the_best_trials_is_told(direction: str) -> None:
    plain, bounded = (importances(direction, bounded=each) for each in (False, True))
    assert bounded["PED-ANOVA"]["helps"] > bounded["PED-ANOVA"]["harms"]
    for evaluator, shares in plain.items():
        assert bounded[evaluator] == pytest.approx(shares)

from lslm.evaluation.report import PairedDifference, Scores


def against(system: str, difference: float) -> PairedDifference:
    return PairedDifference(
        against=system,
        metric="rouge1",
        test="paired bootstrap",
        difference=difference,
        low=difference - 0.01,
        high=difference + 0.01,
        p_value=0.01,
        n=10,
    )


def test_the_closest_baseline_is_none_that_knows_the_truth() -> None:
    scores = Scores(
        systems={},
        differences=(against("lead", 0.02), against("lexrank", 0.01), against("oracle", -0.2)),
        ceilings=("oracle",),
    )
    for direction, system in (("maximize", "lexrank"), ("minimize", "lead")):
        closest = scores.closest("rouge1", direction)
        assert closest is not None
        assert closest.against == system
    assert scores.closest("rouge2", "maximize") is None

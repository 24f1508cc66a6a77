"""A finished run's report, small enough to read."""

from lslm.evaluation.report import (
    Decision,
    FoldScores,
    PairedDifference,
    Rule,
    RunReport,
    Score,
    Scores,
)

_SYSTEMS = {
    "network": {"accuracy": Score(value=0.79, low=0.76, high=0.82, n=853)},
    "majority": {"accuracy": Score(value=0.5, low=0.47, high=0.53, n=853)},
}
_DIFFERENCE = PairedDifference(
    against="majority",
    metric="accuracy",
    test="McNemar, exact",
    difference=0.29,
    low=0.25,
    high=0.33,
    p_value=0.001,
    n=853,
)
REPORT = RunReport(
    pipeline="imdb",
    run_id="abc",
    goal="accuracy",
    corpus={},
    embedding={},
    search={},
    chosen={"encoder.units": 128, "training.learning_rate": 0.00123456},
    cross_validation=FoldScores(
        systems=_SYSTEMS,
        differences=(_DIFFERENCE,),
        folds=(
            {"network": {"accuracy": 0.78}, "majority": {"accuracy": 0.49}},
            {"network": {"accuracy": 0.8}, "majority": {"accuracy": 0.51}},
        ),
    ),
    holdout=Scores(systems=_SYSTEMS, differences=(_DIFFERENCE,)),
    model="imdb",
    version="3",
    decision=Decision(
        promoted=False,
        reason="not above the floor",
        rules=(Rule(name="floor", passed=False, figures="0.79 against 0.80"),),
    ),
    seconds={"clean": 60.0, "search": 30.0},
)

"""Rates of a machine on which arithmetic is easy."""

from lslm.costing.rates import BaselineRate, Growing, Line, NetworkRate, PartSize, Rates
from lslm.settings import Settings

CORPUS = PartSize(
    documents=1000,
    exact=True,
    kept=1.0,
    characters=100,
    cleaned=100,
    tokens=20,
    read=0.001,
    types=100,
    types_of=100,
    growth=0.0,
    frequent=1.0,
)
NETWORK = NetworkRate(
    a_document=0.01,
    a_step=0.0,
    a_flop=0.0,
    a_weight=0.0,
    cells=24,
    width=24,
    build=2.0,
    first_answer=1.0,
    answer=0.5,
    score=0.0,
    save=0.5,
    spread=0.0,
)
RATES = Rates(
    parts={"corpus": CORPUS},
    clean=Line(fixed=1.0, each=0.0001),
    split=0.0,
    tokenize=0.0001,
    words=0.0,
    words_outside=0.0,
    vectors=0.0,
    prepare=Line(fixed=1.0),
    network=NETWORK,
    baselines={"majority": BaselineRate(fit=Growing(n=100, seconds=0.1, power=1.0), answer=0.0)},
    assemble=3.0,
    assemble_one=3.0,
    serve=0.0,
    explain=0.0,
    report=Line(),
    python=0.0,
    calibration=30.0,
)


def settings(**sections) -> Settings:
    """One process, one baseline, a fixed number of epochs."""
    given = {
        "name": "made",
        "corpus": {"sources": [{"path": "a.csv"}]},
        "split": {"holdout": 0.1},
        "embedding": {"method": "none"},
        "pretraining": {},
        "training": {"epochs": 4},
        "execution": {"workers": 1},
        "head": {"kind": "classify"},
        "search": {"n_trials": 0},
        "evaluation": {"folds": 5, "baselines": ["majority"], "curve": [], "seeds": 1},
    }
    return Settings.model_validate(
        {
            name: {**value, **sections.get(name, {})} if isinstance(value, dict) else value
            for name, value in given.items()
        }
    )

"""What does not grow with the corpus: loading libraries, Prefect, MLflow and Optuna.

The library knows no Prefect, and a calibration has no server to ask, so these are not measured on the
machine itself: they are what the tiny pipeline of the tests took (docs/cost.md), in units of
`Rates.python`, so that they go by how fast a machine runs plain Python.
"""

START = 200.0
"""Libraries, Prefect's server and MLflow's tables before the first stage, and what lies between stages: what a
whole command took beyond them."""
TRIAL = 1.5
"""Asking, telling and logging a trial of the search."""
FIXED = {
    "split": 0.7,
    "tokenize": 0.4,
    "pretrain": 0.4,
    "pretrain-language-model": 0.4,
    "search": 4.0,
    "calibrate": 0.6,
    "put-forward": 0.5,
    "tell-apart": 0.4,
    "evaluate": 0.9,
    "swap-words": 0.4,
    "register": 20.0,
}
"""By stage; the others' own work hides it."""

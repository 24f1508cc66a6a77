"""What does not grow with the corpus: loading libraries, Prefect, MLflow and Optuna.

The library knows no Prefect, and a calibration has no server to ask, so these are not measured on the
machine itself: they were measured once, and go by how fast it runs plain Python. In units of
`Rates.python`; how they were measured: docs/cost.md.
"""

START = 0.0
TRIAL = 0.0
FIXED: dict[str, float] = {}

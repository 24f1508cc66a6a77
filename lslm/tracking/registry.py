"""The registry, as the rest of the software sees it."""

from lslm.tracking.moves import Move, Reign, champion, champion_at, history
from lslm.tracking.package import Candidate
from lslm.tracking.promotion import Overtaken, promote, rollback
from lslm.tracking.registration import annotate, register
from lslm.tracking.versions import (
    CHALLENGER,
    CHAMPION,
    ModelRow,
    download,
    list_models,
    logged_model,
)

__all__ = [
    "CHALLENGER",
    "CHAMPION",
    "Candidate",
    "ModelRow",
    "Move",
    "Overtaken",
    "Reign",
    "annotate",
    "champion",
    "champion_at",
    "download",
    "history",
    "list_models",
    "logged_model",
    "promote",
    "register",
    "rollback",
]

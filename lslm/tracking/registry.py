"""The registry, as the rest of the software sees it."""

from lslm.tracking.package import Candidate
from lslm.tracking.promotion import Move, champion, history, promote, rollback
from lslm.tracking.registration import annotate, register
from lslm.tracking.versions import CHALLENGER, CHAMPION, ModelRow, download, list_models

__all__ = [
    "CHALLENGER",
    "CHAMPION",
    "Candidate",
    "ModelRow",
    "Move",
    "annotate",
    "champion",
    "download",
    "history",
    "list_models",
    "promote",
    "register",
    "rollback",
]

"""What a served model needs installed, at the versions that are installed here."""

from importlib.metadata import PackageNotFoundError, version

from lslm.serving.model_folder import NETWORK

_NEEDED = (
    "mlflow",
    "ftfy",
    "numpy",
    "onnxruntime",
    "pandas",
    "polars",
    "pydantic",
    "selectolax",
)
_OF_BASELINES = ("scikit-learn", "scipy", "skops")
_OPTIONAL = ("jieba",)
"""Some settings need it; where it is not installed, they were not used."""


def requirements(system: str = NETWORK, of_head: tuple[str, ...] = ()) -> list[str]:
    """Pinned requirements, for pip, of networks or of a baseline; `of_head` names what the head needs.

    Example:
        >>> any(line.startswith("onnxruntime==") for line in requirements())
        True
    """
    optional = [name for name in _OPTIONAL if _installed(name)]
    needed = _NEEDED if system == NETWORK else (*_NEEDED, *_OF_BASELINES)
    return [f"{name}=={version(name)}" for name in sorted({*needed, *optional, *of_head})]


def _installed(name: str) -> bool:
    try:
        return bool(version(name))
    except PackageNotFoundError:
        return False

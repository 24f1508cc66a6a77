"""What a served model needs installed, at the versions that are installed here."""

from importlib.metadata import PackageNotFoundError, version

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
_OPTIONAL = ("jieba",)
"""Some settings need it; where it is not installed, they were not used."""


def requirements() -> list[str]:
    """Pinned requirements, for pip.

    Example:
        >>> any(line.startswith("onnxruntime==") for line in requirements())
        True
    """
    optional = [name for name in _OPTIONAL if _installed(name)]
    return [f"{name}=={version(name)}" for name in (*_NEEDED, *optional)]


def _installed(name: str) -> bool:
    try:
        return bool(version(name))
    except PackageNotFoundError:
        return False

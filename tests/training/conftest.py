from pathlib import Path

import numpy as np
import pytest

from lslm.settings import EmbeddingSettings, HeadSettings
from lslm.training.parts import prepare
from tests.toy import written


@pytest.fixture(scope="session")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A toy corpus: the word `good` or `bad` decides; the last two rows have words of their own."""
    texts = [f"a {'good' if i % 2 else 'bad'} film number {i % 5}" for i in range(60)]
    texts[58:] = ["a bad canary", "a good canary"]
    return written(tmp_path_factory.mktemp("toy"), texts)


@pytest.fixture(scope="session")
def part(documents: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare(
        documents / "documents.parquet",
        documents / "tokens",
        (np.arange(50), np.arange(50, 60)),
        None,
        EmbeddingSettings(method="none", size=8, min_count=1),
        HeadSettings(),
        tmp_path_factory.mktemp("part") / "part",
    )

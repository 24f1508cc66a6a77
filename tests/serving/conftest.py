from collections.abc import Sequence
from pathlib import Path

import keras
import pytest

from tests.serving import language, networks


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Sequence[keras.Model]]:
    """A model folder and its members; tests do not change it."""
    folder = tmp_path_factory.mktemp("serving") / "model"
    return folder, networks.write(folder)


@pytest.fixture
def folder(made: tuple[Path, Sequence[keras.Model]]) -> Path:
    return made[0]


@pytest.fixture
def members(made: tuple[Path, Sequence[keras.Model]]) -> Sequence[keras.Model]:
    return made[1]


@pytest.fixture(scope="session")
def language_model(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[keras.Model]]:
    """The folder of a language model and its members; tests do not change it."""
    folder = tmp_path_factory.mktemp("language") / "model"
    return folder, language.write(folder)


@pytest.fixture
def foxes(language_model: tuple[Path, list[keras.Model]]) -> Path:
    return language_model[0]

"""The example that travels in a package, without a document of the corpus in it."""

import itertools
from pathlib import Path

from lslm.serving.model_folder import ModelFolder
from lslm.text.vocabulary import SPECIAL

_TEXTS, _WORDS = 3, 8


def input_example(folder: Path, given: tuple[str, ...] | None) -> tuple[str, ...]:
    """The texts that the settings name, or frequent words of the model put together.

    The words say nothing that the vocabulary in the same package does not; their order is made up.
    """
    if given:
        return given
    words = ModelFolder(folder).vocabulary().words[len(SPECIAL) :]
    frequent = [word for word in words if any(map(str.isalpha, word))][: _TEXTS * _WORDS]
    texts = (" ".join(frequent[first::_TEXTS]) for first in range(_TEXTS))
    return tuple(itertools.takewhile(bool, texts)) or ("text",)

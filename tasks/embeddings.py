"""Stages that learn from text outside the corpus: word vectors, and language models that read them."""

from asyncio import CancelledError
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from lslm import progress, stopping
from lslm.embeddings.vectors import WordVectors
from lslm.evaluation.markdown import language_models_table, neighbours_table
from lslm.pretraining import outside as folders
from lslm.pretraining.outside import Outside
from lslm.pretraining.recipe import Recipe, Shape
from lslm.settings import EmbeddingSettings, PretrainingSettings, Settings
from lslm.training.workers import available_cores
from lslm.workspace import Handle
from tasks.fits import finished, moving, state_of
from tasks.stage import Pages, Run, gathered, stage

# Named, not imported: only the training processes pay for Keras.
_LEARN = "lslm.pretraining.learning:of_outside"


class Language(BaseModel):
    """How each part gets its recurrent weights."""

    model_config = ConfigDict(frozen=True)

    settings: PretrainingSettings
    shape: Shape
    outside: Handle | None = None
    """Language models of outside text."""

    @property
    def recipe(self) -> Recipe:
        """With the folder, for a training process."""
        found = self.outside.path if self.outside else None
        return Recipe(settings=self.settings, shape=self.shape, outside=found)

    @classmethod
    def of(cls, settings: Settings) -> "Language | None":
        """What the settings ask for, before anything is learned."""
        if not settings.pretraining.language_model:
            return None
        return cls(settings=settings.pretraining, shape=Shape.of(settings.encoder))


class Pretrained(BaseModel):
    """What training parts go on from."""

    model_config = ConfigDict(frozen=True)

    vectors: Handle | None = None
    """Of the words of outside text."""
    language: Language | None = None
    """How each part learns to read; None without a language model."""


def _pages(vectors: Handle | None) -> Pages:
    if vectors is None:
        return {"words": "# Word vectors\n\nNone of outside text."}
    known = WordVectors.load(vectors.path)
    table = neighbours_table(known.glance())
    return {"words": f"# Word vectors\n\n{len(known.words):,} words. Nearest words:\n\n{table}"}


@stage(
    "Pretrain word vectors",
    modules=("lslm.embeddings.word2vec",),
    pages=_pages,
    unread=("embedding.adapt_epochs", "embedding.outside_words"),
)
def pretrain(run: Run, outside: Handle | None, embedding: EmbeddingSettings) -> Handle | None:
    """Vectors of the outside text; None where there is none, or none are wanted.

    Each training part goes on from these with its own text (see `lslm.training.parts`).
    """
    if outside is None or embedding.method == "none":
        return None
    from lslm.embeddings import word2vec
    from lslm.text.store import Tokens

    tokens = Tokens(outside.path)
    vectors = word2vec.pretrain(
        tokens,
        np.arange(len(tokens)),
        embedding,
        workers=embedding.workers or available_cores(),
    )
    with run.workspace.scratch() as folder:
        vectors.save(folder / "vectors")
        return run.workspace.add(folder / "vectors")


def together(vectors: Any, language: Language | None, read: Any) -> Any:
    """What training parts go on from; while planning, unknown where one of the two is.

    `vectors` and `read` are what the two stages here made.
    """
    if language is None:
        return gathered(Pretrained, vectors=vectors)
    whole = gathered(Language, settings=language.settings, shape=language.shape, outside=read)
    return gathered(Pretrained, vectors=vectors, language=whole)


def _language_pages(read: Handle | None) -> Pages:
    if read is None:
        return {}
    return {
        "reading": f"# Language models\n\n{language_models_table(Outside.load(read.path).report())}"
    }


@stage(
    "Pretrain language models",
    modules=("lslm.pretraining.learning", "lslm.pretraining.outside"),
    pages=_language_pages,
    unread=("language.settings.adapt_epochs",),
)
def pretrain_language_model(
    run: Run,
    outside: Handle | None,
    vectors: Handle | None,
    outside_words: int,
    language: Language | None,
) -> Handle | None:
    """Language models of the outside text, one a direction, with its vectors; None where there is none of them.

    Each direction has a training process. Each training part goes on from them with its own text.
    """
    if outside is None or vectors is None or language is None:
        return None
    settings, shape = language.settings, language.shape
    n_epochs = settings.epochs * len(shape.directions)
    read = settings.model_dump(exclude={"adapt_epochs"})
    made_of = {
        **read,
        "outside": outside,
        "vectors": vectors,
        "words": outside_words,
        "shape": shape,
    }
    with (
        run.workspace.scratch() as folder,
        progress.bar("Language models", n_epochs, "epochs"),
        ThreadPoolExecutor(len(shape.directions)) as threads,
    ):
        (folder / "read").mkdir()

        def learned(direction: str) -> list[float]:
            losses: list[float] = finished(
                run,
                _LEARN,
                moving(1),
                state_of(run, f"read-{direction}", made_of, ("lslm.pretraining.learning",)),
                tokens=outside.path,
                vectors=vectors.path,
                most_words=outside_words,
                shape=shape,
                direction=direction,
                settings=settings,
                into=folder / "read" / f"{direction}.npz",
            )
            return losses

        # The threads find the bar, and whether the run is asked to stop, where this one does.
        pending = {
            direction: threads.submit(copy_context().run, learned, direction)
            for direction in shape.directions
        }
        try:
            losses = {direction: each.result() for direction, each in pending.items()}
        except CancelledError:
            # The limit of the run raises it here, and is heard outside of this block, which waits for its threads.
            stopping.over()
            raise
        folders.save(folder / "read", vectors.path, outside_words, losses)
        return run.workspace.add(folder / "read")

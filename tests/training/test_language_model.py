"""A language model fitted as the flow fits it: part, streams, fit, model folder, text."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from lslm import heads
from lslm.heads.language_model.rule import tokens_of, vocabulary_of
from lslm.serving.assembly import assemble
from lslm.serving.predictor import Predictor
from lslm.serving.recipe import Recipe, Serving
from lslm.serving.writing import Sampling, Writer
from lslm.settings import (
    CleaningSettings,
    EmbeddingSettings,
    HeadSettings,
    Hyperparameters,
    Settings,
    TextSettings,
)
from lslm.text import store
from lslm.training.fitting import fit
from lslm.training.parts import Part, prepare

TEXT = TextSettings(lowercase=False)
EMBEDDING = EmbeddingSettings(method="none", size=32, min_count=2)
HEAD = heads.settled(
    Settings(
        name="walks",
        text=TEXT,
        embedding=EMBEDDING,
        head=HeadSettings(
            kind="language-model", options={"steps": 20, "weight_dropout": 0.05, "order": 2}
        ),
    )
).head
CHOSEN = Hyperparameters(head=dict(HEAD.options)).replaced(
    {
        "encoder.units": 32,
        "encoder.spatial_dropout": 0.0,
        "encoder.head_dropout": 0.0,
        "training.epochs": 30,
        "training.batch_size": 16,
        "training.learning_rate": 0.02,
        "training.schedule": "constant",
    }
)
ANIMALS = ("fox", "dog")


def walk(number: int) -> str:
    """The second animal is the first one, two tokens before: n-grams of two cannot know it."""
    animal = ANIMALS[number * 7 % 11 % 2]
    return f"The\n{animal} and {animal} {number}"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The documents, and a part of 400 of them."""
    folder = tmp_path_factory.mktemp("walks")
    documents = folder / "documents.parquet"
    texts = [walk(number) for number in range(440)]
    ids = pl.Series(range(440), dtype=pl.UInt64)
    pl.DataFrame({"text": texts, "fingerprint": ids}).write_parquet(documents)
    sentences = heads.get(HEAD.kind).batching.sentences(heads.options(HEAD))
    store.write(documents, TEXT, folder / "tokens", sentences)
    rows = np.arange(400), np.arange(400, 440)
    part = prepare(documents, folder / "tokens", *rows, None, EMBEDDING, HEAD, folder / "part")
    return documents, part


def test_options_are_filled_in_from_where_they_are_set() -> None:
    options = heads.options(HEAD).model_dump()
    assert (options["lowercase"], options["min_count"], options["steps"]) == (False, 2, 20)


def test_baselines_know_the_words_that_the_network_knows(made: tuple[Path, Path]) -> None:
    part, split = Part(made[1]), tokens_of({"options": HEAD.options})
    training = pl.read_parquet(made[0])["text"][:400]
    theirs = vocabulary_of((split(text) for text in training), EMBEDDING.min_count)
    assert set(theirs.words) == set(part.vocabulary.words)
    assert part.training.targets[:, 0].sum() == len(part.training.flat) + 400


@pytest.mark.slow
def test_it_learns_what_n_grams_cannot_know_and_writes_it(
    made: tuple[Path, Path], tmp_path: Path
) -> None:
    documents, part = made
    head, save = heads.get(HEAD.kind), tmp_path / "0.keras"
    fitted = fit(part, HEAD.kind, CHOSEN, seed=0, stop_early=False, save=save)
    assert fitted.outputs is not None
    truth, frame = Part(part).validation.targets, pl.read_parquet(documents)
    targets = Part(part).targets
    counted = head.baselines["kneser-ney"](frame[:400], frame[400:], targets, 0)
    score = head.metrics["cross_entropy"]
    assert score(truth, fitted.outputs) < score(truth, counted)

    folder = tmp_path / "model"
    serving = Serving(name="walks", text=TEXT, cleaning=CleaningSettings(), networks=True)
    assemble(folder, [save], Recipe(part, documents, HEAD, serving), CHOSEN)
    served = Predictor.load(folder).outputs(frame["text"][400:].to_list())
    assert np.allclose(served, fitted.outputs, rtol=1e-4)
    for animal in ANIMALS:
        prompt = f"The\n{animal} and"
        (said,) = Writer.load(folder).write(prompt, 1, Sampling(temperature=0), 0)
        assert said.text == f" {animal}"


@pytest.mark.slow
def test_it_goes_on_from_its_last_epoch_bit_for_bit(
    made: tuple[Path, Path], tmp_path: Path
) -> None:
    short = CHOSEN.replaced({"training.epochs": 3})
    whole = fit(made[1], HEAD.kind, short, seed=1, stop_early=False)

    def dies(epoch: object) -> bool:
        raise KeyboardInterrupt

    kept = tmp_path / "checkpoint"
    with pytest.raises(KeyboardInterrupt):
        fit(made[1], HEAD.kind, short, 1, stop_early=False, checkpoint=kept, on_event=dies)
    again = fit(made[1], HEAD.kind, short, seed=1, stop_early=False, checkpoint=kept)
    assert np.array_equal(again.outputs, whole.outputs)
    assert [e.metrics["loss"] for e in again.epochs] == [e.metrics["loss"] for e in whole.epochs]

"""A language model fitted as the flow fits it: part, streams, fit, model folder, text."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from pydantic import ValidationError

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
from lslm.text.pieces import INSIDE
from lslm.text.vocabulary import MARK, UNKNOWN
from lslm.training import fitting
from lslm.training.fitted import COUNTS
from lslm.training.fitting import answer, fit
from lslm.training.parts import Examples, Part, prepare

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
    return write_part(tmp_path_factory.mktemp("walks"), HEAD)


WALKS = [walk(number) for number in range(440)]


def write_part(
    folder: Path,
    head: HeadSettings,
    texts: Sequence[str] = WALKS,
    embedding: EmbeddingSettings = EMBEDDING,
) -> tuple[Path, Path]:
    """The 440 documents, and a part of 400 of them."""
    documents = folder / "documents.parquet"
    ids = pl.Series(range(440), dtype=pl.UInt64)
    pl.DataFrame({"text": texts, "fingerprint": ids}).write_parquet(documents)
    sentences = heads.get(head.kind).batching.sentences(heads.options(head))
    store.write(documents, TEXT, folder / "tokens", sentences)
    rows = np.arange(400), np.arange(400, 440)
    part = prepare(documents, folder / "tokens", rows, None, embedding, head, folder / "part")
    return documents, part


def test_options_are_filled_in_from_where_they_are_set() -> None:
    options = heads.options(HEAD).model_dump()
    assert (options["lowercase"], options["min_count"], options["steps"]) == (False, 2, 20)


def test_baselines_know_the_words_that_the_network_knows(made: tuple[Path, Path]) -> None:
    part, split = Part(made[1]), tokens_of({"options": HEAD.options})
    training = pl.read_parquet(made[0])["text"][:400]
    theirs = vocabulary_of((split(text) for text in training), part.targets)
    assert set(theirs.words) == set(part.vocabulary.words)
    assert part.training.targets[:, 0].sum() == len(part.training.flat) + 400


def test_numbers_of_words_go_by_how_often_they_are_predicted(tmp_path: Path) -> None:
    """The mark stands in no text of one line, and is the most frequent of all: it ends each document."""
    texts = [f"{ANIMALS[number % 2]} {number % 40}" for number in range(440)]
    _, folder = write_part(tmp_path, HEAD, texts)
    part = Part(folder)
    assert part.vocabulary.words[2] == MARK
    counts = part.counts()[2:]
    assert (counts[0], counts.sum()) == (400, 1200)
    assert (np.diff(counts) <= 0).all()
    assert np.load(folder / COUNTS)[2] == 0


def test_word_vectors_begin_the_table_and_leave_the_words_as_they_are(
    made: tuple[Path, Path], tmp_path: Path
) -> None:
    embedding = EMBEDDING.model_copy(update={"method": "word2vec", "epochs": 1})
    _, folder = write_part(tmp_path, HEAD, embedding=embedding)
    part = Part(folder)
    assert part.vocabulary.words == Part(made[1]).vocabulary.words
    network = fitting.build(part, heads.get(HEAD.kind), CHOSEN, seed=0)
    table, vectors = network.get_layer("words").get_weights()[0], part.vectors
    assert vectors is not None
    np.testing.assert_allclose(table[2:] * vectors[2, 0], vectors[2:] * table[2, 0], atol=1e-6)
    assert table[:2].all()


def test_a_mark_that_stands_in_no_text_begins_as_it_is_drawn(tmp_path: Path) -> None:
    texts = [f"{ANIMALS[number % 2]} {number % 40}" for number in range(440)]
    embedding = EMBEDDING.model_copy(update={"method": "word2vec", "epochs": 1})
    part = Part(write_part(tmp_path, HEAD, texts, embedding)[1])
    (tmp_path / "drawn").mkdir()
    without = Part(write_part(tmp_path / "drawn", HEAD, texts)[1])
    table, drawn = (
        fitting.build(each, heads.get(HEAD.kind), CHOSEN, 0).get_layer("words").get_weights()[0]
        for each in (part, without)
    )
    changed = (table != drawn).any(axis=1)
    assert changed.tolist() == [False, False, False] + [True] * (len(part.vocabulary) - 3)
    assert part.vocabulary.mark == 2


def test_a_long_document_is_answered_alone_and_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside it each short one would be as long, and 20 of them are 800,000 tokens."""
    lengths = [3] * 10 + [40_000] + [3] * 10
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    examples = Examples(np.ones(offsets[-1], np.int32), offsets, np.zeros(0))
    asked: list[list[int]] = []

    def lasting(batching: object, network: object, documents: list, *rest: int) -> list[np.ndarray]:
        asked.append([len(ids) for ids in documents])
        return [np.ones((len(documents), max(asked[-1]) + 1))]

    monkeypatch.setattr(fitting, "ask", lasting)
    found = answer(None, heads.get(HEAD.kind), examples, 2, 400)
    assert asked == [[40_000], [3] * 20]
    assert found.tolist() == [length + 1 for length in lengths]


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


IN_PIECES = HEAD.model_copy(update={"options": {**HEAD.options, "subwords": 60}})
FEW = {
    "training.epochs": 1,
    "encoder.units": 8,
    "training.lazy_words": True,
    "head.sampled_words": 20,
}


def test_words_in_pieces_go_from_the_part_to_the_text_that_is_written(tmp_path: Path) -> None:
    documents, part = write_part(tmp_path, IN_PIECES)
    opened, frame = Part(part), pl.read_parquet(documents)
    texts, words = frame["text"], opened.vocabulary.words
    assert 30 < len(words) < 70
    assert "##3" in words
    # The network, the baselines and the truth count the same tokens.
    split = tokens_of(opened.targets)
    theirs = vocabulary_of((split(text) for text in texts[:400]), opened.targets)
    assert set(theirs.words) == set(words)
    assert opened.training.targets[:, 0].sum() == len(opened.training.flat) + 400
    # Numbers that training never saw are written in digits, none of which is unknown.
    assert not (opened.validation.flat == UNKNOWN).any()

    save = tmp_path / "0.keras"
    chosen = CHOSEN.replaced(FEW)
    fitted = fit(part, HEAD.kind, chosen, seed=0, stop_early=False, save=save)
    serving = Serving(name="walks", text=TEXT, cleaning=CleaningSettings(), networks=True)
    assemble(tmp_path / "model", [save], Recipe(part, documents, IN_PIECES, serving), chosen)
    predictor = Predictor.load(tmp_path / "model")
    assert np.allclose(predictor.outputs(texts[400:].to_list()), fitted.outputs, rtol=1e-4)
    (answer,) = predictor.predict(["fox 431"])
    assert answer["tokens"] == len(split("fox 431")) + 1 > 3
    writer = Writer.load(tmp_path / "model")
    assert writer.unknown("fox 999") == []
    written = list(writer.write("The\nfox", 30, Sampling(), seed=1))
    assert any(each.token.startswith(INSIDE) for each in written)
    assert INSIDE not in "".join(each.text for each in written)


def test_a_piece_that_stands_once_is_known_to_the_network_and_to_the_baselines(
    tmp_path: Path,
) -> None:
    documents, folder = write_part(tmp_path, IN_PIECES, ["quiz", *WALKS[1:]])
    part, texts = Part(folder), pl.read_parquet(documents)["text"]
    split = tokens_of(part.targets)
    once = split("quiz")
    assert EMBEDDING.min_count > 1
    assert [part.counts()[part.vocabulary.encode([piece])[0]] for piece in once] == [1] * len(once)
    assert not (part.training.flat == UNKNOWN).any()
    known = vocabulary_of(map(split, texts[:400]), part.targets)
    assert set(known.words) == set(part.vocabulary.words) >= set(part.targets["pieces"])
    # Words that stay whole leave letters nowhere by themselves; a new word is spelled with these.
    assert not (part.vocabulary.encode(split("zi")) == UNKNOWN).any()


def test_pieces_of_what_is_no_word_are_refused() -> None:
    options = {"subwords": 60, "tokenizer": "characters"}
    with pytest.raises(ValidationError, match="need text.tokenizer: words"):
        heads.options(HeadSettings(kind="language-model", options=options))


def test_it_begins_as_a_unigram(made: tuple[Path, Path]) -> None:
    """Without a step, every token costs what its share of the training tokens says."""
    _, folder = made
    still = CHOSEN.replaced({"training.epochs": 1, "training.learning_rate": 1e-12})
    part = Part(folder)
    counts = part.counts() + 1
    nats = -np.log(counts / counts[1:].sum())  # Padding is never predicted.
    held = part.validation
    ids = [[*held.document(row, 99), part.vocabulary.mark] for row in range(len(held))]
    outputs = fit(folder, "language-model", still, seed=0, stop_early=False).outputs
    assert np.allclose(outputs, [nats[each].sum() for each in ids], rtol=0.02)
    assert counts[part.vocabulary.mark] == 2 * 400 + 1


MANY = 300_000
PROGRAM = """
import resource, sys
from pathlib import Path
from lslm.settings import Hyperparameters
from lslm.training.allocation import keep_freed_memory
from lslm.training.fitting import fit

keep_freed_memory()  # As a training process does.
chosen = Hyperparameters.model_validate_json(sys.argv[2])
fitted = fit(Path(sys.argv[1]), "language-model", chosen, 0, stop_early=True, save=Path(sys.argv[3]))
print(fitted.epochs[-1].metrics["perplexity"], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_300_000_words_are_trained_and_scored_within_4_gib(tmp_path: Path) -> None:
    """Vectors of 300 units; each word stands once, and one in five again, at random."""
    random = np.random.default_rng(0)
    numbers = np.concatenate([random.permutation(MANY), random.integers(0, MANY, MANY // 5)])
    texts = [" ".join(f"w{n}" for n in numbers[i : i + 100]) for i in range(0, len(numbers), 100)]
    ids = pl.Series(range(len(texts)), dtype=pl.UInt64)
    documents = tmp_path / "documents.parquet"
    pl.DataFrame({"text": texts, "fingerprint": ids}).write_parquet(documents)
    store.write(documents, TEXT, tmp_path / "tokens")
    embedding = EmbeddingSettings(method="none", size=300, min_count=1)
    head = HEAD.model_copy(update={"options": {**HEAD.options, "sampled_words": 3000}})
    rows = np.arange(len(texts)), np.arange(20)
    part = prepare(documents, tmp_path / "tokens", rows, None, embedding, head, tmp_path / "part")
    assert len(Part(part).vocabulary) > MANY
    chosen = CHOSEN.replaced(
        {
            "encoder.units": 400,
            "head.sampled_words": 3000,
            "training.lazy_words": True,
            "training.epochs": 1,
            "training.batch_size": 40,
            "training.learning_rate": 1e-3,
        }
    )
    given = [part, chosen.model_dump_json(), tmp_path / "0.keras"]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *map(str, given)],
        capture_output=True,
        text=True,
        check=True,
    )
    perplexity, peak_kb = map(float, done.stdout.split()[-2:])
    assert perplexity < MANY
    assert peak_kb * 1024 < 4 * 2**30

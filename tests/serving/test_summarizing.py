"""A summarizer as it is served: the graph answers as Keras does, for documents of every kind."""

from functools import partial
from pathlib import Path

import keras
import numpy as np
import pytest

from lslm import heads
from lslm.encoder.encoder import encode
from lslm.errors import InputError
from lslm.heads.batching import ask
from lslm.heads.summarize.options import Length, Options
from lslm.serving.model_files import load_members, save
from lslm.serving.predictor import Predictor
from lslm.serving.summarizing import _like, summarize
from lslm.settings import CleaningSettings, HeadSettings, Hyperparameters, TextSettings
from lslm.text.vocabulary import MARK, SPECIAL, Vocabulary
from lslm.training.batches import for_keras

HEAD = heads.get("summarize")
OPTIONS = {"n_sentences": 2, "sentence_units": 5}
WORDS = Vocabulary((*SPECIAL, ".", "the", "fox", "runs", "很", "好", MARK, "dogs", "bark"))
CHOSEN = Hyperparameters(head=Options.model_validate(OPTIONS).model_dump()).replaced(
    {"encoder.units": 4, "encoder.pooling": "attention+max", "encoder.ngrams": 2}
)
TEXT = "The fox runs. Dogs bark. The dogs run. The fox barks."


def network(seed: int) -> keras.Model:
    encoder = partial(
        encode, n_words=len(WORDS), size=6, vectors=None, settings=CHOSEN.encoder, seed=seed
    )
    model = HEAD.build(encoder, {}, CHOSEN.replaced({"training.seed": seed}))
    random = np.random.default_rng(seed)
    for weight in model.trainable_weights:
        weight.assign(random.normal(size=weight.shape))
    return model


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("summarizer") / "model"
    save(
        folder,
        [network(1), network(2)],
        WORDS,
        head=HeadSettings(kind="summarize", options=OPTIONS),
        targets={"options": Options.model_validate(OPTIONS).model_dump(mode="json")},
        text=TextSettings(),
        cleaning=CleaningSettings(),
        hyperparameters=CHOSEN,
        name="toy",
        seen=np.array([1], np.uint64),
    )
    return folder


@pytest.fixture(scope="module")
def predictor(folder: Path) -> Predictor:
    return Predictor.load(folder)


def by_keras(folder: Path, texts: list[str]) -> list[np.ndarray]:
    split = heads.words(TextSettings(), HeadSettings(kind="summarize", options=OPTIONS))
    documents = [WORDS.encode(split(text)) for text in texts]
    answered = [
        HEAD.batching.own(
            ask(
                HEAD.batching,
                lambda inputs, member=member: [
                    np.asarray(member.predict_on_batch(for_keras(inputs)))
                ],
                documents,
                WORDS.mark,
            )[0],
            documents,
            WORDS.mark,
        )
        for member in load_members(folder)
    ]
    return [np.mean(scores, axis=0) for scores in zip(*answered, strict=True)]


def test_the_graph_answers_as_keras_does(folder: Path, predictor: Predictor) -> None:
    texts = [TEXT, "Alone.", " ".join(f"Fox {i} runs." for i in range(150)), "很好。好！"]
    ours = predictor.outputs(texts)
    for said, wanted in zip(ours, by_keras(folder, texts), strict=True):
        assert said.shape == wanted.shape
        assert np.allclose(said, wanted, atol=1e-5)


def test_one_document_gets_what_it_gets_among_others(predictor: Predictor) -> None:
    together = predictor.outputs([TEXT, "Fox. " * 100, "Dogs bark."])[0]
    assert np.allclose(together, predictor.outputs([TEXT])[0], atol=1e-6)


def test_the_summary_holds_the_best_sentences_in_the_order_of_the_text(
    predictor: Predictor,
) -> None:
    found = summarize(predictor, TEXT, Length(n_sentences=2, max_overlap=1.0))
    best = sorted(
        sorted(found.sentences, key=lambda each: -each.score)[:2], key=found.sentences.index
    )
    assert found.text == " ".join(each.text for each in best)
    assert [each for each in found.sentences if each.chosen] == best


def test_the_models_own_length_holds_where_nothing_is_asked(predictor: Predictor) -> None:
    assert sum(each.chosen for each in summarize(predictor, TEXT).sentences) <= 2
    assert predictor.predict([TEXT])[0]["summary"] == summarize(predictor, TEXT).text


def test_words_attended_to_sum_to_one_in_each_sentence(predictor: Predictor) -> None:
    for sentence in summarize(predictor, TEXT, attention=True).sentences:
        assert sum(weight for _, weight in sentence.words) == pytest.approx(1, abs=1e-4)
        assert [word for word, _ in sentence.words][-1] == "."


@pytest.mark.parametrize(
    "text",
    [
        "Alone.",
        "no full stop anywhere " * 200,
        "很好。好！" * 3,
        "<p>The fox runs.</p><p>Dogs bark.</p>",
        "!!!",
        "\n".join("line" for _ in range(70)),
    ],
)
def test_odd_documents_have_a_summary(predictor: Predictor, text: str) -> None:
    found = summarize(predictor, text)
    assert found.text
    assert all(np.isfinite(each.score) for each in found.sentences)


def test_a_document_of_ten_thousand_sentences_has_a_summary(predictor: Predictor) -> None:
    text = " ".join(f"The fox {i} runs." for i in range(10_000))
    found = summarize(predictor, text, Length(n_sentences=3, max_overlap=1.0))
    assert (len(found.sentences), found.text.count(".")) == (10_000, 3)


@pytest.mark.parametrize("text", ["", " \n ", "<p></p>"])
def test_an_empty_document_is_refused(predictor: Predictor, text: str) -> None:
    with pytest.raises(InputError, match="the document is empty"):
        summarize(predictor, text)
    assert predictor.predict([text])[0]["summary"] == ""


def test_a_classifier_does_not_summarize(predictor: Predictor) -> None:
    described = predictor.description.model_copy(update={"head": HeadSettings()})
    other = Predictor.__new__(Predictor)
    other.description = described
    with pytest.raises(InputError, match="does not summarize"):
        summarize(other, TEXT)


def test_a_length_that_is_asked_for_keeps_what_it_says_nothing_of() -> None:
    trained = Options(max_overlap=0.3, title=True)
    assert _like(Length(n_sentences=2), trained) == Length(
        n_sentences=2, max_overlap=0.3, title=True
    )
    assert _like(Length(max_overlap=1.0), trained).max_overlap == 1.0

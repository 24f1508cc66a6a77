"""What every head promises; a new head is tested here without an edit."""

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import polars as pl
import pytest

from lslm import heads
from lslm.encoder.encoder import FIRST, Encoder
from lslm.encoder.precision import computing_in
from lslm.errors import InputError
from lslm.heads import ragged
from lslm.heads.batching import ask
from lslm.heads.contract import Head
from lslm.settings import Hyperparameters, Range
from lslm.statistics.calibration import scale
from lslm.text.tokenizers import marked, words
from lslm.text.vocabulary import MARK, SPECIAL, Vocabulary
from lslm.training import paces
from lslm.training.batches import for_keras

WORDS = {"a": ("red", "rose"), "b": ("blue", "sea"), "c": ("green", "leaf")}
DOCUMENTS = pl.DataFrame(
    {
        "text": [
            f"the {WORDS[label][i % 2]} number {i}.\nnothing else\nof note"
            for i in range(20)
            for label in WORDS
        ],
        "label": list(WORDS) * 20,
        "extras": [
            json.dumps({"summary": f"a {WORDS[label][i % 2]} number {i}"})
            for i in range(20)
            for label in WORDS
        ],
    }
)
TEXTS = DOCUMENTS["text"].to_list()
SMALL = Hyperparameters().replaced(
    {
        "encoder.units": 6,
        "encoder.pooling": "attention",
        "encoder.cell": "gru",
        "encoder.head_dropout": 0.1,
        "training.label_smoothing": 0.1,
    }
)
BESIDE = ("classify", {"linear": 0.5, "linear_order": 3, "linear_buckets": 97})
"""The one option that changes a network's layers."""


@pytest.mark.parametrize(("kind", "options"), [*((kind, {}) for kind in heads.names()), BESIDE])
class TestContract:
    @pytest.fixture(autouse=True)
    def settings(self, options: dict) -> None:
        self.small = SMALL.model_copy(update={"head": options})

    @pytest.fixture
    def head(self, kind: str) -> Head:
        return heads.get(kind)

    @pytest.fixture
    def targets(self, head: Head) -> dict:
        return head.fit_targets(DOCUMENTS, head.options())

    def network(self, head: Head, targets: dict) -> keras.Model:
        encoder = Encoder(n_words=40, size=5, vectors=None, settings=self.small.encoder, seed=1)
        network = head.build(encoder, targets, self.small)
        if "linear" in self.small.head:
            linear, draw = network.get_layer("linear"), np.random.default_rng(1)
            linear.set_weights([draw.normal(size=each.shape) for each in linear.get_weights()])
        return network

    def ids(self, head: Head, texts: list[str]) -> tuple[list[np.ndarray], int]:
        split = marked(words, head.batching.sentences(head.options()))
        documents = [split(text) for text in texts]
        every = sorted({MARK, *(word for text in TEXTS for word in split(text))})
        vocabulary = Vocabulary((*SPECIAL, *every))
        return [vocabulary.encode(document) for document in documents], vocabulary.mark

    def batch(self, head: Head, targets: dict) -> tuple[Any, np.ndarray]:
        inputs = head.batching.inputs(*self.ids(head, TEXTS))
        truth = head.batching.targets(head.encode_targets(DOCUMENTS, targets), inputs)
        return for_keras(inputs), truth

    def answers(self, head: Head, network: keras.Model, texts: list[str]) -> np.ndarray:
        documents, mark = self.ids(head, texts)

        def asked(inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
            return [np.asarray(network.predict_on_batch(for_keras(inputs)))]

        (outputs,) = ask(head.batching, asked, documents, mark)
        return head.batching.own(outputs, documents, mark)

    def test_training_lowers_the_loss_and_moves_every_weight(
        self, head: Head, targets: dict
    ) -> None:
        network = self.network(head, targets)
        network.compile(optimizer=keras.optimizers.Adam(0.01), loss=head.loss(self.small))
        tokens, truth = self.batch(head, targets)
        before = [np.array(weight) for weight in network.trainable_variables]
        losses = network.fit(tokens, truth, epochs=5, verbose=0).history["loss"]
        assert losses[-1] < losses[0]
        for old, weight in zip(before, network.trainable_variables, strict=True):
            assert not np.array_equal(old, weight), weight.path

    def test_what_was_pretrained_is_found_where_the_encoder_is_read(
        self, head: Head, targets: dict
    ) -> None:
        if "encoder.cell" in head.unused:
            pytest.skip("its network is not the encoder")
        network = self.network(head, targets)
        known = [np.full(each.shape, 0.5) for each in network.get_layer(FIRST).get_weights()]
        encoder = Encoder(40, 5, None, self.small.encoder, seed=1, recurrent=known)
        begun = head.build(encoder, targets, self.small)
        for found, wanted in zip(begun.get_layer(FIRST).get_weights(), known, strict=True):
            np.testing.assert_array_equal(found, wanted)
        slower = self.small.replaced({"training.layer_decay": 0.5}).training
        shares = {pace.share for pace in paces.of(begun, slower, n_batches=1)}
        assert shares == {1.0, 0.5, 0.25}

    def test_in_mixed_precision_it_answers_in_float32_nearly_the_same_and_learns(
        self, head: Head, targets: dict
    ) -> None:
        plain = self.network(head, targets)
        with computing_in("mixed_float16"):
            network = self.network(head, targets)
        tokens, truth = self.batch(head, targets)
        answers = np.asarray(network(tokens))
        assert answers.dtype == np.float32
        np.testing.assert_allclose(answers, plain(tokens), atol=0.03)
        network.compile(optimizer=keras.optimizers.Adam(0.01), loss=head.loss(self.small))
        network.optimizer.build(network.trainable_variables)
        losses = network.fit(tokens, truth, epochs=4, verbose=0).history["loss"]
        assert losses[-1] < losses[0]

    def test_a_saved_network_answers_the_same(
        self, head: Head, targets: dict, tmp_path: Path
    ) -> None:
        network = self.network(head, targets)
        network.compile(optimizer="sgd", loss=head.loss(self.small))
        tokens, truth = self.batch(head, targets)
        network.save(tmp_path / "network.keras")
        loaded = keras.saving.load_model(tmp_path / "network.keras", safe_mode=True)
        assert np.array_equal(network.predict_on_batch(tokens), loaded.predict_on_batch(tokens))
        assert network.test_on_batch(tokens, truth) == loaded.test_on_batch(tokens, truth)

    def test_the_same_seed_gives_the_same_network(self, head: Head, targets: dict) -> None:
        one, two = (self.network(head, targets).get_weights() for _ in range(2))
        for first, second in zip(one, two, strict=True):
            assert np.array_equal(first, second)

    def test_one_document_gets_what_it_gets_in_a_batch(self, head: Head, targets: dict) -> None:
        network = self.network(head, targets)
        together = self.answers(head, network, [*TEXTS, "A longer one. " * 9])
        (alone,) = self.answers(head, network, TEXTS[3:4])
        assert np.allclose(together[3], alone, atol=1e-6)

    def test_what_is_kept_on_disk_comes_back(
        self, head: Head, targets: dict, tmp_path: Path
    ) -> None:
        outputs = self.answers(head, self.network(head, targets), TEXTS)
        for array in (outputs, head.encode_targets(DOCUMENTS, targets)):
            ragged.save(tmp_path / "array", array)
            assert ragged.equal(ragged.load(tmp_path / "array"), array)

    def test_the_record_hangs_together(self, head: Head, targets: dict) -> None:
        assert head.goal.metric in head.metrics
        assert set(head.columns) <= set(DOCUMENTS.columns)
        assert json.loads(json.dumps(targets)) == targets
        defaults = Hyperparameters().model_dump()
        defaults["head"] = {
            name: value
            for name, value in head.options().model_dump().items()
            if name in head.searchable
        }
        for name, values in head.space.items():
            section, field = name.split(".")
            assert field in defaults[section]
            value = values.high if isinstance(values, Range) else values[-1]
            Hyperparameters().replaced({name: value})

    def test_what_is_served_is_in_the_answer(self, head: Head, targets: dict) -> None:
        answers = head.decode(
            self.answers(head, self.network(head, targets), TEXTS), targets, TEXTS
        )
        assert len(answers) == len(TEXTS)
        assert {name for name, _ in head.prediction_schema} <= answers[0].keys()
        assert json.loads(json.dumps(answers)) == answers

    def test_classes_are_what_outputs_and_answers_say(self, head: Head, targets: dict) -> None:
        if head.classes is None:
            pytest.skip("outputs are no probabilities of classes")
        outputs = self.answers(head, self.network(head, targets), TEXTS)
        names = head.classes.names(targets)
        assert outputs.shape == (len(TEXTS), len(names))
        assert np.allclose(outputs.sum(axis=1), 1, atol=1e-5)
        answers = head.decode(outputs, targets, TEXTS)
        said = [answer[head.classes.column] for answer in answers]
        assert said == [names[place] for place in outputs.argmax(axis=1)]
        cooler = head.decode(scale(outputs, 3.0), targets, TEXTS)
        assert [answer[head.classes.column] for answer in cooler] == said
        assert head.classes.column in dict(head.prediction_schema)

    def test_a_system_does_not_differ_from_itself(self, head: Head, targets: dict) -> None:
        truth = head.encode_targets(DOCUMENTS, targets)
        baseline = next(iter(head.baselines.values()))
        scores = head.example_scores(truth, baseline(DOCUMENTS, DOCUMENTS, targets, 0))
        found = head.compare(scores, scores)
        assert (found.difference, found.p_value, found.n) == (0.0, 1.0, len(truth))

    def test_every_metric_and_baseline_answers(self, head: Head, targets: dict) -> None:
        truth = head.encode_targets(DOCUMENTS, targets)
        for name, baseline in head.baselines.items():
            outputs = baseline(DOCUMENTS, DOCUMENTS, targets, 0)
            scores = head.example_scores(truth, outputs)
            assert scores.mean() == pytest.approx(head.metrics[head.goal.metric](truth, outputs))
            assert len(head.decode(outputs, targets, TEXTS)) == len(truth), name
        assert head.ceilings <= head.baselines.keys()


def test_decoding_inverts_the_targets_of_classification() -> None:
    head = heads.get("classify")
    targets = head.fit_targets(DOCUMENTS, head.options())
    outputs = np.eye(3)[head.encode_targets(DOCUMENTS, targets)]
    assert [row["label"] for row in head.decode(outputs, targets, TEXTS)] == DOCUMENTS[
        "label"
    ].to_list()


def test_the_label_set_comes_from_the_training_documents_alone() -> None:
    head = heads.get("classify")
    training = DOCUMENTS.filter(pl.col("label") != "c")
    targets = head.fit_targets(training, head.options())
    assert targets["labels"] == ["a", "b"]
    with pytest.raises(InputError, match="'c'"):
        head.encode_targets(DOCUMENTS, targets)


def test_one_label_only_is_refused() -> None:
    head = heads.get("classify")
    with pytest.raises(InputError, match="at least two different labels"):
        head.fit_targets(DOCUMENTS.filter(pl.col("label") == "a"), head.options())


def test_an_unknown_head_is_refused_with_the_choices() -> None:
    with pytest.raises(InputError, match="classify"):
        heads.get("clasify")

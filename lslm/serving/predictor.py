"""From texts to answers, without Keras: the same cleaning, tokens and words as in training."""

from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from lslm import heads
from lslm.cleaning.normalization import normalize
from lslm.errors import InputError
from lslm.heads.batching import ask, of_similar_length
from lslm.heads.contract import Array, Classes, Targets
from lslm.heads.ragged import ragged
from lslm.serving.kept import KeptBaseline
from lslm.serving.model_folder import GRAPH, NETWORK, Description, ModelFolder
from lslm.serving.sessions import opened
from lslm.statistics.calibration import scale
from lslm.text.vocabulary import Ids, Vocabulary, cut

_OUTPUTS, _ATTENTION = "outputs", "attention"
_POOLING = "encoder.pooling"


class Predictor:
    """A loaded model. Safe to use from several threads; each call computes on its own thread.

    A document without a token gets what the network says of nothing but padding, as in training.
    """

    def __init__(
        self,
        description: Description,
        vocabulary: Vocabulary,
        session: onnxruntime.InferenceSession,
        *,
        cleans: bool = True,
    ) -> None:
        self.description, self._cleans = description, cleans
        self._vocabulary, self._session = vocabulary, session
        self._head = heads.get(description.head.kind)
        self._split = heads.tokens(description.text, description.head, description.targets)

    @classmethod
    def load(cls, folder: Path, *, cleans: bool = True) -> "Predictor":
        """Open a model folder; InputError for a changed file or an unknown format.

        `cleans=False` is for documents of a cleaned corpus: cleaning them once more could change them.
        """
        files = ModelFolder(folder)
        description = files.description()
        if description.system != NETWORK:
            return BaselinePredictor(description, KeptBaseline(files, description), cleans=cleans)
        return cls(description, files.vocabulary(), opened(files.read(GRAPH)), cleans=cleans)

    @property
    def targets(self) -> Targets:
        """What the head fitted, such as the label set."""
        return self.description.targets

    @property
    def class_column(self) -> str:
        """The part of an answer that names the class; InputError for a head without classes."""
        return self._classes().column

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes in the order of the outputs' columns; InputError without classes."""
        return tuple(self._classes().names(self.targets))

    def _classes(self) -> Classes:
        if self._head.classes is None:
            raise InputError(
                f"answers of the head {self._head.name!r} are no classes", right="a classifier"
            )
        return self._head.classes

    @property
    def schema(self) -> tuple[tuple[str, str], ...]:
        """The parts of an answer that a served prediction has, as the head says: (name, MLflow type)."""
        return self._head.prediction_schema

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of these parts."""
        return tuple(name for name, _ in self.schema)

    def predict(
        self, texts: Sequence[str], attention: bool = False, batch_size: int = 64
    ) -> list[dict[str, Any]]:
        """Answers a person reads, one a text; `attention` adds (word, weight) pairs under that name.

        Where the model abstains, the answer's class is None, and where the document is out of scope, the
        label for that; its probabilities are told all the same.
        """
        cleaned = [self.cleaned(text) for text in texts]
        if not attention:
            return self._decoded(self._of_cleaned(cleaned, batch_size), cleaned)
        words = [self._words(text) for text in cleaned]
        outputs, weights = self._run(words, batch_size, (_OUTPUTS, self._attention_name()))
        answers = self._decoded(self._calibrated(outputs), cleaned)
        seen = zip(answers, words, weights, strict=True)
        return [answer | {"attention": _weighted(said, each)} for answer, said, each in seen]

    def attention(
        self, texts: Sequence[str], batch_size: int = 64
    ) -> list[list[tuple[str, float]]]:
        """How much each word weighed, one list a text; the weights of a text sum to 1.

        Raises InputError where the network pools without attention.
        """
        words = [self._words(self.cleaned(text)) for text in texts]
        (weights,) = self._run(words, batch_size, (self._attention_name(),))
        return [_weighted(*seen) for seen in zip(words, weights, strict=True)]

    @property
    def attends(self) -> bool:
        """Whether the network pools by attention."""
        return _ATTENTION in {output.name for output in self._session.get_outputs()}

    def effects(self, texts: Sequence[str], batch_size: int = 64) -> list[list[tuple[str, float]]]:
        """How much the likeliest class owes to each word, one list a text.

        The probability of the class the model answers, minus its probability when the word is left
        out; a word that stands against the answer has a negative effect (Li, Monroe & Jurafsky 2016,
        Understanding Neural Networks through Representation Erasure). InputError for a head whose
        answers are no classes. A text of n words costs n + 1 answers.
        """
        self._classes()
        return [self._effects(self.cleaned(text), batch_size) for text in texts]

    def _effects(self, text: str, batch_size: int) -> list[tuple[str, float]]:
        words = self._words(text)
        left_out = [words[:place] + words[place + 1 :] for place in range(len(words))]
        whole, *rest = self._of_words([words, *left_out], batch_size)
        return self._owed(words, whole, rest)

    @staticmethod
    def _owed(words: Sequence[str], whole: Array, rest: Sequence[Array]) -> list[tuple[str, float]]:
        best = int(whole.argmax())
        return [
            (word, float(whole[best] - without[best]))
            for word, without in zip(words, rest, strict=True)
        ]

    def _of_words(self, documents: Sequence[Sequence[str]], batch_size: int) -> Array:
        """Calibrated outputs for texts already taken apart."""
        (outputs,) = self._run(documents, batch_size, (_OUTPUTS,))
        return self._calibrated(outputs)

    def outputs(self, texts: Sequence[str], batch_size: int = 64) -> Array:
        """What the network answers, averaged over members, then calibrated, `(n, ...)`."""
        return self._of_cleaned([self.cleaned(text) for text in texts], batch_size)

    def _of_cleaned(self, texts: Sequence[str], batch_size: int) -> Array:
        return self._of_words([self._words(text) for text in texts], batch_size)

    def cleaned(self, text: str) -> str:
        """The text as training would have seen it."""
        if not isinstance(text, str):
            raise InputError(f"{text!r} is no text", right="a string; an empty one is fine")
        return normalize(text, self.description.cleaning) if self._cleans else text

    def _decoded(self, outputs: Array, texts: Sequence[str]) -> list[dict[str, Any]]:
        """Answers from calibrated outputs and cleaned texts."""
        answers = self._head.decode(outputs, self.targets, texts)
        scope, classes = self.description.out_of_scope, self._head.classes
        least = scope.below if scope else self.description.abstain_below
        if least is None or classes is None:
            return answers
        instead = {classes.column: scope.label if scope else None}
        unsure: list[bool] = (outputs.max(axis=1) < least).tolist()
        return [
            answer | instead if abstains else answer
            for answer, abstains in zip(answers, unsure, strict=True)
        ]

    def _words(self, text: str) -> list[str]:
        """What the network reads of a cleaned text."""
        tokens = self._split(text)
        longest = self._head.batching.longest(self.description.hyperparameters.training.max_tokens)
        kept = cut(np.arange(len(tokens), dtype=np.int32), longest)
        return [tokens[position] for position in kept]

    def _run(
        self, documents: Sequence[Sequence[str]], batch_size: int, names: Sequence[str]
    ) -> list[list[Array]]:
        """The named outputs of the graph, a row a document, in the documents' order."""
        encoded = [self._vocabulary.encode(words) for words in documents]
        results: list[list[Array]] = [[np.empty(0)] * len(documents) for _ in names]
        lengths = [len(ids) for ids in encoded]
        for rows in of_similar_length(lengths, batch_size, self._head.batching.most_tokens):
            asked = [encoded[row] for row in rows]
            for result, values in zip(results, self._asked(asked, names), strict=True):
                for row, value in zip(rows, values, strict=True):
                    result[row] = value
        return results

    def _asked(self, documents: Sequence[Ids], names: Sequence[str]) -> list[Array]:
        """The named outputs for documents that go in together, first axis the documents."""
        batching, mark = self._head.batching, self._vocabulary.mark

        def network(inputs: dict[str, Array]) -> list[Array]:
            return [np.asarray(values) for values in self._session.run(list(names), inputs)]

        found = ask(batching, network, documents, mark)
        return [
            (batching.weights if name == _ATTENTION else batching.own)(values, documents, mark)
            for name, values in zip(names, found, strict=True)
        ]

    def _calibrated(self, outputs: Sequence[Array]) -> Array:
        return self._scaled(self._stacked(outputs))

    def _scaled(self, outputs: Array) -> Array:
        temperature = self.description.temperature
        return outputs if temperature == 1.0 else scale(outputs, temperature)

    def _stacked(self, outputs: Sequence[Array]) -> Array:
        if self._head.batching.ragged:
            return ragged(outputs)
        if outputs:
            return np.stack(outputs)
        _, *shape = self._session.get_outputs()[0].shape
        return np.zeros((0, *(size if isinstance(size, int) else 0 for size in shape)), np.float32)

    def _attention_name(self) -> str:
        if not self.attends:
            pooling = repr(self.description.hyperparameters.encoder.pooling)
            pools = f"pools by {pooling}, which has no attention"
            if _POOLING in self._head.unused:
                pools = f"has no attention: networks of the head {self._head.name!r} do not pool"
            raise InputError(
                f"the model {self.description.name!r} {pools}",
                right=f"a model trained with {_POOLING} 'attention' or 'attention+max'",
            )
        return _ATTENTION


class BaselinePredictor(Predictor):
    """A loaded baseline, which answers in the same form as a network."""

    def __init__(
        self, description: Description, baseline: KeptBaseline, *, cleans: bool = True
    ) -> None:
        self.description, self._baseline, self._cleans = description, baseline, cleans
        self._split = heads.tokens(description.text, description.head, description.targets)
        self._head = heads.get(description.head.kind)

    def _of_cleaned(self, texts: Sequence[str], batch_size: int) -> Array:
        """What the baseline answers, calibrated, `(n, ...)`; it takes all texts at once."""
        return self._scaled(self._baseline.outputs(texts))

    @property
    def attends(self) -> bool:
        """A baseline does not."""
        return False

    def _effects(self, text: str, batch_size: int) -> list[tuple[str, float]]:
        """As a network's; a baseline reads the whole text, so words are left out of that."""
        words = self._split(text)
        asked = chain([text], _left_out(text, words, self.description.text.lowercase))
        blocks = iter(lambda: list(islice(asked, batch_size)), [])
        whole, *rest = np.concatenate([self._of_cleaned(block, batch_size) for block in blocks])
        return self._owed(words, whole, rest)

    def _attention_name(self) -> str:
        raise InputError(
            f"the model {self.description.name!r} is the baseline {self.description.system!r}, "
            "which has no attention",
            right=f"a network trained with {_POOLING} 'attention' or 'attention+max'",
        )


def _left_out(text: str, words: Sequence[str], lowercase: bool) -> Iterator[str]:
    """The text without each of its words in turn, which are as the tokenizer found them.

    With `lowercase` they are those of the small text: how a capital becomes small depends on what is beside it.
    """
    read = text.lower() if lowercase else text
    # A few capitals have more letters when they are small: places are then those of the small text.
    text = text if len(read) == len(text) else read
    place = 0
    for word in words:
        place = read.index(word, place)
        end = place + len(word)
        yield f"{text[:place]}{text[end:]}"
        place = end


def _weighted(words: Sequence[str], weights: Array) -> list[tuple[str, float]]:
    return list(zip(words, weights[: len(words)].tolist(), strict=True))

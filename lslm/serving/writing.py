"""Going on with a text: tokens drawn one by one from what a language model expects."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from lslm import heads
from lslm.cleaning.normalization import normalize
from lslm.errors import InputError
from lslm.heads.batching import TOKENS
from lslm.serving.model_folder import NETWORK, STEP, Description, ModelFolder
from lslm.serving.sessions import opened
from lslm.text.joining import Joiner
from lslm.text.vocabulary import MARK, PADDING, UNKNOWN, Ids, Vocabulary

Floats = NDArray[np.float32]

_STATE = ("hidden", "cell")


@dataclass(frozen=True)
class Sampling:
    """How a token is drawn; InputError for numbers that mean nothing."""

    temperature: float = 1.0
    """Divides the log probabilities: below 1 likely tokens become likelier; 0 takes the likeliest."""
    top_p: float = 1.0
    """Only the likeliest tokens that together have this chance (Holtzman et al. 2020, section 3.1)."""

    def __post_init__(self) -> None:
        if not 0 <= self.temperature < np.inf:
            raise InputError(
                f"{self.temperature:g} is no temperature", right="0, or a finite number above"
            )
        if not 0 < self.top_p <= 1:
            raise InputError(f"top-p of {self.top_p:g}", right="above 0 and at most 1")


@dataclass(frozen=True)
class Written:
    """A token that was drawn."""

    token: str
    text: str
    """What it adds to the text, white space before it included."""
    probability: float
    """By the model, before temperature and cut."""


@dataclass(frozen=True)
class Told:
    """The tokens of a text, its end among them, and what was known before each."""

    nats: Floats
    """What each cost, `(n,)`."""
    states: Floats
    """What the last LSTM gave before each, `(n, units)`: of all members side by side, made smaller so that a
    product of two is the mean of the members' products."""
    ids: Ids
    """Their numbers, `(n,)`."""


class Writer:
    """A loaded language model that goes on with texts."""

    def __init__(
        self,
        description: Description,
        vocabulary: Vocabulary,
        session: onnxruntime.InferenceSession,
    ) -> None:
        self.description = description
        self._vocabulary, self._session = vocabulary, session
        self._split = heads.tokens(description.text, description.head, description.targets)
        head = heads.get(description.head.kind)
        self._in_pieces = head.cutting(description.targets) is not None

    @classmethod
    def load(cls, folder: Path) -> "Writer":
        """Open a model folder; InputError for a model that writes nothing."""
        files = ModelFolder(folder)
        description = files.description()
        if description.system != NETWORK or not heads.get(description.head.kind).writes:
            raise InputError(
                f"the model {description.name!r} is no language model",
                right="a model of the head 'language-model'",
            )
        return cls(description, files.vocabulary(), opened(files.read(STEP)))

    def cleaned(self, prompt: str) -> str:
        """The prompt as training would have seen it."""
        return normalize(prompt, self.description.cleaning)

    def unknown(self, prompt: str) -> list[str]:
        """Tokens of a prompt that the model does not know, each once, in order."""
        tokens = dict.fromkeys(self._tokens(prompt))
        return [token for token in tokens if token not in self._vocabulary]

    def write(self, prompt: str, n_tokens: int, sampling: Sampling, seed: int) -> Iterator[Written]:
        """Up to `n_tokens` tokens that go on with the prompt, each as soon as it is drawn.

        An empty prompt begins a document. `<s>` ends a line and goes on with the next. Each token costs
        the same, however long the text is. The same seed gives the same tokens.
        """
        random = np.random.default_rng(seed)
        tokens = self._tokens(prompt)
        join = Joiner(self.description.text.tokenizer, in_pieces=self._in_pieces)
        for token in tokens:
            join(token)
        said, state = self._step([MARK, *tokens], self._nothing())
        for _ in range(n_tokens):
            place = draw(said, sampling, random)
            token = self._vocabulary.words[place]
            yield Written(token, join(token), float(np.exp(said[place])))
            said, state = self._step([token], state)

    @property
    def mark(self) -> int:
        """The number of `<s>`."""
        return self._vocabulary.mark

    def encoded(self, text: str) -> Ids:
        """The tokens of a text from its `<s>` to its `<s>` as numbers, `(n,)`."""
        return self._vocabulary.encode([MARK, *self._tokens(text), MARK])

    def told(self, text: str) -> Told:
        """Read a text from its `<s>` to its `<s>`, token by token."""
        ids = self.encoded(text)
        n_layers = self.description.hyperparameters.encoder.layers
        state, nats, states = self._nothing(), list[float](), list[Floats]()
        for now, then in pairwise(ids):
            said, state = self._run(np.array([[now]], np.int32), state)
            nats.append(-float(said[then]))
            # The state holds the layers of the first member, then those of the next.
            last = state[0][n_layers - 1 :: n_layers]
            states.append(last.ravel() / np.sqrt(len(last), dtype=np.float32))
        return Told(np.array(nats, np.float32), np.stack(states), ids[1:])

    def _tokens(self, prompt: str) -> list[str]:
        return self._split(self.cleaned(prompt))

    def _nothing(self) -> list[Floats]:
        shapes = {each.name: each.shape for each in self._session.get_inputs()}
        n_layers, _, units = shapes[_STATE[0]]
        return [np.zeros((n_layers, 1, units), np.float32)] * len(_STATE)

    def _step(self, tokens: list[str], state: list[Floats]) -> tuple[Floats, list[Floats]]:
        """Log probabilities of what comes after the tokens, `(n_words,)`, and the state then.

        Padding and the unknown token are never written.
        """
        said, after = self._run(self._vocabulary.encode(tokens)[None], state)
        possible = np.array(said, np.float32)
        possible[[PADDING, UNKNOWN]] = -np.inf
        return possible - np.logaddexp.reduce(possible), after

    def _run(self, ids: Ids, state: list[Floats]) -> tuple[Floats, list[Floats]]:
        """Log probabilities of what comes after ids `(1, time)`, `(n_words,)`, and the state then."""
        given = dict(zip(_STATE, state, strict=True))
        said, *after = self._session.run(None, {TOKENS: ids, **given})
        return said[0], after


def draw(log_probabilities: Floats, sampling: Sampling, random: np.random.Generator) -> int:
    """The place of a token.

    Example:
        >>> never = np.random.default_rng(0)
        >>> draw(np.log(np.array([0.2, 0.5, 0.3])), Sampling(temperature=0), never)
        1
        >>> {draw(np.log(np.array([0.2, 0.5, 0.3])), Sampling(top_p=0.6), never) for _ in range(99)}
        {1, 2}
    """
    if sampling.temperature == 0:
        return int(log_probabilities.argmax())
    behind = log_probabilities.astype(np.float64) - log_probabilities.max()
    with np.errstate(over="ignore"):
        chances = np.exp(behind / sampling.temperature)
    chances /= chances.sum()
    order = np.argsort(-chances, kind="stable")
    before = np.cumsum(chances[order]) - chances[order]
    kept = order[before < sampling.top_p]
    return int(random.choice(kept, p=chances[kept] / chances[kept].sum()))

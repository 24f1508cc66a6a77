"""What a calibration found, as JSON: sizes of the corpus, and rates in processor seconds of this machine.

All seconds are of processes with one thread, but for `words_outside`, which many threads share.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict

Part = Literal["corpus", "holdout", "outside"]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True)


class PartSize(_Record):
    """One part of the corpus."""

    documents: float
    """As they are read, before cleaning."""
    exact: bool
    """Whether they were counted; else a part was counted, and the rest goes by bytes."""
    kept: float
    """Share that cleaning keeps."""
    characters: float
    """Of a document as it is read."""
    cleaned: float
    """Characters of a document that is kept."""
    tokens: float
    """Of a document that is kept."""
    read: float
    """Seconds to read a document."""
    types: float
    """Different tokens in `types_of` tokens."""
    types_of: float
    growth: float
    """Different tokens grow with this power of the tokens (Heaps 1978, section 7.5)."""

    @property
    def n_kept(self) -> float:
        """Documents that cleaning keeps."""
        return self.documents * self.kept

    frequent: float
    """Share of the different tokens that are seen as often as a word must be to get a vector; by Zipf's law it
    hardly changes with the size of the text."""

    def vocabulary(self, n_tokens: float) -> float:
        """Words with a vector, learned from so many tokens."""
        return self.frequent * self.types * (n_tokens / max(1.0, self.types_of)) ** self.growth


class Line(_Record):
    """A cost that grows with a number."""

    fixed: float = 0.0
    each: float = 0.0

    def at(self, n: float) -> float:
        """Seconds for `n` of them."""
        return self.fixed + self.each * n


class Growing(_Record):
    """A cost that grows with a power of a number: measured at two numbers, carried on from the second."""

    n: float
    seconds: float
    power: float

    def at(self, n: float) -> float:
        """Seconds for `n` of them.

        Example:
            >>> Growing(n=100, seconds=2.0, power=1.0).at(300)
            6.0
        """
        return self.seconds * (n / self.n) ** self.power


class BaselineRate(_Record):
    """Fitting a baseline on documents, and asking it about others."""

    fit: Growing
    answer: float
    """Seconds a document."""


class NetworkRate(_Record):
    """Training networks of any size: see `lslm.costing.networks`."""

    a_document: float
    a_step: float
    """Seconds a batch, for each direction of each layer and each position in time."""
    a_flop: float
    a_weight: float
    """Seconds a batch, for each weight that the optimizer moves."""
    cells: float
    """Positions of a document, with padding."""
    width: float
    """Positions in time of a batch."""
    build: float
    """Seconds before a network learns, once."""
    first_answer: float
    """Seconds before it answers, once."""
    answer: float
    """Seconds an answer takes for each second a document takes in training."""
    score: float
    """Seconds that the head's metrics take a document."""
    save: float
    spread: float
    """Mean relative error with which the four rates give back what was measured."""


class Rates(_Record):
    """Everything a calibration found."""

    parts: dict[Part, PartSize]
    clean: Line
    """Seconds by characters; the first documents wait for libraries to load."""
    split: float
    """Seconds a document."""
    tokenize: float
    """Seconds a character."""
    words: float
    """Seconds a word and epoch of Word2Vec, on one thread."""
    words_outside: float
    """The same on all threads that pretraining takes, all together."""
    vectors: float
    """Seconds a word of the vocabulary, to begin and end with a table of vectors."""
    reading: Line = Line()
    """Seconds of a language model of one direction, by words and passes; none without `pretraining`."""
    prepare: Line
    """Seconds of a training part besides its vectors, by documents."""
    network: NetworkRate
    baselines: dict[str, BaselineRate]
    assemble: float
    """Seconds to export a model of `training.members` networks."""
    assemble_one: float
    serve: float
    """Seconds a document, of a model of one network as it is served."""
    explain: float
    """Seconds a document, its words left out one by one."""
    report: Line
    """Seconds of scoring and what the report tells, by documents and systems."""
    python: float
    """Seconds of a fixed piece of plain Python: how fast this machine is."""
    calibration: float
    """Seconds that the calibration took."""

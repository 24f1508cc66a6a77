"""What a head says: one record in one file. Adding a head edits nothing else.

A head sits on the shared encoder and learns one kind of answer. Nothing here imports Keras; a head
does so inside the functions that build its network.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

import polars as pl
from numpy.typing import NDArray

from lslm.heads.batching import Batching
from lslm.settings import Hyperparameters, SearchSpace, Section
from lslm.text.pieces import Cutter

if TYPE_CHECKING:
    import keras

    from lslm.encoder.encoder import Encoded

Array = NDArray[Any]


class Encode(Protocol):
    """The shared encoder, ready for tokens `(n, time)`."""

    @property
    def n_words(self) -> int:
        """Words of the vocabulary, padding and the unknown one among them."""
        ...

    @property
    def size(self) -> int:
        """Units of a word's vector."""
        ...

    @property
    def vectors(self) -> Array | None:
        """Pretrained vectors, `(n_words, size)`, zero for the special words; None without any."""
        ...

    def __call__(self, tokens: "keras.KerasTensor") -> "Encoded":
        """Build it on tokens."""
        ...


class Documents(Protocol):
    """Documents as ids of words, with their targets."""

    @property
    def targets(self) -> Array:
        """First axis the documents."""
        ...

    def __len__(self) -> int:
        """How many."""
        ...

    def document(self, row: int, longest: int) -> Array:
        """Ids of one document, `(time,)`, cut to `longest`."""
        ...


class Seen(Protocol):
    """The training part, as a network that has not learned yet is told of it."""

    @property
    def training(self) -> Documents:
        """The documents it will learn from."""
        ...

    def counts(self) -> Array:
        """How often each word of the vocabulary stands in them, `(n_words,)`, their ends among the marks."""
        ...


Targets = dict[str, Any]
"""What a head fitted on training documents, as JSON: for classification the label set."""


@dataclass(frozen=True)
class Goal:
    """The one number that chooses between configurations."""

    metric: str
    direction: Literal["maximize", "minimize"]


@dataclass(frozen=True)
class Comparison:
    """A paired comparison of two systems on the same examples (a minus b, of the goal's metric)."""

    test: str
    """Name of the test, such as `McNemar, exact`."""
    difference: float
    low: float
    high: float
    p_value: float
    """Two-sided."""
    n: int
    n_groups: int | None = None
    """Groups that the documents were taken in; None where each was taken by itself."""

    @property
    def counted(self) -> str:
        """How many, such as `n = 40 in 12 groups`."""
        return f"n = {self.n}" + (f" in {self.n_groups} groups" if self.n_groups else "")


@dataclass(frozen=True)
class Classes:
    """What a head says besides whose outputs are probabilities of classes, `(n, n_classes)`.

    Such outputs are calibrated, and an answer that is not sure enough can be held back.
    """

    names: Callable[[Targets], list[str]]
    """Names of the classes, in the order of the columns."""
    column: str
    """The part of an answer that names the likeliest class; None there says that the model abstains."""


class Baseline(Protocol):
    """Fit on training documents, answer for others; outputs have the shape of the network's."""

    def __call__(
        self, training: pl.DataFrame, documents: pl.DataFrame, targets: Targets, seed: int
    ) -> Array: ...


@dataclass(frozen=True)
class Kept:
    """A baseline that can be kept on disk and served, as a pipeline of scikit-learn."""

    fit: Callable[[pl.DataFrame, Targets, int], Any]
    """From training documents, targets and a seed to the fitted pipeline."""
    ask: Callable[[Any, Sequence[str], Targets], Array]
    """From the pipeline and texts to outputs as the baseline's."""


@dataclass(frozen=True)
class Head:
    """One kind of answer. `documents` are rows of the cleaned corpus (see `lslm.cleaning.chain`)."""

    name: str
    options: type[Section]
    """The head's own settings, given as `head.options`."""
    columns: tuple[str, ...]
    """Columns of the cleaned corpus it needs besides `text`."""
    fit_targets: Callable[[pl.DataFrame, Section], Targets]
    """Fitted on training documents only."""
    encode_targets: Callable[[pl.DataFrame, Targets], Array]
    """Targets as an array, first axis the documents. Labels that training never saw raise InputError."""
    build: Callable[[Encode, Targets, Hyperparameters], "keras.Model"]
    """From the shared encoder to the network; its inputs are those of `batching`."""
    loss: Callable[[Hyperparameters], "keras.losses.Loss"]
    goal: Goal
    metrics: Mapping[str, Callable[[Array, Array], float]]
    """From (truth, outputs) to a number; the goal's metric is among them."""
    example_scores: Callable[[Array, Array], Array]
    """From (truth, outputs) to one value a document whose mean is the goal's metric."""
    details: Callable[[Array, Array, Targets], list[dict[str, Any]]]
    """Rows of a table that breaks the score down, such as precision and recall a label."""
    decode: Callable[[Array, Targets, Sequence[str]], list[dict[str, Any]]]
    """From outputs and cleaned texts to what a person reads, one dictionary a document."""
    baselines: Mapping[str, Baseline]
    compare: Callable[[Array, Array], Comparison]
    """The paired test of two systems' `example_scores` for the same documents, where no two share a group."""
    space: SearchSpace
    """The head's own part of the search space, by dotted setting name."""
    prediction_schema: tuple[tuple[str, str], ...]
    """Columns of a served prediction: (name, MLflow type)."""
    yardstick: Callable[[Targets], Mapping[str, Any]] | None = None
    """What two models have to agree in for their scores to compare; both are then held to the truth of the first.
    None: each model's scores are what they are."""
    of_a_fold: frozenset[str] = frozenset()
    """Keys of its targets that may differ from fold to fold: scores do not read them."""
    classes: Classes | None = None
    """None where outputs are something else than probabilities of classes."""
    kept: Mapping[str, Kept] = field(default_factory=dict)
    """Baselines that can be registered in place of a network, by their names among `baselines`."""
    extras: tuple[str, ...] = ()
    """Columns of the sources that it can use where they are there: the cleaned corpus has them as a JSON
    object in its column `extras`."""
    searchable: tuple[str, ...] = ()
    """Those of the options that the search may change, as `head.NAME`: they reach `build`, `loss` and `begin`."""
    batching: Batching = field(default_factory=Batching)
    """How documents enter the network."""
    ceilings: frozenset[str] = frozenset()
    """Those of the baselines that know the truth: shown, and not to be beaten."""
    packages: tuple[str, ...] = ()
    """Distributions that answering needs, besides those that every head does."""
    unused: frozenset[str] = frozenset()
    """Settings of the encoder that its network does not read: they are not searched."""
    cutting: Callable[[Targets], Cutter | None] = lambda targets: None
    """How words are cut into pieces, by what was fitted on the training documents; None: they stay whole."""
    known: Callable[[Targets], Sequence[str]] = lambda targets: ()
    """Tokens that its vocabulary has however rare they are, by what was fitted on the training documents."""
    inherited: Mapping[str, str] = field(default_factory=dict)
    """Options that are not given but taken from another setting, by its dotted name."""
    needs: Mapping[str, Any] = field(default_factory=dict)
    """Settings by dotted name that must have this value; they are not searched."""
    blocked: bool = False
    """Whether the order of the documents says something: folds are then blocks of neighbours, and the
    holdout is the end."""
    layers: tuple[str, ...] = ()
    """Modules that register layers of its own with Keras: they are imported before its networks are read."""
    begin: Callable[["keras.Model", Seen, Hyperparameters], None] | None = None
    """Puts into a new network what is known of the training part before it learns. None: nothing."""
    question: str = 'lslm predict --model {model} "some text"'
    """How a registered model is asked on the command line; `{model}` stands for its name and version."""
    writes: bool = False
    """Whether the network can go on with a text: then a step of it is served beside it."""

    @property
    def needs_label(self) -> bool:
        """Whether documents without a label are of no use to it."""
        return "label" in self.columns

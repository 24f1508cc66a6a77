"""Every setting, typed and frozen; unknown keys are refused; each default stands here once.

A pipeline file states only what differs from these defaults.
"""

import os
import re
import types
from pathlib import Path
from statistics import fmean
from typing import Annotated, Any, Literal, Self, Union, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

Share = Annotated[float, Field(ge=0, lt=1)]
"""A share of the whole, from 0 up to but not including 1."""


Seed = Annotated[int, Field(ge=0, lt=2**31)]
"""Far enough below what libraries take for seeds of parts to be made by adding to it."""


class Section(BaseModel):
    """A frozen group of settings that refuses unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    @field_validator("*", mode="before")
    @classmethod
    def _refuse_bools(cls, value: object, info: ValidationInfo) -> object:
        # `true` would pass for the number 1.
        name = info.field_name or ""
        if isinstance(value, bool) and _is_number(cls.model_fields[name].annotation):
            raise PydanticCustomError("bool_as_number", "true and false are no numbers")
        return value


def _is_number(annotation: Any) -> bool:
    """Whether a type, `None` and limits aside, takes numbers and no bool."""
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _is_number(inside[0])
    if origin in (Union, types.UnionType):
        return bool not in inside and any(map(_is_number, inside))
    return annotation in (int, float)


class Excerpt(Section):
    """Some settings of a larger section, under the same names: the key of a stage holds no others."""

    @classmethod
    def of(cls, whole: Section) -> Self:
        """What the larger section says."""
        return cls.model_validate(whole.model_dump(include=set(cls.model_fields)))


class Source(Section):
    """Where documents are read from: a file, a glob, a folder, or a file inside an installed package."""

    path: str
    """A path, a glob, a folder, or `package:DISTRIBUTION/PATH` for a file or folder of an installed
    package."""
    format: Literal[
        "auto", "csv", "jsonl", "parquet", "lines", "labelled-lines", "folder", "docstrings"
    ] = "auto"
    """`lines`: a document a line. `labelled-lines`: a label, white space, a document. `folder`: a
    document a file, the label is the folder's name. `docstrings`: documentation strings of Python files,
    their first paragraph as `summary`."""
    encoding: str = "auto"
    """`auto` tries UTF-8 (BOM or not, a few stray bytes or none), UTF-16 with BOM, then latin-1."""
    separator: Annotated[str, Field(pattern=r'^(auto|[^\r\n"])$')] = "auto"
    """One character between CSV columns, or `auto`, which looks at the first lines."""
    where: dict[str, str] = {}
    """Keep rows whose columns have these values, such as `{language: en}`."""
    labels: str | None = None
    """A second file with one label a line, beside a `lines` file."""
    label: str | None = None
    """One label for every document of this source."""


class CorpusSettings(Section):
    """What is read, and which columns matter."""

    sources: tuple[Source, ...] = ()
    """The documents to learn from."""
    holdout: tuple[Source, ...] = ()
    """A holdout given apart; empty cuts one off `sources` (see `split`)."""
    outside: tuple[Source, ...] = ()
    """Text without labels from outside the corpus; it may only pretrain embeddings and language models."""
    text: str = "text"
    """Column of the document."""
    label: str = "label"
    """Column of the label."""
    group: str | None = None
    """Column whose equal values never straddle a split, such as an author; intervals and tests take them
    together."""
    time: str | None = None
    """Column of a date or number; the holdout is then the latest part and folds go forward."""
    columns: dict[str, str] = {}
    """Columns that the head can use under another name, such as `{summary: abstract}`; a column of the
    head's own name is found by itself."""
    metadata: tuple[str, ...] = ()
    """Columns kept beside each document to cut slices by, such as a language; never learned from."""
    licence: str | None = None
    """Of the documents, for the model card, such as `CC-BY-4.0` or `ours, not to be shared`."""


class CleaningSettings(Section):
    """What is done to each document, and which are kept."""

    html: bool = True
    """Turn HTML into text; `<br>` and block ends break sentences."""
    min_characters: PositiveInt = 1
    """Shorter documents are rejected."""
    max_characters: PositiveInt = 100_000
    """Longer documents are rejected."""
    near_duplicates: Annotated[float, Field(gt=0, le=1)] | None = 0.8
    """Documents at least this similar (Jaccard of word 3-grams, estimated) share a group; none: exact only."""

    @model_validator(mode="after")
    def _check_characters(self) -> Self:
        if self.max_characters < self.min_characters:
            raise ValueError(
                "cleaning.max_characters is below cleaning.min_characters: every document would be rejected"
            )
        return self


class SplitSettings(Section):
    """How the holdout is cut off."""

    holdout: Share = 0.1
    """Share of the documents, above 0; ignored where `corpus.holdout` is given."""
    seed: Seed = 0
    out_of_scope: str | None = None
    """Label of documents that belong to none of the classes, such as `other`. They are kept out of
    everything that is fitted and choose a threshold alone, below which a document gets this label."""
    train_out_of_scope: bool = False
    """Learn them as a class of their own instead: better where the strange documents of tomorrow are
    like those of today."""


class TextSettings(Section):
    """How a document becomes tokens."""

    tokenizer: Literal["words", "characters", "all-characters", "chinese"] = "words"
    """`words` keeps punctuation and takes Chinese, Japanese kana and the like by characters;
    `characters` leaves white space out, `all-characters` keeps it;
    `chinese` needs the extra of that name."""
    lowercase: bool = True


class EmbeddingSettings(Section):
    """How word vectors are pretrained."""

    method: Literal["word2vec", "none"] = "word2vec"
    algorithm: Literal["skip-gram", "cbow"] = "skip-gram"
    size: PositiveInt = 200
    """Units of a vector, also where vectors are not pretrained."""
    window: PositiveInt = 5
    negative: PositiveInt = 5
    """Negative samples a word."""
    sample: PositiveFloat = 1e-4
    """Threshold above which frequent words are thinned out (Mikolov et al. 2013, eq. 5)."""
    learning_rate: PositiveFloat = 0.05
    """At the start; it falls to nothing over the epochs."""
    epochs: PositiveInt = 4
    """Passes over the outside text; over the training part, where there is no outside text."""
    adapt_epochs: int = Field(default=4, ge=0)
    """Passes over each training part, starting from the vectors of the outside text."""
    min_count: PositiveInt = 2
    """Rarer words get no vector."""
    outside_words: PositiveInt = 30_000
    """How many of the most frequent outside words enter the vocabulary."""
    workers: int | None = Field(default=None, ge=1)
    """Threads; none takes every core. One is needed for bit-equal vectors."""
    seed: Seed = 0


class PretrainingSettings(Section):
    """How the first recurrent layer learns to read before any label is seen."""

    language_model: bool = False
    """Language models of the text outside the corpus, and then of each training part, start the first recurrent
    layer, a model for each direction. `encoder.cell`, `units` and `bidirectional` then have one value."""
    epochs: PositiveInt = 2
    """Passes over the outside text; over the training part, where there is no outside text."""
    adapt_epochs: int = Field(default=1, ge=0)
    """Passes over each training part, going on from the outside text."""
    learning_rate: PositiveFloat = 3e-3
    """At the start; it falls to nothing over the epochs."""
    batch_size: PositiveInt = 32
    """Windows of a step."""
    window: Annotated[int, Field(ge=2)] = 40
    """Tokens that are read from nothing: longer documents are cut into windows."""
    dropout: Share = 0.1
    """Of units of the vectors, and of the states."""
    sampled_words: int = Field(default=500, ge=0)
    """Compare the right word with this many drawn ones (Bengio & Senecal 2003); 0 compares with all words."""
    seed: Seed = 0


class HeadSettings(Section):
    """What is learned on top of the encoder."""

    kind: str = "classify"
    options: dict[str, Any] = {}
    """Settings of that head alone; each head checks its own."""


class EncoderSettings(Section):
    """The shared recurrent encoder. Every field can be searched as `encoder.FIELD`."""

    cell: Literal["lstm", "gru"] = "lstm"
    layers: Annotated[int, Field(ge=1, le=3)] = 1
    bidirectional: bool = True
    units: PositiveInt = 128
    """Of one direction of one layer."""
    pooling: Literal["attention", "max", "last", "attention+max"] = "attention+max"
    tuned_words: int = Field(default=0, ge=0)
    """The vectors of this many most frequent training words are tuned; 0 freezes the embedding."""
    embedding_dropout: Share = 0.0
    """Whole words are dropped (Gal & Ghahramani 2016)."""
    spatial_dropout: Share = 0.3
    """Whole units of the embedding are dropped over the document."""
    recurrent_dropout: Share = 0.0
    """Of the outputs of each recurrent layer, the same units at every step."""
    head_dropout: Share = 0.3
    """Of the pooled document vector."""
    ngrams: Annotated[int, Field(ge=1, le=5)] = 1
    """Word n-grams up to this order reach the head beside the recurrent layers; 1 leaves them out."""
    ngram_buckets: Annotated[int, Field(ge=2, le=32_768)] = 16_384
    """Rows that the n-grams are hashed into."""
    ngram_units: PositiveInt = 32
    """Of an n-gram's trained vector."""
    max_words: int = Field(default=0, ge=0)
    """Only this many first words of the vocabulary, the most frequent ones of the training part, have a vector;
    others are the unknown word. 0: all of them."""
    vector_units: int = Field(default=0, ge=0)
    """Pretrained vectors are projected onto this many of their principal components; vectors that are not
    pretrained have this many units. 0: `embedding.size`."""
    stored: Literal["float32", "float16", "int8"] = "float32"
    """How the served graph keeps large arrays on disk; it computes in float32. `int8`: a scale a row. Trials and
    folds are scored before this rounding, the holdout after it."""


class TrainingSettings(Section):
    """How a network is fitted. Every field can be searched as `training.FIELD`."""

    batch_size: PositiveInt = 64
    epochs: PositiveInt = 12
    """At most; the search stops early on its validation part and the winner keeps that number."""
    patience: PositiveInt = 3
    """Epochs without a better value of the head's goal, such as accuracy, after which a trial stops."""
    learning_rate: PositiveFloat = 1e-3
    schedule: Literal["constant", "cosine", "linear"] = "cosine"
    """Of the learning rate, over `epochs`, down to zero."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    """Decoupled (AdamW, Loshchilov & Hutter 2019)."""
    lazy_words: bool = False
    """Trained tables of words learn only in the rows that a batch looks up, moments included. With a large table
    much of a step is saved, and memory; rare words learn more slowly. On TensorFlow; elsewhere it changes
    nothing."""
    label_smoothing: Share = 0.0
    clip_norm: PositiveFloat = 1.0
    unfreeze_epochs: int = Field(default=0, ge=0)
    """With a pretrained recurrent layer: so many epochs train what is new alone, as many more the recurrent layer
    too, and only then words (Howard & Ruder 2018). 0 trains all from the start."""
    layer_decay: Annotated[float, Field(gt=0, le=1)] = 1.0
    """With a pretrained recurrent layer: its learning rate as a share of that of what is new; that of words is as
    much smaller again (Howard & Ruder 2018 take 0.38)."""
    precision: Literal["float32", "mixed_bfloat16", "mixed_float16"] = "float32"
    """What layers compute in; weights, outputs and the served model stay float32. The mixed ones are for
    processors with units for them (docs/training.md)."""
    max_tokens: PositiveInt = 400
    """Longer documents are cut, keeping the head and the tail in equal parts."""
    members: PositiveInt = 1
    """Networks from different seeds whose probabilities are averaged, in the folds and in the end.
    Training and serving cost grow in proportion."""
    seed: Seed = 0


class Range(Section):
    """A range of the search space."""

    low: float
    high: float
    step: float | None = None
    log: bool = False


SearchSpace = dict[str, Range | tuple[bool | int | float | str, ...]]
"""By dotted setting name: a list of choices, or a range."""


def _seconds(value: object) -> object:
    """Read '90s', '5m', '1.5h' as seconds."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smh])", value) if isinstance(value, str) else None
    return float(match[1]) * {"s": 1, "m": 60, "h": 3600}[match[2]] if match else value


Duration = Annotated[PositiveFloat, BeforeValidator(_seconds)]
"""Seconds; `90s`, `5m` and `2h` are understood."""


def _in_units(value: object, units: dict[str, float]) -> object:
    """Read a number with one of these units; anything else comes back as it is."""
    names = "|".join(units)
    match = re.fullmatch(rf"(\d+(?:\.\d+)?)\s*({names})", value) if isinstance(value, str) else None
    return float(match[1]) * units[match[2]] if match else value


def _megabytes(value: object) -> object:
    return _in_units(value, {"KB": 1e-3, "MB": 1.0, "GB": 1e3})


def _milliseconds(value: object) -> object:
    return _in_units(value, {"us": 1e-3, "ms": 1.0, "s": 1e3})


Megabytes = Annotated[PositiveFloat, BeforeValidator(_megabytes)]
"""Millions of bytes; `500KB`, `2MB` and `1GB` are understood."""
Milliseconds = Annotated[PositiveFloat, BeforeValidator(_milliseconds)]
"""`500us`, `1ms` and `2s` are understood."""


class SearchSettings(Section):
    """How hyperparameters are chosen, on a validation part of the development set."""

    sampler: Literal["tpe", "random", "grid"] = "tpe"
    n_trials: int = Field(default=20, ge=0)
    """Finished trials, pruned ones included; 0 takes the settings as they stand."""
    budget: Duration | None = None
    """Time after which no new trial starts."""
    patience: PositiveInt | None = None
    """Finished trials without a better value after which no new trial starts; none: no such end."""
    warm_start: int = Field(default=0, ge=0)
    """Best trials of the pipeline's last study that are tried again first, on what changed since. Then the
    result depends on the history of the workspace."""
    validation: Annotated[float, Field(gt=0, lt=1)] = 0.15
    """Share of the development set that chooses."""
    folds: PositiveInt = 1
    """Parts that each trial is judged on: 1 takes one validation part; more are folds of the development
    set, whose mean counts. Steadier, and that many times slower."""
    in_waves: bool = False
    """As many trials as can run at once begin together and are judged together, so that the result
    does not depend on which process is faster; `deterministic` turns it on."""
    pruner: Literal["median", "hyperband", "wilcoxon", "none"] = "median"
    """What stops trials early. `median`: worse than the median of the others at the same epoch, or part.
    `hyperband`: many trials begin, the best third goes on with thrice the epochs. `wilcoxon`: a signed-rank
    test against the best trial, part by part; it needs `folds`."""
    max_size_mb: Megabytes | None = None
    """Largest model folder, in millions of bytes (`2MB`). Then size is a goal beside quality, names that decide
    it join the space, a trial over the bound is not trained, no other is pruned, and the best one is chosen."""
    max_latency_ms: Milliseconds | None = None
    """Longest median time of one document, alone, on this machine (`1ms`); a goal as the size is."""
    space: SearchSpace | None = None
    """None takes the default space of the encoder and the head."""
    seed: Seed = 0

    @model_validator(mode="after")
    def _check_pruner(self) -> "SearchSettings":
        if self.pruner == "wilcoxon" and self.folds < 3:
            raise ValueError(
                "pruner wilcoxon compares trials part by part: it needs folds of 3 or more"
            )
        if self.pruner == "hyperband" and self.folds > 1:
            raise ValueError("pruner hyperband counts epochs: it needs folds: 1")
        if self.pruner == "hyperband" and self.in_waves:
            raise ValueError(
                "pruner hyperband compares trials that run side by side, so that the faster process decides: "
                "in_waves needs median, wilcoxon or none"
            )
        return self

    @model_validator(mode="after")
    def _check_bounds(self) -> "SearchSettings":
        if not self.n_trials and (self.max_size_mb or self.max_latency_ms):
            raise ValueError("max_size_mb and max_latency_ms bound a search: n_trials of 1 or more")
        return self

    @property
    def folds_seed(self) -> int:
        """Of the folds that trials are judged on: no seed of an evaluation is as large, so it has other folds.

        Example:
            >>> SearchSettings(seed=3).folds_seed
            4294967299
        """
        return self.seed + (1 << 32)

    def inside(self, number: int) -> "SearchSettings":
        """The same search, inside outer fold `number`, counted from 0.

        It has a seed of its own, and takes nothing from earlier studies: those saw the fold's documents. The seeds
        lie further apart than those of searches that are repeated to see what chance does.

        Example:
            >>> SearchSettings(seed=3, warm_start=2).inside(1).seed
            20003
        """
        return self.model_copy(update={"seed": self.seed + 10_000 * (number + 1), "warm_start": 0})


class EvaluationSettings(Section):
    """How the numbers are made."""

    folds: Annotated[int, Field(ge=2)] = 5
    nested: bool = False
    """Search again inside each fold, on its training documents alone: a score without the optimism of a search
    that saw the folds. It costs about as many searches as there are folds; `lslm plan` says how long that is."""
    baselines: tuple[str, ...] | None = None
    """None takes all that the head names."""
    resamples: PositiveInt = 2000
    """Of each bootstrap."""
    confidence: Annotated[float, Field(gt=0, lt=1)] = 0.95
    curve: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = (0.25, 0.5)
    """Shares of one fold's training documents for the learning curve; empty: none. Language models have none: with
    fewer documents they know fewer words."""
    seeds: PositiveInt = 3
    """Networks of one fold that differ by their seed alone, to see what chance does; 1: none."""
    explained: int = Field(default=300, ge=0)
    """Documents of one fold, unseen by the network that answers, whose words are left out one by one to
    see which carry the answer; 0: none."""
    swaps: tuple[Annotated[tuple[str, ...], Field(min_length=2)], ...] = ()
    """Lists of words that should not change an answer when one takes another's place, such as
    `[[he, she], [his, her]]`; the report tells how often they do."""
    wanted_accuracy: Annotated[float, Field(gt=0, le=1)] | None = None
    """Share of the answers that should be right: the model abstains where it is not sure enough for
    that. The threshold is chosen on the folds. None: it always answers."""
    seed: Seed = 0


class GateSettings(Section):
    """What a new version must show before it becomes champion."""

    must_beat_baselines: bool = True
    """Refuse a network whose holdout score is not above every baseline's."""
    test: Literal["auto", "mcnemar", "bootstrap"] = "auto"
    """Paired test against the champion; `auto` takes the head's, and where documents share a group a randomization
    test that exchanges whole groups. `mcnemar` (exact) wants scores of 0 and 1 and takes each document by itself,
    `bootstrap` resamples groups and takes any."""
    level: Annotated[float, Field(gt=0, lt=1)] = 0.05
    """Of the paired tests."""
    min_effect: float = Field(default=0.0, ge=0)
    """Least gain over the champion, in units of the goal's metric."""
    slices: tuple[Literal["label", "length", "source", "metadata"], ...] = (
        "label",
        "length",
        "source",
        "metadata",
    )
    """How the holdout is cut to look for a part that got worse; `metadata`: by `corpus.metadata`."""
    slice_margin: float = Field(default=0.02, ge=0)
    """No slice may be worse than the champion by more than this, unless that may be chance."""
    min_slice: PositiveInt = 50
    """Documents; smaller slices are too few to judge."""
    max_latency_ms: PositiveFloat | None = None
    """Median milliseconds a document, one at a time; none: shown, not judged."""
    max_size_mb: PositiveFloat | None = None
    """Of the model folder, in millions of bytes; none: shown, not judged."""
    max_holdout_uses: PositiveInt | None = 20
    """Runs that may score one holdout; past it the gate asks for a fresh one. None: no limit."""


class RegistrySettings(Section):
    """How a model is registered, and who lets it become champion."""

    intended_use: str | None = None
    """What the model is for, in your words; the model card begins with it."""

    name: Annotated[str | None, Field(pattern=r"^[^/:@'\"]+$")] = None
    """A name without `/`, `:`, `@` and quotation marks; None takes the pipeline's name."""
    candidate: Literal["network", "best"] = "network"
    """What goes before the gate. `best`: a baseline that does better than the network on the folds goes in
    its place, and answers in the same form."""
    approval: bool = False
    """A version that passes the gate waits until a person approves it."""
    approval_timeout: Duration = 86_400.0
    """Time to approve (`24h`); silence refuses."""
    networks: bool | None = None
    """Whether the Keras networks lie in the model folder beside the graph that answers, to look into or to train
    on. They take as much room again, or more. None: unless the search bounds the size."""
    input_example: tuple[str, ...] | None = None
    """Texts that travel in the package as an example; none puts frequent words together, so that no
    document of the corpus is in it."""


class TrackingSettings(Section):
    """Where runs are tracked. None takes MLFLOW_TRACKING_URI and LSLM_STUDY_URL of the environment, then
    what `lslm up` serves for the workspace, then SQLite in the workspace.
    """

    uri: str | None = None
    """Of MLflow: a server, or a database."""
    study_url: str | None = None
    """Of Optuna's storage: a database. A password belongs in LSLM_STUDY_URL: settings are shown."""
    experiment: str | None = None
    """None takes the pipeline's name."""


class ExecutionSettings(Section):
    """Which processes do the work."""

    runner: Literal["threads", "processes", "dask", "ray"] = "threads"
    """What trials and folds run on. `threads`: warm training processes of this machine, which share what is
    loaded; the fastest where one machine is enough. `processes`: a pool of Prefect's. `dask`, `ray`: a cluster."""
    address: str | None = None
    """Of the cluster (`tcp://HOST:8786`, `ray://HOST:10001`); none starts one on this machine. All its machines
    must see the workspace under the same path, and the same databases."""
    workers: int | None = Field(default=None, ge=1)
    """Trials or folds at once; none takes as many as there are cores for, here or in the cluster."""
    cores: PositiveInt = 1
    """Cores that one trial or fold asks for; two processes of one core do more than one of two."""
    gpus: float = Field(default=0, ge=0)
    """Share of a GPU that one trial or fold asks for: 0.5 lets two share one."""
    pool: str = "lslm"
    """Prefect's work pool that scheduled runs go to; `lslm up` starts a worker for it."""
    retries: int = Field(default=1, ge=0)
    """Times a stage that failed is tried again; bad input is not."""
    worker_deaths: int = Field(default=2, ge=0)
    """Times a fit goes on, from its last epoch, after its process died, as when memory ran out."""
    retry_delay: Duration = 10.0
    """Time before each retry (`10s`)."""
    timeout: Duration | None = None
    """Longest time for a run (`6h`), a person's time to approve apart; the next run goes on from what was done.
    `lslm run` then stops as after SIGTERM, a scheduled run fails. None: no limit."""
    watts_per_core: PositiveFloat = 10.0
    """Power of one busy core, for the estimate of energy in the report; measure yours for a better one."""

    @model_validator(mode="after")
    def _check_address(self) -> "ExecutionSettings":
        if self.address is not None and self.runner not in ("dask", "ray"):
            raise ValueError(
                f"address is that of a cluster: it needs runner dask or ray, not {self.runner}"
            )
        return self


def training_shares(n_folds: int, *, in_time: bool) -> list[float]:
    """The share of the documents that each fold trains on; in time, folds go forward.

    Example:
        >>> training_shares(4, in_time=False), training_shares(4, in_time=True)
        ([0.75, 0.75, 0.75, 0.75], [0.2, 0.4, 0.6, 0.8])
    """
    if in_time:
        return [(number + 1) / (n_folds + 1) for number in range(n_folds)]
    return [(n_folds - 1) / n_folds] * n_folds


def default_workspace() -> Path:
    """What LSLM_WORKSPACE says, else `.lslm`."""
    return Path(os.environ.get("LSLM_WORKSPACE") or ".lslm")


class Settings(Section):
    """A whole pipeline."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    """Lower-case letters, digits and hyphens."""
    workspace: Annotated[Path, AfterValidator(Path.expanduser)] = Field(
        default_factory=default_workspace
    )
    """Folder of everything that is made; default `.lslm`, or the variable LSLM_WORKSPACE."""
    deterministic: bool = False
    """Every run gives the same bits on the same machine, at the price of time: one thread learns the
    word vectors, and trials go in waves. `lslm reproduce` shows it."""
    corpus: CorpusSettings = CorpusSettings()
    cleaning: CleaningSettings = CleaningSettings()
    split: SplitSettings = SplitSettings()
    text: TextSettings = TextSettings()
    embedding: EmbeddingSettings = EmbeddingSettings()
    pretraining: PretrainingSettings = PretrainingSettings()
    head: HeadSettings = HeadSettings()
    encoder: EncoderSettings = EncoderSettings()
    training: TrainingSettings = TrainingSettings()
    search: SearchSettings = SearchSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    gate: GateSettings = GateSettings()
    registry: RegistrySettings = RegistrySettings()
    tracking: TrackingSettings = TrackingSettings()
    execution: ExecutionSettings = ExecutionSettings()

    @property
    def fold_shares(self) -> list[float]:
        """The share of the development set that each fold trains on."""
        return training_shares(self.evaluation.folds, in_time=self.corpus.time is not None)

    @property
    def trial_shares(self) -> list[float]:
        """The share of the development set that a trial trains on, for each part that it is judged on."""
        if self.search.folds == 1:
            return [1 - self.search.validation]
        return training_shares(self.search.folds, in_time=self.corpus.time is not None)

    @property
    def fold_epochs(self) -> list[float]:
        """Epochs of each fold's network for each one of a trial: above 1 where it has fewer training documents.

        It then takes as many steps as the trial that chose its epochs; in time the first folds have few documents.
        Without a search, and in folds that are larger: 1.
        """
        if not self.search.n_trials:
            return [1.0] * self.evaluation.folds
        tried = fmean(self.trial_shares)
        return [max(1.0, tried / share) for share in self.fold_shares]

    def in_folds(self, chosen: "Hyperparameters") -> "tuple[Hyperparameters, ...]":
        """What a search chose, as the networks of each fold are fitted with it."""
        epochs = (round(chosen.training.epochs * factor) for factor in self.fold_epochs)
        return tuple(chosen.replaced({"training.epochs": n}) for n in epochs)

    @model_validator(mode="after")
    def _settle_determinism(self) -> "Settings":
        if self.deterministic:
            if (self.embedding.workers or 1) > 1:
                raise ValueError("deterministic: embedding.workers has to be 1, or left out")
            if self.search.pruner == "hyperband":
                raise ValueError(
                    "deterministic: search.pruner has to be median, wilcoxon or none: hyperband compares trials "
                    "that run side by side, so that the faster process decides"
                )
            alone = self.embedding.model_copy(update={"workers": 1})
            waves = self.search.model_copy(update={"in_waves": True})
            # The sections are frozen for others; a setting that implies two more is settled here.
            object.__setattr__(self, "embedding", alone)
            object.__setattr__(self, "search", waves)
        return self

    @model_validator(mode="after")
    def _check_pretraining(self) -> "Settings":
        if not self.pretraining.language_model:
            if self.training.unfreeze_epochs or self.training.layer_decay != 1:
                raise ValueError(
                    "training.unfreeze_epochs and training.layer_decay are for a pretrained recurrent layer: "
                    "they need pretraining.language_model: true"
                )
        elif self.embedding.method == "none" or self.encoder.vector_units:
            raise ValueError(
                "pretraining.language_model reads pretrained vectors as they are: it needs embedding.method: "
                "word2vec, and encoder.vector_units of 0"
            )
        return self

    @model_validator(mode="after")
    def _check_thresholds(self) -> "Settings":
        by_threshold = self.split.out_of_scope and not self.split.train_out_of_scope
        if by_threshold and self.evaluation.wanted_accuracy is not None:
            raise ValueError(
                "split.out_of_scope and evaluation.wanted_accuracy both set the probability below which "
                "the model does not answer; take one, or split.train_out_of_scope: true"
            )
        return self

    @model_validator(mode="after")
    def _check_candidate(self) -> "Settings":
        bounded = self.search.max_size_mb or self.search.max_latency_ms
        if bounded and self.registry.candidate == "best":
            raise ValueError(
                "registry.candidate: best may put a baseline forward, which no bound holds: search.max_size_mb "
                "and search.max_latency_ms go with candidate: network"
            )
        return self

    @model_validator(mode="after")
    def _check_nested(self) -> "Settings":
        if self.evaluation.nested and not self.search.n_trials:
            raise ValueError(
                "evaluation.nested measures what a search gains by choosing: it needs search.n_trials above 0"
            )
        if self.evaluation.nested and (self.search.max_size_mb or self.search.max_latency_ms):
            raise ValueError(
                "evaluation.nested repeats a search for quality alone: it goes without search.max_size_mb "
                "and search.max_latency_ms"
            )
        return self

    @property
    def keeps_networks(self) -> bool:
        """Whether the Keras networks lie in the model folder."""
        kept = self.registry.networks
        return self.search.max_size_mb is None if kept is None else kept

    def at(self, name: str) -> Any:
        """The value of a setting by its dotted name.

        Example:
            >>> Settings(name="mine").at("text.lowercase")
            True
        """
        section, field = name.split(".")
        return getattr(getattr(self, section), field)

    @property
    def model_name(self) -> str:
        """The name in the registry."""
        return self.registry.name or self.name


class Hyperparameters(Section):
    """What the search chooses: the encoder, its training, and what the head lets it."""

    encoder: EncoderSettings = EncoderSettings()
    training: TrainingSettings = TrainingSettings()
    head: dict[str, Any] = {}
    """The head's own options; each head checks its own."""

    def replaced(self, changes: dict[str, Any]) -> "Hyperparameters":
        """A copy with dotted names changed and validated.

        Example:
            >>> Hyperparameters().replaced({"encoder.units": 64}).encoder.units
            64
        """
        values = self.model_dump()
        for name, value in changes.items():
            section, field = name.split(".")
            values[section][field] = value
        return Hyperparameters.model_validate(values)

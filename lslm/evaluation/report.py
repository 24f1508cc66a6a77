"""The facts of a finished run, in one record that every page, table and card is made from."""

from typing import Any, Literal

from lslm.settings import Section


class Score(Section):
    """A number that can be believed: with its interval and its n."""

    value: float
    low: float
    high: float
    n: int
    """Documents it was computed on."""


class PairedDifference(Section):
    """The network minus another system on the same documents."""

    against: str
    metric: str
    test: str
    difference: float
    low: float
    high: float
    p_value: float
    n: int


class Scores(Section):
    """One data set, all systems; `network` is ours, the others are baselines."""

    systems: dict[str, dict[str, Score]]
    """By system, then by metric."""
    differences: tuple[PairedDifference, ...]
    details: tuple[dict[str, Any], ...] = ()
    """The score of what is registered broken down, such as a row a label."""
    ceilings: tuple[str, ...] = ()
    """Systems that know the truth: nothing has to beat them."""

    def closest(
        self, metric: str, direction: Literal["maximize", "minimize"]
    ) -> PairedDifference | None:
        """The network against the baseline that does best beside it; None without baselines."""
        sign = 1 if direction == "maximize" else -1
        found = [
            each
            for each in self.differences
            if each.metric == metric and each.against not in self.ceilings
        ]
        return min(found, key=lambda each: sign * each.difference, default=None)


class FoldScores(Scores):
    """Cross-validation: `systems` pools the out-of-fold answers; `folds` has each fold's values."""

    folds: tuple[dict[str, dict[str, float]], ...]
    """A dictionary a fold: by system, then by metric."""


class Rule(Section):
    """One line of the gate's decision."""

    name: str
    passed: bool
    figures: str
    """What was compared, in words and numbers."""
    limit: str = ""
    """What the figures had to be."""


class Approval(Section):
    """What a person said of a version that passed the gate."""

    state: Literal["pending", "approved", "refused"]
    until: str
    """Silence after this moment refuses; UTC, ISO 8601."""
    who: str = ""
    why: str = ""
    when: str = ""
    """UTC, ISO 8601."""

    @property
    def told(self) -> str:
        """What it came to, after the gate."""
        word = "" if self.state == "pending" else f", {self.state} by {self.who}: {self.why}"
        return f"passed the gate{word}"


class Decision(Section):
    """What the gate said, and the person after it."""

    promoted: bool
    """Whether the version became champion."""
    reason: str
    rules: tuple[Rule, ...]
    approval: Approval | None = None
    """None where nobody was to be asked."""

    def after(self, said: Approval) -> "Decision":
        """With a person's word, or waiting for it."""
        promoted = said.state == "approved"
        update = {"approval": said, "promoted": promoted, "reason": said.told}
        return self.model_copy(update=update)

    def table(self) -> tuple[Rule, ...]:
        """The rules, and the person's word as the last of them."""
        if self.approval is None:
            return self.rules
        said = self.approval
        figures = "nobody answered yet" if said.state == "pending" else f"{said.who}: {said.why}"
        approved = said.state == "approved"
        limit = f"approved by a person before {said.until[:16].replace('T', ' ')} UTC"
        return (*self.rules, Rule(name="approval", passed=approved, figures=figures, limit=limit))


class ReliabilityBin(Section):
    """Holdout answers of about one confidence."""

    n: int
    low: float
    high: float
    confidence: float
    accuracy: float
    """Share that is right; what `confidence` should be."""


class FoldCalibration(Section):
    """What calibration does to one fold, by a temperature fitted on the other folds alone."""

    temperature: float
    n: int
    before: dict[str, float]
    """The head's metrics of the network as it was trained."""
    after: dict[str, float]


class Calibration(Section):
    """How far probabilities can be taken as they are."""

    temperature: float
    """Of the served model; fitted on the answers of all folds."""
    folds: tuple[FoldCalibration, ...]
    holdout_before: dict[str, float]
    """The head's metrics on the holdout, had the model not been calibrated."""
    by_chance: float
    """The calibration error on the holdout that exactly right probabilities would show on average."""
    reliability: tuple[ReliabilityBin, ...]
    """Of the holdout, as served, by rising confidence."""


class Abstention(Section):
    """What holding back unsure answers comes to on the holdout."""

    wanted: float
    """Share of the answers that should be right."""
    below: float | None
    """The probability below which the model abstains, chosen on the folds; None: nothing reached it."""
    coverage: Score
    """Share of the documents that get an answer."""
    accuracy: Score | None
    """Share of the answers that is right; None where nothing is answered."""


class ScopeScores(Section):
    """Both sides of telling documents of no class apart."""

    accuracy: Score
    """Share of in-scope documents that get their label."""
    recall: Score | None
    """Share of out-of-scope documents that are told apart; None without such documents."""


class OutOfScope(Section):
    """How documents that belong to none of the classes are told apart."""

    label: str
    below: float | None
    """The probability below which a document gets the label; None where it was learned as a class."""
    development: ScopeScores
    """Out of fold; where there is a threshold, it was chosen here."""
    holdout: ScopeScores


class SliceScore(Section):
    """The goal's metric on a part of the documents."""

    name: str
    """Such as `label neg` or `length long (over 812 characters)`."""
    score: Score
    """Of out-of-fold answers."""
    rest: float
    """The same of all other documents."""
    holdout: Score | None
    """Of the holdout's documents of the slice; None where there is none."""


class Confusion(Section):
    """One label taken for another."""

    given: str
    said: str
    n: int


class Mistake(Section):
    """A document whose out-of-fold answer is not its label."""

    source: str
    row: int
    given: str
    given_probability: float
    said: str
    said_probability: float
    text: str
    """Its beginning."""


class Errors(Section):
    """Where out-of-fold answers are not the labels. The holdout's texts stay unseen."""

    n: int
    """Documents answered."""
    n_wrong: int
    labels: tuple[str, ...] = ()
    """Of `matrix`; empty where they are too many to show."""
    matrix: tuple[tuple[int, ...], ...] = ()
    """Counts: a row a given label, a column a label said."""
    confusions: tuple[Confusion, ...]
    """The most frequent, most frequent first."""
    confident: tuple[Mistake, ...]
    """The surest wrong answers, surest first."""
    n_suspects: int
    suspects: tuple[Mistake, ...]
    """Labels that are likely wrong themselves (confident learning), likeliest first; not all of them."""


class WordEffect(Section):
    """What a word does for an answer, over the documents that hold it."""

    label: str
    """The answer."""
    word: str
    effect: Score
    """Mean change of the answer's probability that leaving the word out takes back; n occurrences."""


class ExplainedDocument(Section):
    """One document and what each of its words does for the answer."""

    source: str
    row: int
    given: str
    said: str
    words: tuple[tuple[str, float], ...]


class Explanation(Section):
    """Which words carry answers, found by leaving them out."""

    n: int
    """Documents, none of them trained on."""
    words: tuple[WordEffect, ...]
    """The largest effects by answer."""
    agreement: Score | None
    """Rank correlation (Kendall's tau) of attention with the size of the effect, mean over documents;
    None where nothing attends."""
    examples: tuple[ExplainedDocument, ...]


class SwapEffect(Section):
    """What putting one word in another's place does to the holdout's answers."""

    word: str
    other: str
    n: int
    """Documents that hold the word."""
    flips: Score | None
    """Share whose answer changes; None where the documents are too few to say."""
    changes: dict[str, Score]
    """Mean change of each label's probability."""


class CurvePoint(Section):
    """Everything fitted on a part of one fold's training documents."""

    n_training: int
    """Documents trained on."""
    systems: dict[str, Score]
    """The goal's metric on the fold's validation documents; `network` is a single one."""


class Gain(Section):
    """What the last step of the learning curve brought the network, on the same documents."""

    difference: float
    low: float
    high: float
    n: int


class SeedSpread(Section):
    """Single networks of one fold that differ by their seed alone."""

    values: tuple[float, ...]
    deviation: float
    """Standard deviation of the values."""


class Variation(Section):
    """How much the score depends on the amount of data, and on chance."""

    curve: tuple[CurvePoint, ...]
    """By rising number of documents; empty where it was not asked for."""
    gain: Gain | None
    seeds: SeedSpread | None


class Optimism(Section):
    """The searched configuration minus the nested one, on the same documents."""

    difference: float
    """Of the goal's metric; where that is to fall, a negative one flatters."""
    low: float
    high: float
    n: int


class FoldChoice(Section):
    """What the search inside one outer fold came to."""

    value: float
    """The goal's metric on the fold's documents, which that search never saw."""
    n: int
    """Those documents."""
    best: float | None
    """The best value of the search, on the documents that it chose by; None where every trial was pruned."""
    n_trials: int
    """Finished ones, pruned ones included."""
    seconds: float
    """Of the search."""
    chosen: dict[str, Any]
    """By dotted name, what was searched."""


class NestedScores(Section):
    """The score of searching and fitting, on documents that neither has seen."""

    scores: dict[str, Score]
    """By metric, over the documents of all outer folds."""
    optimism: Optimism
    best: float | None
    """The best value of the pipeline's own search, on the documents that it chose by."""
    own: dict[str, Any]
    """What that search chose, of what was searched."""
    choices: tuple[FoldChoice, ...]
    """A fold each."""


class StageCost(Section):
    """What a stage cost when it was done."""

    stage: str
    seconds: float
    """Of wall time."""
    cpu_seconds: float
    """Of all processes together."""
    peak_mb: float
    """Largest memory of all processes together, in millions of bytes."""
    earlier: bool
    """Whether an earlier run did it, and this one found it done."""


class Costs(Section):
    """What the run took, stage by stage, up to its report."""

    stages: tuple[StageCost, ...]
    watts_per_core: float
    """Assumed power of a busy core."""

    @property
    def cpu_seconds(self) -> float:
        """Of all stages."""
        return sum(stage.cpu_seconds for stage in self.stages)

    @property
    def watt_hours(self) -> float:
        """Estimated energy of all stages."""
        return self.cpu_seconds * self.watts_per_core / 3600


class Environment(Section):
    """What could change a bit of the result besides settings and data."""

    python: str
    system: str
    processor: str
    workers: int
    """Training processes."""
    hash_seed: str
    """A number, or `random`."""
    packages: dict[str, str]
    """Installed versions."""


class Made(Section):
    """One thing that a stage made."""

    stage: str
    name: str
    digest: str
    """SHA-256."""


class Provenance(Section):
    """Where the result came from, and everything that was made on the way, in order."""

    base: str
    """Folder that relative paths of sources start from."""
    sources: dict[str, str]
    """SHA-256 of every input file by its name."""
    environment: Environment
    made: tuple[Made, ...]


class RunReport(Section):
    """Everything the end of a run shows."""

    pipeline: str
    run_id: str
    """Of MLflow."""
    head: str = "classify"
    """Its kind."""
    goal: str
    """The metric that chooses."""
    direction: Literal["maximize", "minimize"] = "maximize"
    """Which way the goal is better."""
    corpus: dict[str, Any]
    """Counts of the cleaning and the split."""
    embedding: dict[str, Any]
    """Coverage, neighbours."""
    search: dict[str, Any]
    """Trials by state, the best value, the time."""
    chosen: dict[str, Any]
    """Hyperparameters by dotted name."""
    cross_validation: FoldScores
    holdout: Scores
    model: str
    version: str
    system: str = "network"
    """What was registered: the network, or a baseline that did better on the folds."""
    decision: Decision
    seconds: dict[str, float]
    """Wall time by stage."""
    out_of_scope: OutOfScope | None = None
    """None where no label stands for documents of no class."""
    explanation: Explanation | None = None
    """None where it was not asked for, or answers are no classes."""
    swaps: tuple[SwapEffect, ...] = ()
    variation: Variation | None = None
    """None where nothing was varied."""
    nested: NestedScores | None = None
    """None without `evaluation.nested`."""
    costs: Costs | None = None
    """None in reports of older versions."""
    provenance: Provenance | None = None
    """None in reports of older versions."""
    calibration: Calibration | None = None
    """None where outputs are no probabilities of classes."""
    abstention: Abstention | None = None
    """None where the model always answers."""
    slices: tuple[SliceScore, ...] = ()
    """Worst first."""
    errors: Errors | None = None
    """None where answers are no classes."""

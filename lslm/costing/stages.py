"""What each stage of the flow `train` takes: arithmetic on the rates of a calibration."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean

import numpy as np

from lslm import heads
from lslm.costing import drawing
from lslm.costing.assumed import UNPRUNED_TRIALS, Assumed, pruned_after
from lslm.costing.fixed import FIXED, START, TRIAL
from lslm.costing.networks import embedding_of, seconds_a_document, size
from lslm.costing.rates import Part, PartSize, Rates
from lslm.costing.scheduling import finish
from lslm.search import bounds
from lslm.settings import Settings
from lslm.training import workers


@dataclass(frozen=True)
class Work:
    """Processor seconds of all processes together, and wall time."""

    cpu: float = 0.0
    wall: float = 0.0

    @classmethod
    def alone(cls, seconds: float) -> "Work":
        """One process works, the others wait."""
        return cls(seconds, seconds)

    def __add__(self, other: "Work") -> "Work":
        """One after the other."""
        return Work(self.cpu + other.cpu, self.wall + other.wall)

    def times(self, factor: float) -> "Work":
        """All of it longer or shorter."""
        return Work(self.cpu * factor, self.wall * factor)


@dataclass(frozen=True)
class Costs:
    """A pipeline on this machine, under one view of what nobody can know."""

    settings: Settings
    rates: Rates
    assumed: Assumed

    def of(self, stage: str) -> Work:
        """Of one stage; LookupError for one that is not known here."""
        fixed = FIXED.get(stage, 0.0) * self.rates.python
        return (self.growing(stage) + Work.alone(fixed)).times(self.assumed.rate)

    def growing(self, stage: str) -> Work:
        """What of a stage grows with the corpus, by the rates as they are."""
        if stage not in _STAGES:
            raise LookupError(f"no cost is known of the stage {stage!r}")
        return _STAGES[stage](self)

    def start(self) -> Work:
        """Of loading libraries and starting Prefect's server, before the first stage."""
        return Work.alone(START * self.rates.python).times(self.assumed.rate)

    # How much there is.

    @property
    def processes(self) -> int:
        """Training processes that have the cores and the share of a GPU that they ask for."""
        execution = self.settings.execution
        room = workers.places(execution.cores, execution.gpus)
        return min(execution.workers or room, room)

    @cached_property
    def n_development(self) -> float:
        """Documents of the development set."""
        share = 0.0 if self.settings.corpus.holdout else self.settings.split.holdout
        return self.rates.parts["corpus"].n_kept * (1 - share)

    @cached_property
    def n_holdout(self) -> float:
        """Documents of the holdout."""
        if self.settings.corpus.holdout:
            return self.rates.parts["holdout"].n_kept
        return self.rates.parts["corpus"].n_kept * self.settings.split.holdout

    @property
    def outside(self) -> PartSize | None:
        """Text that pretrains vectors, where there is any and vectors are wanted."""
        wanted = self.settings.embedding.method != "none"
        return self.rates.parts.get("outside") if wanted else None

    @property
    def baselines(self) -> tuple[str, ...]:
        """Those that are fitted beside networks."""
        given = self.settings.evaluation.baselines
        return tuple(heads.get(self.settings.head.kind).baselines) if given is None else given

    # Parts and fits, in one process.

    def prepare(self, n_training: float, n_held: float) -> float:
        """Seconds to make a training part."""
        embedding, corpus = self.settings.embedding, self.rates.parts["corpus"]
        n_words = n_training * corpus.tokens
        seconds = self.rates.prepare.at(n_training + n_held)
        if embedding.method == "none":
            return seconds
        epochs = embedding.epochs if self.outside is None else embedding.adapt_epochs
        n_types = self._n_words(n_words)
        seconds += n_words * epochs * self.rates.words + n_types * self.rates.vectors
        pretraining = self.settings.pretraining
        epochs = pretraining.epochs if self.outside is None else pretraining.adapt_epochs
        return seconds + self.directions * self.reading(n_words, epochs)

    @property
    def directions(self) -> int:
        """Language models that start the first recurrent layer."""
        if not self.settings.pretraining.language_model:
            return 0
        return 1 + self.settings.encoder.bidirectional

    def reading(self, n_words: float, epochs: int) -> float:
        """Seconds of a language model of one direction."""
        return self.rates.reading.at(n_words * epochs)

    def _n_words(self, n_tokens: float) -> float:
        """Different words of a training part and of the text outside."""
        own = self._own_words(n_tokens)
        if self.outside is None:
            return own
        return max(own, self.outside.vocabulary(self.outside.n_kept * self.outside.tokens))

    def _own_words(self, n_tokens: float) -> float:
        """Different words of a training part."""
        return self.rates.parts["corpus"].vocabulary(n_tokens)

    def fit(self, document: float, n: float, epochs: float, n_answers: float) -> float:
        """Seconds to fit a network that takes `document` seconds a document, and to answer `n_answers`."""
        rate = self.rates.network
        seconds = rate.build + epochs * n * document
        if not n_answers:
            return seconds
        return seconds + rate.first_answer + n_answers * (rate.answer * document + rate.score)

    def baseline(self, name: str, n: float, n_answers: float) -> float:
        """Seconds to fit a baseline and ask it."""
        rate = self.rates.baselines[name]
        return rate.fit.at(n) + n_answers * rate.answer

    @cached_property
    def documents(self) -> list[float]:
        """Seconds a document of networks that the search may try, the settings' own first."""
        n_tokens = self.n_development * self.rates.parts["corpus"].tokens
        embedding = embedding_of(self.settings)
        # Words of the outside text are never predicted.
        predicts = heads.get(self.settings.head.kind).batching.in_streams
        n_words = self._own_words(n_tokens) if predicts else self._n_words(n_tokens)
        tried = [drawing.start(self.settings), *drawing.draws(self.settings)]
        return [
            seconds_a_document(self.rates.network, size(each, embedding, n_words)) for each in tried
        ]

    @property
    def document(self) -> float:
        """Seconds a document of the network that the search chooses."""
        if self.assumed.quantile is None:
            return float(np.mean(self.documents))
        return float(np.quantile(self.documents, self.assumed.quantile))

    @property
    def fold_epochs(self) -> list[float]:
        """Of each fold's network."""
        return [self.epochs * factor for factor in self.settings.fold_epochs]

    @property
    def epochs(self) -> float:
        """Of the final fit."""
        most = self.settings.training.epochs
        if not self.settings.search.n_trials:
            return most
        return max(1.0, most * self.assumed.best_epoch)

    @property
    def _trial_epochs(self) -> float:
        """Of a trial that is not pruned: `patience` after its best."""
        training = self.settings.training
        return min(training.epochs, training.epochs * self.assumed.best_epoch + training.patience)

    # Whole parts of the flow, which a nested cross-validation has several times.

    def search(self, n: float) -> Work:
        """A search on `n` documents, with its training parts."""
        search, shares = self.settings.search, self.settings.trial_shares
        if not search.n_trials:
            return Work()
        n_held = n * (search.validation if search.folds == 1 else self._held(search.folds))
        parts = [self.prepare(n * share, n_held) for share in shares]
        if self._bounded:
            parts.append(self.prepare(n, 0))
        _, prepared = finish(parts, self.processes)
        jobs = self._trials(n * fmean(shares), n_held)
        budget = np.inf if search.budget is None else search.budget
        done, end = finish(jobs, self.processes, budget)
        return Work(sum(parts), prepared) + Work(sum(done), end)

    @property
    def _bounded(self) -> bool:
        """Whether the search has goals beside quality: then nothing is pruned (`lslm.search.judge`)."""
        return bool(bounds.of(self.settings.search))

    @property
    def _measuring(self) -> float:
        """Seconds to put a model together and ask it before it is trained, where models are bounded."""
        if not self._bounded:
            return 0.0
        asked = min(_MEASURED, self.n_development) * self.rates.serve
        return self.rates.assemble + _PASSES * asked * self.settings.training.members

    def _trials(self, n: float, n_held: float) -> list[float]:
        """Seconds of each; where every other one is pruned, each is taken as half a pruned one."""
        search, epochs = self.settings.search, self._trial_epochs
        # What a pruner stops is a fit after an epoch or, where there are folds, a trial after a fold.
        whole = epochs if search.folds == 1 else float(search.folds)
        pruned = min(whole, pruned_after(search.pruner))
        share = 0.0 if search.pruner == "none" or self._bounded else self.assumed.pruned
        later = share * pruned + (1 - share) * whole
        found: list[float] = []
        for number in range(drawing.n_trials(self.settings)):
            steps = whole if number < UNPRUNED_TRIALS else later
            document = self.documents[0] if number == 0 else float(np.mean(self.documents))
            if search.folds == 1:
                fits = self.fit(document, n, steps, steps * n_held)
            else:
                fits = steps * self.fit(document, n, epochs, epochs * n_held)
            found.append(fits + self._measuring + TRIAL * self.rates.python)
        return found

    def folds(
        self, n: float, epochs: Sequence[float], members: int, baselines: tuple[str, ...]
    ) -> Work:
        """Cross-validation on `n` documents of baselines and of the chosen network; `epochs` are of each fold."""
        sizes = [n * share for share in self.settings.fold_shares]
        n_held = n * self._held(len(sizes))
        parts = [self.prepare(size, n_held) for size in sizes]
        folds = [
            members * self.fit(self.document, size, each, n_held)
            + sum(self.baseline(name, size, n_held) for name in baselines)
            for size, each in zip(sizes, epochs, strict=True)
        ]
        _, end = finish([*parts, *folds], self.processes)
        return Work(sum(parts) + sum(folds), end)

    def last_fold(self) -> tuple[float, float]:
        """Documents that the last fold trains on and holds back."""
        shares = self.settings.fold_shares
        return self.n_development * shares[-1], self.n_development * self._held(len(shares))

    def _held(self, n_folds: int) -> float:
        """The share of the documents that each of so many folds holds back; in time none has the first span."""
        return 1 / (n_folds + (self.settings.corpus.time is not None))


def _clean(costs: Costs) -> Work:
    parts = costs.rates.parts.values()
    n_characters = sum(part.documents * part.characters for part in parts)
    reading = sum(part.documents * part.read for part in parts)
    return Work.alone(reading + costs.rates.clean.at(n_characters))


def _split(costs: Costs) -> Work:
    return Work.alone(sum(p.n_kept for p in costs.rates.parts.values()) * costs.rates.split)


def _tokenize(costs: Costs) -> Work:
    known: dict[Part, float] = {"corpus": costs.n_development}
    if "outside" in costs.rates.parts:
        known["outside"] = costs.rates.parts["outside"].n_kept
    characters = sum(n * costs.rates.parts[part].cleaned for part, n in known.items())
    return Work.alone(characters * costs.rates.tokenize)


def _pretrain(costs: Costs) -> Work:
    outside, embedding = costs.outside, costs.settings.embedding
    if outside is None:
        return Work()
    n_words = outside.n_kept * outside.tokens
    passes = n_words * embedding.epochs * costs.rates.words_outside
    threads = min(embedding.workers or workers.available_cores(), workers.available_cores())
    table = Work.alone(outside.vocabulary(n_words) * costs.rates.vectors)
    return table + Work(passes, passes / threads)


def _pretrain_language_model(costs: Costs) -> Work:
    """A process a direction."""
    outside = costs.outside
    if outside is None or not costs.directions:
        return Work()
    n_words = outside.n_kept * outside.tokens
    each = costs.reading(n_words, costs.settings.pretraining.epochs)
    done, end = finish([each] * costs.directions, costs.processes)
    return Work(sum(done), end)


def _search(costs: Costs) -> Work:
    return costs.search(costs.n_development)


def _cross_validate(costs: Costs) -> Work:
    members = costs.settings.training.members
    return costs.folds(costs.n_development, costs.fold_epochs, members, costs.baselines)


def _nest(costs: Costs) -> Work:
    """A search on the training documents of each fold, one after the other, and a fit of what each chose."""
    evaluation, n = costs.settings.evaluation, costs.n_development
    if not evaluation.nested:
        return Work()
    searches = [costs.search(n * share) for share in costs.settings.fold_shares]
    epochs, members = [costs.epochs] * len(searches), costs.settings.training.members
    return sum(searches, costs.folds(n, epochs, members, ()))


def _vary(costs: Costs) -> Work:
    """On a part of the rows a network takes as many steps as on all of them."""
    asked = costs.settings.evaluation
    curve = asked.curve if heads.get(costs.settings.head.kind).yardstick is None else ()
    if not curve and asked.seeds < 2:
        return Work()
    n, held = costs.last_fold()
    single = costs.fit(costs.document, n, costs.fold_epochs[-1], held)
    parts = [costs.prepare(n * share, held) for share in curve]
    fits = [
        single + sum(costs.baseline(name, n * share, held) for name in costs.baselines)
        for share in curve
    ]
    # Alone, the network of the fold is known from the cross-validation.
    if costs.settings.training.members > 1:
        fits.append(single + sum(costs.baseline(name, n, held) for name in costs.baselines))
    jobs = [*parts, *fits, *[single] * (asked.seeds - 1)]
    _, end = finish(jobs, costs.processes)
    return Work(sum(jobs), end)


def _explain(costs: Costs) -> Work:
    explained = costs.settings.evaluation.explained
    if not explained or heads.get(costs.settings.head.kind).classes is None:
        return Work()
    n, held = costs.last_fold()
    rates = costs.rates
    fit = costs.fit(costs.document, n, costs.fold_epochs[-1], 0) + rates.network.save
    return Work.alone(fit + rates.assemble_one + min(explained, held) * rates.explain)


def _fit(costs: Costs) -> Work:
    n, members = costs.n_development, costs.settings.training.members
    one = costs.fit(costs.document, n, costs.epochs, 0) + costs.rates.network.save
    _, end = finish([one] * members, costs.processes)
    around = Work.alone(costs.prepare(n, 0) + costs.rates.assemble)
    return around + Work(one * members, end)


def _evaluate(costs: Costs) -> Work:
    served = costs.n_holdout * costs.rates.serve * costs.settings.training.members
    asked = sum(
        costs.baseline(name, costs.n_development, costs.n_holdout) for name in costs.baselines
    )
    return Work.alone(served + asked)


def _swap(costs: Costs) -> Work:
    """Texts that hold a word are asked about twice: at most all of them, for each ordered pair."""
    pairs = sum(len(words) * (len(words) - 1) for words in costs.settings.evaluation.swaps)
    texts = costs.n_holdout * _HOLDING * 2
    return Work.alone(pairs * texts * costs.rates.serve * costs.settings.training.members)


_MEASURED, _PASSES = 200, 5
"""Documents that a bounded model is asked about, and how often (`lslm.serving.measuring`)."""
_HOLDING = 0.1
"""Share of the texts that is taken to hold a word of `evaluation.swaps`."""


def _register(costs: Costs) -> Work:
    n_systems = 1 + len(costs.baselines)
    n = costs.n_development + costs.n_holdout
    return Work.alone(costs.rates.report.at(n * n_systems))


def _nothing(costs: Costs) -> Work:
    return Work()


def _tell_apart(costs: Costs) -> Work:
    if costs.settings.split.out_of_scope is None or costs.settings.split.train_out_of_scope:
        return Work()
    return Work.alone(costs.n_development * costs.rates.serve)


_STAGES: dict[str, Callable[[Costs], Work]] = {
    "clean": _clean,
    "split": _split,
    "tokenize": _tokenize,
    "pretrain": _pretrain,
    "pretrain-language-model": _pretrain_language_model,
    "search": _search,
    "cross-validate": _cross_validate,
    "nest": _nest,
    "vary": _vary,
    "explain-answers": _explain,
    "fit": _fit,
    "calibrate": _nothing,
    "put-forward": _nothing,
    "tell-apart": _tell_apart,
    "evaluate": _evaluate,
    "swap-words": _swap,
    "register": _register,
}
STAGES = tuple(_STAGES)
"""Names of the stages that a cost is known of."""

"""Sentences a second and peak memory of a summary, for documents of 100, 1,000 and 10,000 sentences.

Ours against LexRank and TextRank of sumy, each in a process of its own, interleaved:

    python benchmarks/documents.py MODEL_FOLDER --rounds 3 --limit 300

MODEL_FOLDER is a model folder of the head `summarize`, such as `lslm run` leaves below `mlartifacts` of
its workspace. The documents are sentences of random words. A system that takes longer than the limit
is stopped and shown so.
"""

import argparse
import json
import multiprocessing
import random
import resource
import statistics
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

SIZES = (100, 1_000, 10_000)
WORDS = [f"{a}{b}{c}" for a in "bdfgk" for b in "aeiou" for c in "lmnrst"]
N_CHOSEN = 3


def main() -> None:
    """Run every system on every size, interleaved, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit", type=float, default=300.0)
    asked = parser.parse_args()
    slow: set[str] = set()
    print(f"{'sentences':>10}  {'system':10} {'seconds':>9} {'sentences/s':>12} {'peak MB':>8}")
    for size in SIZES:
        text = document(size)
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in SYSTEMS}
        for _ in range(asked.rounds):
            for name in SYSTEMS:
                if name in slow:
                    continue
                measured = timed(name, asked.model, text, asked.limit)
                if measured is None:
                    slow.add(name)
                else:
                    found[name].append(measured)
        for name, values in found.items():
            if not values:
                print(f"{size:>10}  {name:10} {f'over {asked.limit:.0f}':>9}")
                continue
            seconds = statistics.median(s for s, _ in values)
            peak = max(mb for _, mb in values)
            print(f"{size:>10}  {name:10} {seconds:>9.2f} {size / seconds:>12.0f} {peak:>8.0f}")
        sys.stdout.flush()


def document(n_sentences: int) -> str:
    """Sentences of 8 to 24 random words."""
    drawn = random.Random(n_sentences)
    sentences = [" ".join(drawn.choices(WORDS, k=drawn.randint(8, 24))) for _ in range(n_sentences)]
    return " ".join(f"{sentence.capitalize()}." for sentence in sentences)


def timed(name: str, model: Path, text: str, limit: float) -> tuple[float, float] | None:
    """Seconds of one summary, loading left out, and the process's peak memory; None past the limit."""
    context = multiprocessing.get_context("spawn")
    near, far = context.Pipe()
    process = context.Process(target=_measured, args=(name, model, text, far))
    process.start()
    answer = json.loads(near.recv()) if near.poll(limit + 60) else None
    process.kill()
    process.join()
    return tuple(answer) if answer and answer[0] <= limit else None


def _measured(name: str, model: Path, text: str, line: Connection) -> None:
    summarize = SYSTEMS[name](model)
    summarize("One short sentence. And another one.")
    began = time.perf_counter()
    summarize(text)
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    line.send(json.dumps([seconds, peak]))


def ours(model: Path) -> Callable[[str], object]:
    """The served model."""
    from lslm.heads.summarize.options import Length
    from lslm.serving.predictor import Predictor
    from lslm.serving.summarizing import summarize

    predictor = Predictor.load(model)
    return lambda text: summarize(predictor, text, Length(n_sentences=N_CHOSEN))


def lexrank(model: Path) -> Callable[[str], object]:
    """LexRank of sumy, by its own parser and stemmer."""
    from sumy.summarizers.lex_rank import LexRankSummarizer

    return _of_sumy(LexRankSummarizer)


def textrank(model: Path) -> Callable[[str], object]:
    """TextRank of sumy, by its own parser and stemmer."""
    from sumy.summarizers.text_rank import TextRankSummarizer

    return _of_sumy(TextRankSummarizer)


def _of_sumy(kind: type) -> Callable[[str], object]:
    from sumy.models.dom import ObjectDocumentModel, Paragraph, Sentence
    from sumy.nlp.stemmers import Stemmer

    summarizer = kind(Stemmer("english"))

    class Spaces:
        """sumy's own tokenizer wants data that it downloads; spaces are faster and do for these words."""

        def to_words(self, sentence: str) -> list[str]:
            return sentence.rstrip(".").split()

    def summarize(text: str) -> object:
        sentences = [Sentence(each, Spaces()) for each in text.split(". ")]
        return summarizer(ObjectDocumentModel([Paragraph(sentences)]), N_CHOSEN)

    return summarize


SYSTEMS: dict[str, Callable[[Path], Callable[[str], object]]] = {
    "lslm": ours,
    "lexrank": lexrank,
    "textrank": textrank,
}


if __name__ == "__main__":
    main()

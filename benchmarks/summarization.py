"""Our row beside the baselines and the published numbers on SciTLDR-A, with its own fixed split.

Run it with the folder that holds `train.jsonl`, `dev.jsonl` and `test.jsonl` as their authors published
them:

    python benchmarks/summarization.py DATA --workspace .lslm-benchmarks

One ordinary `lslm run`: the training part is the development set, the test part the holdout, scored
once. Nothing is pretrained outside; word vectors come from the training abstracts. The settings were
chosen on the development part (docs/log.md), never on the test part. All ROUGE are F, stemmed, of the
reference with the best ROUGE-1 (Cachola et al. 2020).
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

PUBLISHED = {
    "lead-1": (31.3, 11.4, 24.1),
    "LexRank-1": (33.1, 11.7, 25.0),
    "TextRank-1": (32.3, 9.7, 23.1),
    "PACSUM": (19.3, 4.0, 15.1),
    "BERTSumExt": (38.5, 16.6, 30.5),
    "MatchSum": (42.7, 20.0, 34.0),
    "oracle-1": (49.3, 26.1, 40.0),
}
SETTINGS: dict[str, Any] = {
    "name": "benchmark-scitldr",
    "head": {"kind": "summarize", "options": {"n_sentences": 1, "split": "lines"}},
    "embedding": {"size": 100, "epochs": 15, "adapt_epochs": 15},
    "encoder": {"units": 64},
    "training": {"batch_size": 16, "learning_rate": 0.002, "epochs": 5, "members": 5},
    "search": {"n_trials": 0},
    "evaluation": {"folds": 2, "curve": [], "seeds": 1, "resamples": 10_000},
}
METRICS = ("rouge1", "rouge2", "rougeL")


def main() -> None:
    """Run it and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--workspace", type=Path, default=Path(".lslm-benchmarks"))
    arguments = parser.parse_args()
    report = run(arguments.data.absolute(), arguments.workspace.absolute())
    print(f"{'system':24}" + "".join(f"{metric:>22}" for metric in METRICS))
    for system, metrics in report["holdout"]["systems"].items():
        cells = "".join(f"{told(metrics[metric]):>22}" for metric in METRICS)
        print(f"{system:24}{cells}")
    for system, values in PUBLISHED.items():
        print(f"{'published ' + system:24}" + "".join(f"{f'{v:.1f}':>22}" for v in values))
    n = report["holdout"]["systems"]["network"]["rouge1"]["n"]
    print(f"n = {n}, {sum(report['seconds'].values()):.0f} s", flush=True)


def told(score: dict[str, float]) -> str:
    """A score in hundredths with its interval."""
    value, low, high = (100 * score[name] for name in ("value", "low", "high"))
    return f"{value:.1f} ({low:.1f} to {high:.1f})"


def run(data: Path, workspace: Path) -> dict[str, Any]:
    """One `lslm run`, as a person would; returns its report."""
    settings = {
        **SETTINGS,
        "corpus": {
            "text": "source",
            "columns": {"summary": "target"},
            "sources": [{"path": str(data / "train.jsonl")}],
            "holdout": [{"path": str(data / "test.jsonl")}],
        },
    }
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "scitldr.yaml"
        file.write_text(json.dumps(settings), encoding="utf-8")
        command = [sys.executable, "-m", "lslm", "run", str(file), "--json"]
        done = subprocess.run(
            [*command, "--workspace", str(workspace)], check=True, stdout=subprocess.PIPE
        )
    return json.loads(done.stdout)


if __name__ == "__main__":
    main()

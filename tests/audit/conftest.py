"""A finished pipeline without its networks: everything that is fitted before them, by the library."""

import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from lslm import heads
from lslm.audit.evidence import Evidence, FittedPart, rows_of
from lslm.cleaning import chain
from lslm.corpus import splitting
from lslm.embeddings import word2vec
from lslm.evaluation import answers
from lslm.evaluation.answers import Answers
from lslm.evaluation.calibration import temperature
from lslm.serving import model_folder
from lslm.serving.model_folder import Description
from lslm.settings import Hyperparameters, Settings
from lslm.text import store
from lslm.text.store import Tokens
from lslm.training.parts import Part, prepare
from lslm.workspace import Handle, digest, size

WORDS = {"pos": ("good", "fine", "lovely"), "neg": ("bad", "poor", "awful")}
SETTINGS = {
    "name": "toy",
    "corpus": {"sources": [{"path": "films.csv"}], "outside": [{"path": "outside.txt"}]},
    "split": {"holdout": 0.2},
    "embedding": {"size": 8, "min_count": 1, "epochs": 1, "adapt_epochs": 1},
    "evaluation": {"folds": 2},
}


def write_data(folder: Path) -> Settings:
    """120 films with names of their own, and 30 lines from elsewhere."""
    lines = ["text,label"]
    for i in range(120):
        label = "pos" if i % 2 else "neg"
        word = WORDS[label][i % 3]
        lines.append(
            f'"A {word} film named name{i}, number {i * 7} of the year {1900 + i}.",{label}'
        )
    (folder / "films.csv").write_text("\n".join(lines))
    outside = [f"a far place{i} with the good number {i * 3} of film words" for i in range(30)]
    (folder / "outside.txt").write_text("\n".join(outside))
    return Settings.model_validate(SETTINGS)


def make(root: Path) -> None:
    """Clean, split, tokenize, pretrain, prepare; then answers and a model folder without networks."""
    settings = write_data(root)
    chain.clean(settings, root, root / "cleaned")
    splitting.split(root / "cleaned", settings, root)
    for name in ("development", "outside"):
        store.write(root / f"{name}.parquet", settings.text, root / f"{name}-tokens")
    outside = Tokens(root / "outside-tokens")
    learned = word2vec.pretrain(outside, np.arange(30), settings.embedding, workers=1)
    learned.save(root / "vectors")
    development = pl.read_parquet(root / "development.parquet")
    for name, (training, validation) in rows_of(settings, development).items():
        fit_part(root, name, training, validation)
    for name in ("fold 1", "fold 2"):
        part = Part(root / name)
        sure = np.where(np.eye(len(part.targets["labels"]))[part.validation.targets], 0.8, 0.2)
        sure[::3] = 1 - sure[::3]
        outputs = {"network": sure / sure.sum(axis=1, keepdims=True)}
        given = Answers(part.validation.targets, outputs, part.targets, part.report)
        answers.save(root / "answers" / name, given)
    write_model(root, Part(root / "final"), development["fingerprint"].to_numpy())


def fit_part(root: Path, name: str, training, validation, into: str | None = None) -> Path:
    settings = Settings.model_validate(SETTINGS)
    return prepare(
        root / "development.parquet",
        root / "development-tokens",
        (training, validation),
        root / "vectors",
        settings.embedding,
        settings.head,
        root / (into or name),
    )


def write_model(root: Path, part: Part, seen) -> None:
    folder, settings = root / "model", Settings.model_validate(SETTINGS)
    folder.mkdir()
    description = Description(
        lslm="0",
        name="toy",
        head=settings.head,
        targets=part.targets,
        text=settings.text,
        cleaning=settings.cleaning,
        hyperparameters=Hyperparameters(),
        temperature=temperature(
            heads.get("classify"), [answers.load(each) for each in (root / "answers").iterdir()]
        ),
    )
    (folder / model_folder.DESCRIPTION).write_text(description.model_dump_json())
    part.vocabulary.save(folder / model_folder.VOCABULARY)
    np.save(folder / model_folder.SEEN, np.sort(seen))
    model_folder.write_manifest(folder)


def evidence_of(root: Path) -> Evidence:
    """The evidence that lies in a folder."""
    settings = Settings.model_validate(SETTINGS)
    rows = rows_of(settings, pl.read_parquet(root / "development.parquet"))
    return Evidence(
        settings=settings,
        development=root / "development.parquet",
        holdout=root / "holdout.parquet",
        outside=root / "outside.parquet",
        tokens=root / "development-tokens",
        vectors=root / "vectors",
        parts=tuple(FittedPart(name, root / name, *sides) for name, sides in rows.items()),
        answers=(root / "answers" / "fold 1", root / "answers" / "fold 2"),
        model=root / "model",
        handles=tuple(
            Handle(path=path, digest=digest(path), size=size(path))
            for path in sorted(root.glob("*.parquet"))
        ),
    )


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("finished")
    make(root)
    return root


@pytest.fixture
def root(finished: Path, tmp_path: Path) -> Path:
    """A copy to plant leaks in."""
    return Path(shutil.copytree(finished, tmp_path / "copy"))

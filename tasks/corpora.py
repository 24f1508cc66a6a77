"""Stages that make the corpus: clean, split, tokenize."""

import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from lslm import heads
from lslm.cleaning import chain
from lslm.corpus import sources, splitting
from lslm.evaluation.markdown import cleaning_text, parts_table
from lslm.settings import (
    CleaningSettings,
    CorpusSettings,
    HeadSettings,
    SplitSettings,
    TextSettings,
)
from lslm.text import store
from lslm.text.sentences import Sentences
from lslm.workspace import Handle
from tasks.stage import Pages, Run, stage


class Parts(BaseModel):
    """The corpus, cut. Each is a Parquet file of cleaned documents."""

    model_config = ConfigDict(frozen=True)

    development: Handle
    holdout: Handle
    outside: Handle | None
    report: Handle
    out_of_scope: Handle | None = None
    """Documents of no class, from the development set's side; None where they are learned, or none are."""
    out_of_scope_holdout: Handle | None = None


class TokenStores(BaseModel):
    """Tokens of the parts that networks or vectors learn from."""

    model_config = ConfigDict(frozen=True)

    development: Handle
    outside: Handle | None


def fingerprints(run: Run) -> dict[str, str]:
    """Digests of every file the corpus is read from; not a stage, since it is what keys are made of."""
    return sources.fingerprints(run.settings.corpus, run.base, run.workspace)


def _cleaning_pages(corpus: Handle) -> Pages:
    report = json.loads((corpus.path / "report.json").read_text("utf-8"))
    return {"cleaning": f"# Cleaning\n\n{cleaning_text(report)}"}


def _parts_pages(parts: Parts) -> Pages:
    report = json.loads(parts.report.path.read_text("utf-8"))
    return {"split": f"# Split\n\n{parts_table(report)}"}


@stage("Clean", modules=("lslm.cleaning.chain",), pages=_cleaning_pages)
def clean(
    run: Run,
    files: dict[str, str],
    corpus: CorpusSettings,
    cleaning: CleaningSettings,
    needs_label: bool,
    extras: tuple[str, ...],
) -> Handle:
    """Read, clean and group the documents."""
    with run.workspace.scratch() as folder:
        chain.clean(
            run.settings, run.base, folder / "corpus", needs_label=needs_label, extras=extras
        )
        return run.workspace.add(folder / "corpus")


@stage("Split", modules=("lslm.corpus.splitting",), pages=_parts_pages)
def split(
    run: Run, corpus: Handle, cut: SplitSettings, n_folds: int, needs_label: bool, blocked: bool
) -> Parts:
    """Cut the holdout off before anything is fitted."""
    with run.workspace.scratch() as folder:
        into = folder / "parts"
        splitting.split(corpus.path, run.settings, into, needs_label=needs_label, blocked=blocked)
        return Parts(
            development=run.workspace.add(into / "development.parquet"),
            holdout=run.workspace.add(into / "holdout.parquet"),
            outside=_unless_empty(run, into / "outside.parquet"),
            report=run.workspace.add(into / "split.json"),
            out_of_scope=_unless_empty(run, into / "out-of-scope.parquet"),
            out_of_scope_holdout=_unless_empty(run, into / "out-of-scope-holdout.parquet"),
        )


def _tokens_pages(tokens: TokenStores) -> Pages:
    known = {"development": tokens.development, "outside": tokens.outside}
    rows = [
        f"| {name} | {len(store.Tokens(handle.path)):,} | {handle.size / 1e6:.1f} |"
        for name, handle in known.items()
        if handle
    ]
    return {
        "tokens": "\n".join(
            ["# Tokens\n", "| part | documents | MB |", "| --- | --- | --- |", *rows]
        )
    }


@stage("Tokenize", modules=("lslm.text.store", "lslm.heads"), pages=_tokens_pages)
def tokenize(
    run: Run, development: Handle, outside: Handle | None, text: TextSettings, head: HeadSettings
) -> TokenStores:
    """Tokenize once what is read many times."""
    sentences = heads.get(head.kind).batching.sentences(heads.options(head))
    return TokenStores(
        development=_tokenized(run, development, text, sentences),
        outside=_tokenized(run, outside, text, sentences) if outside else None,
    )


def _tokenized(
    run: Run, documents: Handle, text: TextSettings, sentences: Sentences | None
) -> Handle:
    with run.workspace.scratch() as folder:
        store.write(documents.path, text, folder / "tokens", sentences)
        return run.workspace.add(folder / "tokens")


def _unless_empty(run: Run, path: Path) -> Handle | None:
    return run.workspace.add(path) if _n_documents(path) else None


def _n_documents(path: Path) -> int:
    from pyarrow import parquet

    return parquet.ParquetFile(path).metadata.num_rows if path.exists() else 0

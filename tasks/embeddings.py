"""The stage that learns word vectors from text outside the corpus."""

import numpy as np

from lslm.embeddings.vectors import WordVectors
from lslm.evaluation.markdown import neighbours_table
from lslm.settings import EmbeddingSettings
from lslm.training.workers import available_cores
from lslm.workspace import Handle
from tasks.stage import Pages, Run, stage


def _pages(vectors: Handle | None) -> Pages:
    if vectors is None:
        return {"words": "# Word vectors\n\nNone: there is no text from outside the corpus."}
    known = WordVectors.load(vectors.path)
    table = neighbours_table(known.glance())
    return {"words": f"# Word vectors\n\n{len(known.words):,} words. Nearest words:\n\n{table}"}


@stage("Pretrain word vectors", modules=("lslm.embeddings.word2vec",), pages=_pages)
def pretrain(run: Run, outside: Handle | None, embedding: EmbeddingSettings) -> Handle | None:
    """Vectors of the outside text; None where there is none, or none are wanted.

    Each training part goes on from these with its own text (see `lslm.training.parts`).
    """
    if outside is None or embedding.method == "none":
        return None
    from lslm.embeddings import word2vec
    from lslm.text.store import Tokens

    tokens = Tokens(outside.path)
    vectors = word2vec.pretrain(
        tokens,
        np.arange(len(tokens)),
        embedding,
        workers=embedding.workers or available_cores(),
    )
    with run.workspace.scratch() as folder:
        vectors.save(folder / "vectors")
        return run.workspace.add(folder / "vectors")

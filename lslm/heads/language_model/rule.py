"""How texts become tokens to predict, the same for the network and for every baseline."""

from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

from lslm.heads.contract import Targets
from lslm.heads.language_model.options import Options
from lslm.settings import TextSettings
from lslm.text.pieces import Cutter, cutter, in_pieces
from lslm.text.sentences import Sentences, splitter
from lslm.text.tokenizers import Tokenizer, marked, tokenizer
from lslm.text.vocabulary import MARK, SPECIAL, Vocabulary

LINES: Sentences = splitter("lines", "en")
"""Lines that are not empty."""


def tokens_of(targets: Targets) -> Tokenizer:
    """From a document to its tokens, with `<s>` between lines.

    One more `<s>` ends the document; it is predicted too, and stands for the start as well.
    """
    options = Options.model_validate(targets["options"])
    return in_pieces(words_of(options), cutting(targets))


def words_of(options: Options) -> Tokenizer:
    """From a document to its words, with `<s>` between lines."""
    text = TextSettings(tokenizer=options.tokenizer, lowercase=options.lowercase)
    return marked(tokenizer(text), LINES)


def cutting(targets: Targets) -> Cutter | None:
    """How words are cut into the pieces that were learned; None where they stay whole."""
    return _kept(tuple(targets["pieces"])) if "pieces" in targets else None


_kept = lru_cache(maxsize=4)(cutter)
"""A served model asks at each call, and a cutter remembers the words that it has cut."""


def known(targets: Targets) -> tuple[str, ...]:
    """The pieces that were learned, all of them: each may have to spell a new word."""
    return tuple(targets.get("pieces", ()))


def vocabulary_of(documents: Iterable[list[str]], targets: Targets) -> Vocabulary:
    """Tokens that stand `min_count` times or more in the documents, and all pieces, as networks know them."""
    min_count = Options.model_validate(targets["options"]).min_count
    counts = Counter[str]()
    for tokens in documents:
        counts.update(tokens)
    frequent = [token for token, n in counts.most_common() if n >= min_count]
    return Vocabulary((*SPECIAL, *dict.fromkeys([*frequent, MARK, *known(targets)])))

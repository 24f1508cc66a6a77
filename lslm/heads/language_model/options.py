"""What the head's user sets."""

from typing import Annotated, Literal

from pydantic import Field, PositiveInt, model_validator

from lslm.settings import EmbeddingSettings, Section, Share, TextSettings

_TEXT, _EMBEDDING = TextSettings(), EmbeddingSettings()
Weight = Annotated[float, Field(ge=0)]


class Options(Section):
    """Settings of the head `language-model`."""

    tokenizer: Literal["words", "characters", "all-characters", "chinese"] = _TEXT.tokenizer
    """Taken from `text.tokenizer`; baselines need it as well."""
    lowercase: bool = _TEXT.lowercase
    """Taken from `text.lowercase`."""
    min_count: PositiveInt = _EMBEDDING.min_count
    """Taken from `embedding.min_count`: rarer tokens are predicted as the unknown one, unless they are pieces."""
    subwords: Annotated[int, Field(ge=0)] = 0
    """Pieces that words are cut into, learned from each training part (Sennrich et al. 2016): new words can then
    be predicted, from a small vocabulary. For the tokenizer `words`. 0 leaves them whole."""
    steps: Annotated[int, Field(ge=2)] = 70
    """Tokens that a training step looks at in each row, give or take some: gradients go no further back,
    the state does (truncated backpropagation). Can be searched."""
    weight_dropout: Share = 0.0
    """Share of the recurrent weights that a training step does without (Merity et al. 2018, section 2).
    Can be searched."""
    activation: Weight = 0.0
    """Weight of the mean square of the last layer's outputs in the loss (Merity et al. 2018, section 4.7;
    2 there). Can be searched."""
    temporal: Weight = 0.0
    """Weight of the mean square of what the last layer's outputs change by from step to step (the same
    section; 1 there). Can be searched."""
    sampled_words: Annotated[int, Field(ge=0)] = 0
    """In training, compare the right token with this many others rather than with all, half of them the
    most frequent, half drawn (Bengio & Senecal 2003): for vocabularies of many tens of thousands. 0 takes
    all."""
    order: Annotated[int, Field(ge=1, le=5)] = 3
    """Of the n-gram baseline: tokens of its n-grams."""

    @model_validator(mode="after")
    def _check_subwords(self) -> "Options":
        if self.subwords and self.tokenizer != "words":
            raise ValueError("subwords are pieces of words: they need text.tokenizer: words")
        return self

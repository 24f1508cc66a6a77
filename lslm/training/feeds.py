"""What a fit is fed with, as the head has it: documents in batches, or one behind another."""

from typing import Any

from lslm.heads.contract import Head
from lslm.settings import Hyperparameters
from lslm.training.batches import Batches
from lslm.training.parts import Part
from lslm.training.streams import Streams


def of(part: Part, head: Head, hyperparameters: Hyperparameters, seed: int) -> Batches | Streams:
    """Training batches of a part, in a new order each epoch, the same for the same seed."""
    training, batching, mark = hyperparameters.training, head.batching, part.vocabulary.mark
    if batching.in_streams:
        steps: Any = head.options.model_validate(hyperparameters.head).model_dump()["steps"]
        return Streams(part.training, batching, mark, training.batch_size, steps, seed)
    return Batches(part.training, batching, mark, training.batch_size, training.max_tokens, seed)

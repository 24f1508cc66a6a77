"""The language model of `lslm` in PyTorch, layer by layer, to be timed beside it.

Tied words, LSTMs with dropped recurrent weights and a carried state, variational dropout, and a softmax
over the right token, the most frequent ones and drawn ones. `torch` is needed for benchmarks only.
"""

import math
from typing import Any

import torch
from torch import nn
from torch.nn import functional

_NEVER = -1e9


class LanguageModel(nn.Module):
    """Mean nats a token, from tokens `(rows, time)` and where one counts, `(rows, time - 1)`."""

    def __init__(self, chosen: dict[str, Any], n_words: int) -> None:
        super().__init__()
        self.chosen, self.n_words = chosen, n_words
        size, units = chosen["size"], chosen["encoder.units"]
        self.table = nn.Embedding(n_words, size)
        nn.init.uniform_(self.table.weight, -0.1, 0.1)
        sizes = [size, *[units] * (chosen["encoder.layers"] - 1)]
        self.memories = nn.ModuleList(nn.LSTM(each, units, batch_first=True) for each in sizes)
        self.projection = nn.Linear(units, size, bias=False) if units != size else nn.Identity()
        self.bias = nn.Parameter(torch.zeros(n_words))
        rows = chosen["training.batch_size"]
        self.kept = [(torch.zeros(1, rows, units), torch.zeros(1, rows, units)) for _ in sizes]

    def forward(self, tokens: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
        """The loss of a batch, whose last token is only predicted."""
        chosen = self.chosen
        read, wanted = tokens[:, :-1], tokens[:, 1:]
        states = self._dropped_words(self.table(read), read, chosen["encoder.embedding_dropout"])
        states = _dropped_units(states, chosen["encoder.spatial_dropout"])
        for place, memory in enumerate(self.memories):
            weights = [
                memory.weight_ih_l0,
                functional.dropout(memory.weight_hh_l0, chosen["head.weight_dropout"]),
                memory.bias_ih_l0,
                memory.bias_hh_l0,
            ]
            states, *state = torch.lstm(
                states, self.kept[place], weights, True, 1, 0.0, True, False, True
            )
            self.kept[place] = (state[0].detach().float(), state[1].detach().float())
            last = place == len(self.memories) - 1
            rate = chosen["encoder.head_dropout" if last else "encoder.recurrent_dropout"]
            states = _dropped_units(states, rate)
        costs = self._costs(self.projection(states).flatten(0, 1), wanted.flatten())
        return (costs * counts.flatten()).sum() / counts.sum()

    def _dropped_words(
        self, vectors: torch.Tensor, tokens: torch.Tensor, rate: float
    ) -> torch.Tensor:
        kept = torch.rand(len(tokens), 1024).gather(1, tokens % 1024) >= rate
        return vectors * (kept.float() / (1 - rate))[..., None]

    def _costs(self, said: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
        n_sampled = self.chosen["head.sampled_words"]
        if not n_sampled:
            return functional.cross_entropy(
                functional.linear(said, self.table.weight, self.bias), right, reduction="none"
            )
        n_frequent = n_sampled // 2
        n_drawn, first = n_sampled - n_frequent, n_frequent + 1
        frequent = functional.linear(said, self.table.weight[1:first], self.bias[1:first])
        every = torch.logsumexp(frequent, dim=1)
        own = (said * self.table(right)).sum(-1) + self.bias[right]
        span = math.log(self.n_words / first)
        drawn = (first * torch.exp(torch.rand(n_drawn) * span)).long().clamp(max=self.n_words - 1)
        often = n_drawn * torch.log1p(1 / drawn) / span
        logits = functional.linear(said, self.table(drawn), self.bias[drawn] - torch.log(often))
        others = logits.masked_fill(right[:, None] == drawn[None], _NEVER)
        every = torch.logaddexp(every, torch.logsumexp(others, dim=1))
        return torch.where(right < first, every, torch.logaddexp(every, own)) - own


def _dropped_units(states: torch.Tensor, rate: float) -> torch.Tensor:
    """The same units at every step."""
    mask = functional.dropout(torch.ones(len(states), 1, states.shape[-1]), rate)
    return states * mask

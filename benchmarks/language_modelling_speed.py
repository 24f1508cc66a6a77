"""Tokens a second of training a language model, ours and the same model in PyTorch, by turns.

`benchmarks.language_modelling` calls this. Each turn is a process of its own, since TensorFlow reads the number of
threads when it is imported. PyTorch runs in float32 and under `torch.autocast` to bfloat16; its faster one counts.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lslm.training import allocation, workers

OURS, TORCH, TORCH_16 = SYSTEMS = ("lslm", "torch", "torch bfloat16")
THREADS = (1, 2)
STEPS = 6
CEILING = 600


def compare(data: Path, chosen: dict[str, Any], rounds: int) -> None:
    """Print the medians, and the ratio at the best number of threads of each."""
    found = defaultdict[tuple[str, int], list[float]](list)
    for _ in range(rounds):
        for system in SYSTEMS:
            for threads in THREADS:
                found[system, threads].append(turn(data, chosen, system, threads))
    medians = {key: statistics.median(speeds) for key, speeds in found.items()}
    for (system, threads), speed in medians.items():
        all_of = ", ".join(f"{each:,.0f}" for each in found[system, threads])
        print(f"{system:14} {threads} threads  {speed:8,.0f} tokens/s  ({all_of})")
    best = {system: max(medians[system, each] for each in THREADS) for system in SYSTEMS}
    ratio = best[OURS] / max(best[TORCH], best[TORCH_16])
    precision = chosen["training.precision"]
    print(f"each at its best, ours in {precision}: {ratio:.2f} times torch", flush=True)


def turn(data: Path, chosen: dict[str, Any], system: str, threads: int) -> float:
    """Tokens a second, in a process of its own."""
    environment = os.environ | dict.fromkeys(workers.THREADS, str(threads))
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "benchmarks.language_modelling_speed",
            data,
            system,
            json.dumps(chosen),
        ],
        env=environment,
        capture_output=True,
        text=True,
        timeout=CEILING,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{system}: {done.stderr.strip().splitlines()[-1]}")
    return float(done.stdout.splitlines()[-1])


def main() -> None:
    """Time one system."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("system", choices=SYSTEMS)
    parser.add_argument("chosen", type=json.loads)
    asked = parser.parse_args()
    # Of use to both.
    allocation.keep_freed_memory()

    from benchmarks.wikitext import TRAINING, ids_of, streams_of, vocabulary_of, words_of

    words = words_of(asked.data, TRAINING)
    known = vocabulary_of(words)
    streams = streams_of(asked.chosen, ids_of(known, words), known.mark)
    if asked.system == OURS:
        step = ours(asked.chosen, len(known))
    else:
        step = theirs(asked.chosen, len(known), narrow=asked.system == TORCH_16)
    for place in range(2):
        step(*streams[place])
    began, n_tokens = time.perf_counter(), 0
    for place in range(2, 2 + STEPS):
        tokens, counts = streams[place]
        step(tokens, counts)
        n_tokens += int(counts.sum())
    print(n_tokens / (time.perf_counter() - began))


Step = Callable[[Any, Any], object]


def ours(chosen: dict[str, Any], n_words: int) -> Step:
    """A step of the head's network."""
    from benchmarks.wikitext import compiled, network_of

    network = network_of(chosen, n_words)
    compiled(network, chosen, n_steps=100)
    return network.train_on_batch


def theirs(chosen: dict[str, Any], n_words: int, narrow: bool) -> Step:
    """A step of the same network in PyTorch; products are of 16 bits where it is `narrow`."""
    import torch

    from benchmarks.torch_language_model import LanguageModel

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    network = LanguageModel(chosen, n_words)
    optimizer = torch.optim.AdamW(
        network.parameters(), chosen["training.learning_rate"], weight_decay=0.0, fused=True
    )

    def step(tokens: Any, counts: Any) -> object:
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=narrow):
            loss = network(torch.as_tensor(tokens).long(), torch.as_tensor(counts))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), chosen["training.clip_norm"])
        optimizer.step()
        return loss.item()

    return step


if __name__ == "__main__":
    main()

"""Makes one run of several: its network has the mean of their weights (Wortsman et al., ICML 2022, "model soups").

For trainings of which each was begun from another, or all from the same start (`finetune`): such a mean is often better
than any of them, and costs no more to run. Compare them with `evaluate` on the validation part.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from .checkpoint import read_checkpoint
from .errors import InputError


def average_runs(runs: list[Path], output: Path) -> None:
    """Writes the mean of the runs' running averages as the checkpoint of a run folder of its own.

    @raises InputError if a run has no checkpoint, or if they are not of one network
    """
    mean = mean_of([read_checkpoint(run / "checkpoint.pt")["average"] for run in runs])
    output.mkdir(parents=True, exist_ok=True)
    torch.save({"average": mean}, output / "checkpoint.pt")


def mean_of(states: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Of weights and batch-norm statistics; what is counted in whole numbers is the first's.

    @raises InputError if they are not of one network
    """
    first, *others = states
    for other in others:
        if {name: value.shape for name, value in other.items()} != {n: v.shape for n, v in first.items()}:
            raise InputError("the runs are of different networks", "name runs that have the same layers")
    return {
        name: torch.stack([state[name] for state in states]).mean(0) if value.dtype.is_floating_point else value
        for name, value in first.items()
    }

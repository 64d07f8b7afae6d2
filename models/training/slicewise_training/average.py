"""Makes one run of several: its network has the mean of their weights (Wortsman et al., ICML 2022, "model soups").

    python -m slicewise_training.average runs/mine runs/mine-2 runs/mine-3 --output runs/mine-mean

For trainings of which each was begun from another, or all from the same start (`finetune`): such a mean is often better
than any of them, and costs no more to run. Compare them with `evaluate` on the validation part.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torch import Tensor


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--output", type=Path, required=True, help="folder of the new run's checkpoint")
    arguments = parser.parse_args()
    states = [torch.load(run / "checkpoint.pt", map_location="cpu", weights_only=True) for run in arguments.runs]
    arguments.output.mkdir(parents=True, exist_ok=True)
    torch.save({"average": mean_of([state["average"] for state in states])}, arguments.output / "checkpoint.pt")


def mean_of(states: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Of weights and batch-norm statistics; what is counted in whole numbers is the first's.

    @raises ValueError if they are not of one network
    """
    first, *others = states
    for other in others:
        if {name: value.shape for name, value in other.items()} != {n: v.shape for n, v in first.items()}:
            raise ValueError("the runs are of different networks: a mean needs the same layers in all")
    return {
        name: torch.stack([state[name] for state in states]).mean(0) if value.dtype.is_floating_point else value
        for name, value in first.items()
    }


if __name__ == "__main__":
    main()

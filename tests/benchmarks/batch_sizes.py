"""How the best rate of Adam moves with the batch size on digits, as a report says it.

    python tests/benchmarks/batch_sizes.py [--trials 72] [--seeds 3] [--sizes 25 50 100 200] [--epochs 30]

Constant rates, spread evenly over rates and batch sizes (`qmc`), nothing pruned, each trained on the same few seeds.
Prints the sentences of the report. With one seed, luck makes valleys of its own, and the report says that it does not
know.
"""

from __future__ import annotations

import argparse

import optuna
import torch

import lrsearch
from lrsearch.report import batch_size_words
from lrsearch.report.interactions import interactions


def main() -> None:
    """Search, and print what the report would say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=72)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--sizes", type=int, nargs="+", default=[25, 50, 100, 200])
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--low", type=float, default=5e-4, help="lowest rate")
    parser.add_argument("--high", type=float, default=0.05, help="highest rate")
    given = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    torch.set_num_threads(1)
    document = {
        "study": {"name": "batch", "trials": given.trials},
        "task": {"name": "digits"},
        "training": {"epochs": given.epochs, "optimizer": "adam", "seeds": list(range(1, given.seeds + 1))},
        "search": {
            "lr": {"low": given.low, "high": given.high, "log": True},
            "schedulers": ["constant"],
            "training": {"batch_size": {"choices": given.sizes}},
        },
        "sampler": {"name": "qmc"},
        "pruner": {"name": "none"},
        "confirm": {"top": 0},
    }
    study = lrsearch.run_study(lrsearch.create_study(document, storage="sqlite://"), engine="batched")
    for found in interactions(lrsearch.load_frames(study)):
        print(" ".join(batch_size_words.sentences(found)))


if __name__ == "__main__":
    main()

"""Which of three growers made a wine, from thirteen measurements."""

import torch
from sklearn.datasets import load_wine
from torch.utils.data import TensorDataset, random_split

import lrsearch


def network(hidden: int) -> torch.nn.Module:
    """The model: BatchNorm in front brings the measurements to one scale."""
    return torch.nn.Sequential(
        torch.nn.BatchNorm1d(13), torch.nn.Linear(13, hidden), torch.nn.ReLU(), torch.nn.Linear(hidden, 3)
    )


@lrsearch.task
def wine(*, hidden: int = 16) -> lrsearch.Task:
    inputs, growers = load_wine(return_X_y=True)
    rows = TensorDataset(torch.tensor(inputs, dtype=torch.float32), torch.tensor(growers))
    train, test = random_split(rows, [0.7, 0.3], torch.Generator().manual_seed(0))
    return lrsearch.Task(lambda: network(hidden), train, test, loss="cross_entropy", metric="cross_entropy")

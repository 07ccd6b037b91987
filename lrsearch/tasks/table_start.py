"""A task file that reads a CSV file with pandas: its text, from what the table holds."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from lrsearch.tasks.table import Table

OPTIMIZER = "adam"
"""Of the study file: columns of very different kinds have gradients of very different size."""
_HEAD = '''\
"""A task for lrsearch, from a table. Try it with `lrsearch tasks check {file}:{name}`."""

from pathlib import Path

import lrsearch
import pandas as pd
import torch
from torch import nn

TABLE = Path(__file__).parent / {table}
TARGET = {target}
NUMBERS = {numbers}  # scaled to mean 0 and deviation 1; a missing one becomes the mean
CATEGORIES = {categories}  # a column of 0 and 1 for each value; a missing one is a value, too
'''
_MANY = """\
MANY = {many}  # categories of many values: WIDTH numbers are learned for each value
WIDTH = 4
"""
_FEATURES = '''

def features(table: pd.DataFrame, train: list[int]) -> pd.DataFrame:
    """What the network sees, all of it numbers; it is fitted to the training rows, and no others."""
    columns = {column: pd.to_numeric(table[column], errors="coerce") for column in NUMBERS}
    numbers = pd.DataFrame(columns, index=table.index).astype(float)
    known = numbers.iloc[train]
    parts = [((numbers - known.mean()) / known.std().replace(0.0, 1.0)).fillna(0.0)]
    for column in CATEGORIES:
        values = table[column].astype("string").fillna("missing")
        parts += [(values == value).astype(float) for value in sorted(values.iloc[train].unique())]
    return pd.concat(parts, axis=1)
'''
_CODES = '''

def codes(table: pd.DataFrame, train: list[int]) -> pd.DataFrame:
    """The values of MANY by their numbers; those that no training row has are 0."""
    coded = {}
    for column in MANY:
        values = table[column].astype("string").fillna("missing")
        coded[column] = values.map({value: 1 + i for i, value in enumerate(sorted(values.iloc[train].unique()))})
    return pd.DataFrame(coded).fillna(0).astype(float)


class Network(nn.Module):
    """A small network; each value of a column of MANY has numbers that are learned with the weights."""

    def __init__(self, numbers: int, sizes: list[int], hidden: int, outputs: int) -> None:
        super().__init__()
        self.numbers = numbers
        self.values = nn.ModuleList(nn.Embedding(size, WIDTH) for size in sizes)
        inputs = numbers + WIDTH * len(sizes)
        self.layers = nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, outputs))

    def forward(self, rows):
        known = rows[:, self.numbers :].long()
        learned = [embedding(known[:, place]) for place, embedding in enumerate(self.values)]
        return self.layers(torch.cat([rows[:, : self.numbers], *learned], dim=1))
'''
_TASK = '''

@lrsearch.task
def {name}(*, hidden: int = 32, seed: int = 0) -> lrsearch.Task:
    """{question}; `seed` decides which rows are held out."""
    table = pd.read_csv(TABLE{how}).replace([float("inf"), float("-inf")], float("nan"))
    table = table.dropna(subset=[TARGET]).reset_index(drop=True)
    order = torch.randperm(len(table), generator=torch.Generator().manual_seed(seed)).tolist()
    fifth = len(table) // 5
    holdout, test, train = order[:fifth], order[fifth : 2 * fifth], order[2 * fifth :]
'''
_REGRESSION = """\
    amounts = pd.to_numeric(table[TARGET]).astype(float)
    mean, deviation = amounts.iloc[train].mean(), amounts.iloc[train].std()
    targets = torch.tensor(((amounts - mean) / deviation).to_numpy(), dtype=torch.float32)[:, None]
"""
_CLASSIFICATION = """\
    numbered, classes = pd.factorize(table[TARGET].astype("string"), sort=True)
    targets = torch.tensor(numbered)
"""
_INPUTS = """\
    inputs = torch.tensor(features(table, train).to_numpy(), dtype=torch.float32)
"""
_INPUTS_MANY = """\
    plain, coded = features(table, train), codes(table, train)
    inputs = torch.tensor(pd.concat([plain, coded], axis=1).to_numpy(), dtype=torch.float32)
    sizes = [1 + int(coded[column].max()) for column in MANY]
"""
_MODEL = "nn.Sequential(nn.Linear(inputs.shape[1], hidden), nn.ReLU(), nn.Linear(hidden, {outputs}))"
_MODEL_MANY = "Network(plain.shape[1], sizes, hidden, {outputs})"
_RETURN = """\
    return lrsearch.Task(
        model=lambda: {model},
        train=(inputs[train], targets[train]),
        test=(inputs[test], targets[test]),  # what the search judges by
        holdout=(inputs[holdout], targets[holdout]),  # what the search never sees
{judged}
    )
"""
_JUDGED = {
    "regression": """\
        loss="mse",
        metric="mse",  # of the scaled target: 1 is what the mean of the training rows gives
        extra={"mae": lambda outputs, targets: deviation * (outputs - targets).abs().mean()},  # unscaled""",
    "classification": """\
        loss="cross_entropy",
        metric="cross_entropy",  # accuracy is shown, too; as the metric it is coarse where there are few rows""",
}


def text(table: Table, target: Path) -> str:
    """The task file.

    Args:
        table: What it reads.
        target: Where it will stand; the table is found from there.
    """
    name, is_regression = target.stem, table.kind == "regression"
    outputs = "1" if is_regression else "len(classes)"
    filled = {
        "name": name,
        "file": target.name,
        "table": quoted(Path(os.path.relpath(table.file.resolve(), target.resolve().parent)).as_posix()),
        "target": quoted(table.target),
        "numbers": _list(table.numbers),
        "categories": _list(table.categories),
        "many": _list(table.many),
        "question": _question(table),
        "how": _how(table),
        "judged": _JUDGED[table.kind],
        "model": (_MODEL_MANY if table.many else _MODEL).format(outputs=outputs),
    }
    head = _HEAD + _MANY if table.many else _HEAD
    return "".join(
        [
            head.format(**filled),
            _FEATURES,
            _CODES if table.many else "",
            _TASK.format(**filled),
            _REGRESSION if is_regression else _CLASSIFICATION,
            _INPUTS_MANY if table.many else _INPUTS,
            _RETURN.format(**filled),
        ]
    )


def facts(table: Table) -> dict[str, str]:
    """What was found, in words, for whoever has to check it.

    Args:
        table: What was looked at.
    """
    wrong = f"; --kind {table.other_kind} if that is wrong" if table.other_kind else ""
    said = {
        "rows": f"{table.rows}" + (f"; {table.dropped} without {table.target} are left out" if table.dropped else ""),
        "target": f"{table.target}: {table.kind} ({table.because}){wrong}",
        "numbers": ", ".join(table.numbers),
        "categories": ", ".join(f"{name} ({values} values)" for name, values in table.categories.items()),
        "embedded": ", ".join(f"{name} ({values} values)" for name, values in table.many.items()),
        "left out": ", ".join(f"{name} ({reason})" for name, reason in table.left_out.items()),
        "missing": ", ".join(f"{name} {number}" for name, number in table.missing.items()) or "nothing",
        "rare": ", ".join(f"{name} ({rows} rows)" for name, rows in table.classes.items() if rows < 10),
    }
    if table.missing:
        said["missing"] += " (numbers become the mean of the training rows; in categories it is a value)"
    return {key: value for key, value in said.items() if value}


def stem(file: Path, taken: Iterable[str]) -> str:
    """A name for the task of a table, after its file.

    Args:
        file: The table.
        taken: Names that are in use.
    """
    name = re.sub(r"\W+", "_", file.stem).strip("_")
    return f"table_{name}" if not name.isidentifier() or name in taken else name


def quoted(name: str) -> str:
    """A text as Python writes it; whatever it holds, it stays one text."""
    written = repr(name)
    return written if set("'\"") & set(name) else f'"{written[1:-1]}"'


def _list(names: Iterable[str]) -> str:
    written = f"[{', '.join(map(quoted, names))}]"
    if len(written) < 90:
        return written
    return "[\n" + "".join(f"    {quoted(name)},\n" for name in names) + "]"


def _question(table: Table) -> str:
    target, file = (
        "".join(mark if mark.isprintable() and mark not in '"\\' else " " for mark in text).strip()
        for text in (table.target, table.file.name)
    )
    return f"{target[:1].upper()}{target[1:]}, from the other columns of {file}"


def _how(table: Table) -> str:
    separator = "" if table.separator == "," else f", sep={quoted(table.separator)}"
    return separator + ("" if table.decimal == "." else f', decimal="{table.decimal}"')

"""What a study file may search beside rate and schedule, and how everything that is wrong with it is said at once."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest

from lrsearch.errors import InputError
from lrsearch.study_file.applied import applied
from lrsearch.study_file.load import parse, parse_search, parse_stored
from lrsearch.study_file.model import Definition
from lrsearch.study_file.write import to_toml

TEXT = """
[study]
name = "s"
[task]
name = "digits"
hidden = [8]
[training]
momentum = 0.9
[search]
optimizers = ["SGD", "adamw", "rmsprop"]
schedulers = ["constant"]
[search.training]
batch_size = { low = 16, high = 64, log = true }
weight_decay = { low = 0, high = 1 }
[search.training.sgd]
lr = { low = 1e-3, high = 1, log = true }
[search.training.adamw]
betas = { choices = [[0.9, 0.999], [0.9, 0.95]] }
weight_decay = 0
[search.training.rmsprop]
alpha = { low = 0.9, high = 0.999 }
[search.task]
hidden = { choices = [[8], [16, 16]] }
activation = "tanh"
[[try]]
lr = 0.01
scheduler = "constant"
training = { batch_size = 32 }
"""
DEFINITION = parse(tomllib.loads(TEXT), "f.toml")


def faults(text: str) -> dict[str, str]:
    with pytest.raises(InputError) as caught:
        parse(tomllib.loads(text), "f.toml")
    return {fault.key: str(fault) for fault in caught.value.faults}


@pytest.mark.parametrize("again", [DEFINITION.document(), tomllib.loads(to_toml(DEFINITION))], ids=["stored", "file"])
def test_a_definition_is_read_back_as_it_was_written(again: dict[str, Any]) -> None:
    """Through JSON, as a database has it, and through TOML; whole numbers stay whole and others stay others."""
    document = json.loads(json.dumps(again))
    assert parse(document, "again") == parse_stored(document, "again") == DEFINITION
    assert type(DEFINITION.search.options.training["batch_size"].low) is int
    assert type(DEFINITION.search.options.training["weight_decay"].low) is float


def test_nothing_of_it_is_in_the_document_of_a_study_without() -> None:
    plain = parse({"study": {"name": "s"}, "task": {"name": "digits"}}, "f.toml").document()
    assert set(plain["search"]) == {"lr", "schedulers"}


def _trained(**params: Any) -> Definition:
    return applied(DEFINITION, params)


def test_a_trial_is_trained_with_what_it_has_chosen() -> None:
    """Arguments in ``[training]`` are those of its optimizer, and do not outlive it."""
    own = _trained(optimizer="sgd", batch_size=20, **{"sgd.weight_decay": 0.5, "task.hidden": "[16, 16]"})
    assert (own.training.optimizer, own.training.momentum, own.training.weight_decay) == ("sgd", 0.9, 0.5)
    assert (own.training.batch_size, own.task.options["hidden"]) == (20, [16, 16])
    own = _trained(optimizer="adamw", **{"adamw.betas": "[0.9, 0.95]", "sgd.weight_decay": 0.5, "foo": 1})
    assert (own.training.momentum, own.training.betas, own.training.weight_decay) == (0.0, [0.9, 0.95], 0.0)
    own = _trained(optimizer="rmsprop", **{"rmsprop.alpha": 0.95, "rmsprop.weight_decay": 0.1})
    assert own.training.options == {"alpha": 0.95, "weight_decay": 0.1}


HEAD = '[study]\nname = "s"\n[task]\nname = "digits"\n'


def test_all_faults_are_told_at_once() -> None:
    """An optimizer that is not there, arguments that it has not, values out of bounds, options of no task."""
    text = HEAD + (
        '[training]\noptimizer = "adam"\n[search]\noptimizers = ["sgd", "adamww"]\n[search.training]\nlr = 0.1\n'
        "epochs = { low = 1, high = 2 }\nbatch_size = { low = 0, high = 9 }\n[search.training.sgd]\n"
        "momentum = { low = 0, high = 1.5 }\nbetas = [0.5, 0.9]\nlr = 0\n[search.training.adam]\neps = 1e-9\n"
        '[search.task]\nhiden = 3\nactivation = { choices = ["rel"] }\nhidden = []\n'
    )
    found = faults(text)
    expected = {
        "search.optimizers[1]": "did you mean adamw",
        "training.optimizer": "is not among search.optimizers",
        "search.training.lr": "stands in [search]",
        "search.training.epochs": "cannot be searched",
        "search.training.batch_size": "must be at least 1",
        "search.training.sgd.momentum": "must be smaller than 1",
        "search.training.sgd.betas": "is no argument of sgd",
        "search.training.sgd.lr": "larger than 0",
        "search.training.adam": "is not searched",
    }
    assert not [(key, found.get(key)) for key, words in expected.items() if words not in found.get(key, "")]
    shapes = faults(HEAD + "[search]\noptimizers = 3\n[search.training]\nweight_decay = { low = 2, high = 1 }\n"
                           "[search.task]\nhidden = []\n")  # fmt: skip
    assert {"search.optimizers", "search.training.weight_decay", "search.task.hidden"} <= set(shapes)


@pytest.mark.parametrize(
    ("text", "key", "words"),
    [
        ("[search.training.sgd]\nmomentum = 0.5", "search.training.sgd", "add it to search.optimizers"),
        ("[search.training]\nbetas = [0.9, 0.9]", "search.training.betas", "is no argument of sgd"),
        ('[search]\noptimizers = ["sgd", "adam"]\n[search.training]\nmomentum = 0.5', "search.training.momentum",
         "adam has no such argument: write it in [search.training.sgd]"),
        ('[training]\nnesterov = true\nmomentum = 0.9\n[search.training]\nmomentum = { low = 0.0, high = 0.9 }',
         "search.training.momentum", "nesterov needs a momentum"),
        ('[[try]]\nlr = 0.1\nscheduler = "constant"\noptimizer = "adam"', "try[0].optimizer", "not among"),
        ('[[try]]\nlr = 0.1\nscheduler = "constant"\ntraining = { momentum = 0.1 }', "try[0].training.momentum",
         "is not searched"),
        ('[search.training]\nmomentum = { low = 0.1, high = 0.2 }\n[[try]]\nlr = 0.1\nscheduler = "constant"\n'
         "training = { momentum = 0.5 }", "try[0].training.momentum", "is outside"),
        ('[sampler]\nname = "grid"\n[search]\nlr = 0.1\nschedulers = ["constant"]\n[search.training]\n'
         "momentum = { low = 0.1, high = 0.2 }", "search.training.momentum", "add steps = 5"),
        ("[search.task]\nhiden = 3", "search.task.hiden", "did you mean hidden?"),
    ],
)  # fmt: skip
def test_each_fault_has_its_place(text: str, key: str, words: str) -> None:
    assert words in faults(HEAD + text)[key]


def test_a_command_and_a_loop_of_ones_own_have_none() -> None:
    command = '[study]\nname = "s"\n[command]\nrun = "t {lr}"\nmetric = "m"\ndirection = "minimize"\n'
    assert "means nothing to a command" in faults(command + '[search]\noptimizers = ["sgd"]')["search.optimizers"]
    with pytest.raises(InputError, match="belongs to a study file"):
        parse_search({"optimizers": ["sgd"]}, "f")

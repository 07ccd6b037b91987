"""A single run is defined, checked and changed with the names of a study file."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from lrsearch.errors import InputError
from lrsearch.training.definition import Changes, changed, differences, parse

GIVEN = Changes("polynomial", 0.05, "LambdaLR", {"decay": 0.9}, 7, 3, ["task.degree=3", "training.momentum=0.5"])


def test_what_is_said_becomes_the_definition() -> None:
    made = parse(changed({}, GIVEN), "test")
    assert (made.task.name, made.task.options["degree"], made.task.options["rows"]) == ("polynomial", 3, 1000)
    assert (made.training.epochs, made.training.momentum, made.seed, made.lr) == (7, 0.5, 3, 0.05)
    assert made.schedule.describe() == "lambda (decay 0.9)"


def test_a_document_is_read_back_as_it_was() -> None:
    made = parse(changed({}, GIVEN), "test")
    assert parse(made.document(), "test") == made


def test_a_schedule_is_constant_and_lengths_have_defaults_unless_something_is_said() -> None:
    made = parse(changed({}, Changes(task="polynomial", lr=1.0)), "test")
    assert (made.schedule.name, made.training.epochs, made.seed) == ("constant", 60, 24)


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        (Changes(lr=0.1), {"lr": 0.1, "parameters": {"decay": 0.9, "warmup_fraction": 0.0}}),
        (Changes(scheduler="lambda"), {"parameters": {"decay": 0.9, "warmup_fraction": 0.0}}),
        (Changes(scheduler="cosine"), {"scheduler": "cosine", "parameters": {}}),
        (Changes(parameters={"decay": 0.8}), {"parameters": {"decay": 0.8, "warmup_fraction": 0.0}}),
        (Changes(task="diabetes"), {"task": {"name": "diabetes"}}),
    ],
)
def test_options_of_another_task_or_scheduler_do_not_outlive_their_owner(
    changes: Changes, kept: dict[str, Any]
) -> None:
    base = parse(changed({}, GIVEN), "test").document()
    assert changed(base, changes) == {**base, **kept}


def test_settings_of_another_optimizer_do_not_either() -> None:
    base = parse(changed({}, GIVEN), "test").document()
    made = parse(changed(base, Changes(settings=["training.optimizer=adam"])), "test")
    assert (made.training.optimizer, made.training.epochs) == ("adam", 7)


def test_all_faults_come_together() -> None:
    wrong = Changes("polynomial", -1.0, "lambda", {"decai": 0.9}, 0, None, ["task.degre=3", "training.seeds=[1, 2]"])
    with pytest.raises(InputError) as caught:
        parse(changed({}, wrong), "test")
    assert {fault.key for fault in caught.value.faults} == {"task.degre", "training.epochs", "lr", "decai"}
    assert {fault.nearest for fault in caught.value.faults if fault.nearest} == {("degree",), ("decay",)}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (Changes(task="polynomial"), "lr: is required"),
        (Changes(lr=0.1), "task.name: is required"),
        (Changes(task="polynomial", lr=0.1, scheduler="classical"), "is a group"),
        (Changes(task="polynomial", lr=0.1, scheduler="cosin"), "did you mean cosine?"),
        (Changes(task="polynomial", lr=0.1, parameters={"decay": 0.9}), "but of lambda"),
        (Changes(task="polynomial", lr=0.1, scheduler="lambda", parameters={"decay": "x"}), "0 < decay <= 1"),
        (Changes(task="polynomial", lr=0.1, settings=["training.seeds=[1, 2]"]), "one seed"),
    ],
)
def test_what_is_wrong_is_said(changes: Changes, words: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(changed({}, changes), "test")
    assert words in str(caught.value)


def test_differences_name_each_key_with_both_values() -> None:
    first = parse(changed({}, GIVEN), "test")
    second = parse(changed(first.document(), Changes(lr=0.1, settings=["task.degree=4"])), "test")
    assert {fault.key: fault.received for fault in differences(first, second)} == {"lr": "0.1", "task.degree": "4"}
    assert "0.05" in str(differences(first, second)[1])
    third = parse(changed(first.document(), Changes(scheduler="cosine")), "test")
    assert [fault.key for fault in differences(first, third)] == ["scheduler"]
    assert differences(first, first) == []


def test_the_code_to_paste_runs() -> None:
    made = parse(changed({}, GIVEN), "test")
    scope: dict[str, Any] = {"model": torch.nn.Linear(1, 1)}
    exec(made.code(made.build_task()), scope)
    assert scope["optimizer"].param_groups[0]["initial_lr"] == 0.05

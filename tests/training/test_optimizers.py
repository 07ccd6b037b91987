"""The optimizers a study file may name."""

from __future__ import annotations

import importlib.util
import inspect
from typing import Any

import pytest
import torch
from workloads import regression

from lrsearch import registry
from lrsearch.errors import InputError, LrsearchError
from lrsearch.study_file.model import TrainingSection
from lrsearch.training import optimizers, torch_optimizers
from lrsearch.training.choice import choose_engine
from lrsearch.training.optimizer_definition import optimizer


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"momentum": 0.9, "nesterov": True, "weight_decay": 1e-4},
        {"optimizer": "adam", "betas": [0.5, 0.9]},
        {"optimizer": "adamw", "eps": 1e-6},
        {"optimizer": "rmsprop", "options": {"alpha": 0.9, "centered": True}},
        {"optimizer": "torch.optim:NAdam", "options": {"betas": [0.5, 0.9]}},
        {"optimizer": "prodigy", "options": {"safeguard_warmup": True, "weight_decay": 0.01}},
        {"optimizer": "schedule_free_sgd", "options": {"warmup_steps": 3}},
    ],
)
def test_the_code_to_paste_builds_the_same_optimizer(settings: dict[str, Any]) -> None:
    training = TrainingSection(**settings)
    model = torch.nn.Linear(2, 1)
    ours = optimizers.build(training, model.parameters(), 0.05)
    scope = {"torch": torch, "model": model}
    exec(optimizers.code(training, 0.05), scope)
    theirs = scope["optimizer"]
    assert type(ours) is type(theirs)
    assert ours.defaults == theirs.defaults  # type: ignore[attr-defined]


def test_every_class_of_torch_has_a_name_that_code_can_be_written_of() -> None:
    torch_names = {name for name, found in vars(torch.optim).items()
                   if isinstance(found, type) and "lr" in inspect.signature(found).parameters}  # fmt: skip
    assert set(optimizers.TORCH_CLASSES.values()) == torch_names - {"LBFGS"}
    for name, kind in optimizers.TORCH_CLASSES.items():
        assert registry.optimizers.get(name).make is getattr(torch.optim, kind)


def test_an_optimizer_that_does_not_fit_the_network_is_refused_before_it_is_trained() -> None:
    task = regression(lambda: torch.nn.Linear(8, 1))
    for name, words in (("sparseadam", "does not support dense gradients"), ("muon", "2D")):
        with pytest.raises(InputError, match=f'optimizer = "{name}": .*{words}'):
            choose_engine("auto", task, TrainingSection(optimizer=name), "cpu")


def test_one_whose_package_is_missing_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(InputError, match=r'prodigy": needs the package prodigyopt.*\.\[contestants\]'):
        torch_optimizers.named("prodigy")


def test_what_is_no_optimizer_of_this_loop_is_not_registered() -> None:
    class Closure(torch.optim.SGD):
        def step(self, closure: Any) -> Any:  # type: ignore[override]
            return super().step(closure)

    def rateless(params: Any) -> torch.optim.Optimizer:
        return torch.optim.SGD(params, lr=0.1)

    for make, words in ((Closure, "closure"), (rateless, "takes no argument lr"), (torch.optim.SGD, "registered al")):
        with pytest.raises(LrsearchError, match=words):
            optimizer(make)  # type: ignore[type-var]


def test_the_code_says_what_else_an_update_does() -> None:
    training = TrainingSection(clip_norm=0.5, accumulate=4, precision="bfloat16")
    remarks = optimizers.code(training, 0.05).splitlines()[1:]
    assert [line.startswith("# ") for line in remarks] == [True] * 3
    assert "every 4 batches" in remarks[0]
    assert "clip_grad_norm_(model.parameters(), 0.5)" in remarks[1]
    assert "autocast(device.type, torch.bfloat16)" in remarks[2]

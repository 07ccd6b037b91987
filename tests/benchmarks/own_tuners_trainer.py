"""A small transformer that Hugging Face's Trainer trains, for `own_tuners.py`: are there more ones than twos?"""

from __future__ import annotations

import tempfile
from typing import Any

import numpy as np
import torch
import transformers
from optuna.trial import FixedTrial

import lrsearch
from lrsearch.integrations import transformers as integration

EPOCHS, TYPES, LENGTH, FRESH = 3, ["constant", "cosine", "wsd"], 12, 5
RATES = {"low": 1e-5, "high": 3e-2, "log": True}


class Sequences:
    """Trains, counts epochs, and scores.

    Args:
        repeat: Seed of the search.
    """

    def __init__(self, repeat: int) -> None:
        transformers.logging.set_verbosity_error()
        self.epochs, self._repeat = 0.0, repeat
        self._folder = tempfile.mkdtemp()
        self.train, self.test, self.holdout = (_rows(count, seed) for seed, count in enumerate((240, 120, 1000)))

    def trainer(self, callbacks: Any = (), **options: Any) -> Any:
        arguments = transformers.TrainingArguments(
            **{"num_train_epochs": EPOCHS, "per_device_train_batch_size": 16, **options}, output_dir=self._folder,
            eval_strategy="epoch", per_device_eval_batch_size=200, report_to=[], use_cpu=True, save_strategy="no",
            disable_tqdm=True, logging_strategy="no",
        )  # fmt: skip
        return transformers.Trainer(
            model_init=_model, args=arguments, train_dataset=self.train, eval_dataset=self.test,
            callbacks=[*callbacks, _counting(self)],
        )  # fmt: skip

    def objective(self, trial: Any) -> float:
        """The README's."""
        trainer = self._suggested(trial, [integration.report(trial, "eval_loss")])
        trainer.train()
        return float(trainer.evaluate()["eval_loss"])

    def _suggested(self, trial: Any, callbacks: Any = ()) -> Any:
        schedule = lrsearch.suggest_schedule(trial, {"schedulers": TYPES, "lr": RATES}, horizon=EPOCHS)
        trainer = self.trainer(callbacks, learning_rate=schedule.lr, seed=lrsearch.seed(trial))
        integration.use(trainer, schedule, trial)
        return trainer

    def own_search(self, epochs: float) -> tuple[float, dict[str, Any]]:
        """The Trainer's own search with its own space, for about as many epochs: a trial of it has 1 to 5."""
        before, trainer = self.epochs, self.trainer()
        from optuna.samplers import TPESampler

        best = trainer.hyperparameter_search(
            backend="optuna", n_trials=max(1, round(epochs / 3)), direction="minimize",
            compute_objective=lambda metrics: metrics["eval_loss"], sampler=TPESampler(seed=self._repeat),
        )  # fmt: skip
        return self.epochs - before, best.hyperparameters

    def scored(self, params: dict[str, Any]) -> float:
        """The mean holdout loss of settings over fresh seeds."""
        trials = [FixedTrial({**params, "seed": 1000 + seed}) for seed in range(FRESH)]
        for trial in trials:
            trial.suggest_int("seed", 0, 10**6)
        return self._mean([self._suggested(trial) for trial in trials])

    def scored_own(self, params: dict[str, Any]) -> float:
        """The same of what the Trainer's search has found."""
        return self._mean([self.trainer(**{**params, "seed": 1000 + seed}) for seed in range(FRESH)])

    def _mean(self, trainers: list[Any]) -> float:
        losses = []
        for trainer in trainers:
            trainer.train()
            losses.append(trainer.evaluate(self.holdout)["eval_loss"])
        return float(np.mean(losses))


def _rows(count: int, seed: int) -> list[dict[str, Any]]:
    rng = np.random.default_rng(seed)
    words = rng.integers(1, 6, size=(count, LENGTH))
    more = (words == 1).sum(axis=1) > (words == 2).sum(axis=1)
    return [{"input_ids": torch.tensor(own), "labels": int(label)} for own, label in zip(words, more, strict=True)]


def _model(*_: Any) -> Any:
    small = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    settings = transformers.BertConfig(vocab_size=6, max_position_embeddings=LENGTH, num_labels=2, **small)
    return transformers.BertForSequenceClassification(settings)


def _counting(case: Sequences) -> Any:
    class Counting(transformers.TrainerCallback):  # type: ignore[misc, name-defined]
        def on_epoch_end(self, args: Any, state: Any, control: Any, **given: Any) -> None:
            case.epochs += 1

    return Counting()

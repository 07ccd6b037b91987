"""Hugging Face's Trainer: a schedule over its updates, a callback that reports and prunes, and an ``hp_space``."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import optuna

from lrsearch.errors import Fault, InputError, input_error, nearest
from lrsearch.integrations.horizon import epochs_of, fitted, framework
from lrsearch.integrations.reporting import should_end
from lrsearch.sampling.suggest import SuggestedSchedule, suggest_schedule

if TYPE_CHECKING:
    from optuna.trial import BaseTrial

SOURCE = "transformers"


def use(trainer: Any, schedule: SuggestedSchedule, trial: BaseTrial | None = None) -> None:
    """Let a Trainer train with a schedule instead of ``lr_scheduler_type``.

    The Trainer says how many updates it makes, with accumulation and all devices. Types that step after every epoch do
    so here, too.

    Args:
        trainer: The Trainer, with ``learning_rate=schedule.lr`` in its arguments.
        schedule: From `lrsearch.suggest_schedule`; its horizon is replaced by the Trainer's.
        trial: The trial, which notes that horizon.

    Raises:
        InputError: Plateau lacks what it needs, or the arguments have another learning rate.
    """
    _check(trainer.args, schedule)

    def create_scheduler(num_training_steps: int, optimizer: Any = None) -> Any:
        from lrsearch.integrations.strided import strided

        if trainer.lr_scheduler is None:
            per_epoch = _updates_per_epoch(trainer, num_training_steps)
            epochs, updates = epochs_of(num_training_steps, per_epoch, SOURCE)
            own = fitted(schedule, trial, epochs=epochs, updates=updates)
            found = trainer.optimizer if optimizer is None else optimizer
            by_epoch = own.unit == "epoch" and not own.needs_metric
            built = own.build(getattr(found, "optimizer", found))
            trainer.lr_scheduler = strided(built, per_epoch if by_epoch else 1)
            trainer._created_lr_scheduler = True
        return trainer.lr_scheduler

    trainer.create_scheduler = create_scheduler


def report(trial: BaseTrial, metric: str = "eval_loss", *, prune: bool = True) -> Any:
    """A ``TrainerCallback`` that reports each evaluation, and ends the trial by lrsearch's rule.

    The step is the number of updates, as in the Trainer's own search.

    Args:
        trial: The trial.
        metric: What the study optimises.
        prune: Whether to end the trial.

    Returns:
        For ``Trainer(callbacks=[...])``.

    Raises:
        InputError: Transformers is not installed.
    """
    return _callback()(trial, metric, prune)


def hp_space(
    trainer: Any, space: Mapping[str, Any] | Sequence[str] = ("classical",)
) -> Callable[[Any], dict[str, Any]]:
    """For ``trainer.hyperparameter_search(hp_space=..., backend="optuna")``: rate and schedule of each trial.

    Args:
        trainer: The Trainer, with a ``model_init``.
        space: As for `lrsearch.suggest_schedule`.

    Returns:
        The function; it also lets the Trainer use the schedule.
    """

    def asked(trial: BaseTrial) -> dict[str, Any]:
        epochs = max(1, math.ceil(trainer.args.num_train_epochs))
        schedule = suggest_schedule(trial, space, horizon=epochs)
        trainer.args.learning_rate = schedule.lr
        use(trainer, schedule, trial)
        return {"learning_rate": schedule.lr}

    return asked


def _check(arguments: Any, schedule: SuggestedSchedule) -> None:
    faults = []
    if not math.isclose(arguments.learning_rate, schedule.lr, rel_tol=1e-9):
        rule = f"must be the suggested one: learning_rate=schedule.lr, which is {schedule.lr!r}"
        faults.append(Fault("learning_rate", rule, repr(arguments.learning_rate)))
    if schedule.needs_metric and arguments.metric_for_best_model is None:
        rule = 'is what plateau looks at after each evaluation: set it, such as metric_for_best_model="eval_loss"'
        faults.append(Fault("metric_for_best_model", rule, "None"))
    if schedule.needs_metric and str(getattr(arguments.eval_strategy, "value", arguments.eval_strategy)) == "no":
        rule = 'plateau needs evaluations while the run goes on: set it, such as eval_strategy="epoch"'
        faults.append(Fault("eval_strategy", rule, '"no"'))
    if faults:
        raise InputError("TrainingArguments", faults)


def _updates_per_epoch(trainer: Any, updates: int) -> int:
    try:
        batches = len(trainer.get_train_dataloader())
    except TypeError:  # rows that come from a stream have no number: all of them are one epoch
        return updates
    return max(1, math.ceil(batches / int(trainer.args.gradient_accumulation_steps)))


@cache
def _callback() -> Any:
    """The class, made when Transformers is there."""
    base = framework("transformers").TrainerCallback

    class Report(base):  # type: ignore[misc, valid-type]
        """See `report`."""

        def __init__(self, trial: BaseTrial, metric: str, prune: bool) -> None:
            self.trial, self.metric, self.prune = trial, metric, prune
            self.last, self.every = 0, 0

        def on_train_begin(self, args: Any, state: Any, control: Any, **given: Any) -> None:
            self.last, self.every = 0, 0

        def on_evaluate(self, args: Any, state: Any, control: Any, **given: Any) -> None:
            metrics = given.get("metrics") or {}
            if state.global_step == self.last or not state.is_world_process_zero:
                return  # an evaluation after training, or another process's
            if self.metric not in metrics:
                close = nearest(self.metric, metrics)
                rule = f"the evaluation has not come to it, but to {', '.join(metrics)}"
                raise input_error(SOURCE, rule, key="metric", received=f'"{self.metric}"', nearest=close)
            self.every = self.every or state.global_step
            self.last = state.global_step
            self.trial.report(float(metrics[self.metric]), self.last)
            if self.prune and should_end(self.trial, state.max_steps, self.every):
                raise optuna.TrialPruned(f"not among the best of its scheduler type after update {self.last}")

    return Report

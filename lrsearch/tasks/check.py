"""Does a task hold together? Its data, model, loss and metrics, tried on a few rows before anything is trained."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from lrsearch.errors import InputError, LrsearchWarning, input_error
from lrsearch.tasks import calling, nest
from lrsearch.tasks.data import Data, Rows, Stream, Streamed, first_batch, kinds, same_random_numbers
from lrsearch.tasks.error_location import sentence
from lrsearch.tasks.evaluation_gradients import NO_GRADIENT, WAY_OUT, evaluated_call
from lrsearch.tasks.fixed_seed import fixed_seed
from lrsearch.tasks.memory_limit import watched
from lrsearch.tasks.parameter_groups import groups_of

if TYPE_CHECKING:
    from lrsearch.tasks.task import Task

ROWS = 4
"""So many rows are tried."""
READ_TWICE = 16
"""So many rows of a Dataset are read twice with the same seed."""


def check(task: Task, name: str) -> None:
    """Try a task on a few of its rows, on the CPU; no global random stream moves on.

    Args:
        task: What would be trained.
        name: What to call it in messages.

    Raises:
        InputError: Numbers that are not finite, a model that is none, outputs that do not fit the targets, a loss that
            cannot be trained on, or a metric that is not one number.

    Warns:
        LrsearchWarning: Rows of one part are rows of another one, too, or rows differ when they are read again with
            the same seed.
    """
    parts = {"train": task.train, "test": task.test}
    if task.holdout is not None:
        parts["holdout"] = task.holdout
    attempt = _Attempt(task, f"task {name}")
    for part, rows in parts.items():
        attempt.check_numbers(part, rows)
    with same_random_numbers():
        model = attempt.model()
        for part, rows in parts.items():
            attempt.check_part(model, part, rows)
    _warn_of_shared_rows(attempt.source, parts)
    _warn_of_own_generators(attempt.source, parts)


@dataclass(frozen=True)
class _Attempt:
    """One attempt at a task; `source` is what messages call it."""

    task: Task
    source: str

    def check_numbers(self, part: str, rows: Rows) -> None:
        if isinstance(rows, Streamed):
            return  # reading them all may take long; a batch that is not finite shows as divergence
        for kind, of_kind in zip(("inputs", "targets"), rows, strict=True):
            for path, tensor in nest.leaves(of_kind):
                values = tensor if tensor.layout == torch.strided else nest.coordinates(tensor).values()
                wrong = values.isinf() if self.task.allow_nan else ~values.isfinite()
                if wrong.any():
                    place = wrong.nonzero()[0].tolist()
                    rule = f"{int(wrong.sum())} of {wrong.numel()} numbers are not finite, the first at {place}"
                    if values[tuple(place)].isnan():
                        rule += "; where the model or the loss masks NaN, say Task(allow_nan=True)"
                    raise self._fault(f"{part} {kind}{path}", rule, str(values[tuple(place)].item()))

    def model(self) -> nn.Module:
        try:
            with watched():
                model, other = self.task.model(), self.task.model()
        except InputError as error:
            raise InputError(self.source, error.faults) from None
        except Exception as error:
            raise self._fault("model", f"fails: {sentence(error)}") from error
        if not isinstance(model, nn.Module):
            raise self._fault("model", "must return a torch.nn.Module", kinds(model))
        if model is other:
            rule = "gives the same network every time; make it inside the function, so that each trial starts afresh"
            raise self._fault("model", rule)
        try:
            groups_of(self.task.parameters, model)
        except InputError as error:
            raise InputError(self.source, error.faults) from None
        return model.eval()

    def check_part(self, model: nn.Module, part: str, rows: Rows) -> None:
        inputs, targets = self._batch(part, rows)
        outputs = self._outputs(model, part, inputs)
        known = targets if isinstance(rows, Streamed) else rows[1]
        for key, name in (("loss", self.task.loss), ("metric", self.task.metric)):
            if isinstance(name, str):
                self._check_tensors(f'{key} = "{name}"', outputs, targets)
                self._check_fit(f'{key} = "{name}"', outputs, targets, known)
        loss = self._number("loss", self.task.loss_function, part, outputs, targets)
        for name, metric in {"metric": self.task.metric_function, **self.task.extra}.items():
            self._number(name, metric, part, outputs, targets)
        if part == "train":
            self._check_gradient(loss, targets)

    def _outputs(self, model: nn.Module, part: str, inputs: Any) -> Any:
        """Outputs with gradients; without them it is tried, too, for so it is evaluated."""
        try:
            try:
                with torch.no_grad():
                    evaluated_call(self.task)(model, inputs)
            except RuntimeError as error:
                if NO_GRADIENT not in str(error) or self.task.evaluation_gradients:
                    raise
                rule = f"fails where it is evaluated, which is done without gradients: {sentence(error)}; {WAY_OUT}"
                raise self._fault("model", rule) from error
            return self.task.call(model, inputs)
        except InputError:
            raise
        except Exception as error:
            rule = f"fails on {part} inputs {_shape(inputs)}: {sentence(error)}{self._hint(inputs, error)}"
            raise self._fault("model", rule) from error

    def _batch(self, part: str, rows: Rows) -> Data:
        try:
            inputs, targets = first_batch(rows, ROWS)
        except InputError as error:
            raise InputError(self.source, error.faults) from None
        except Exception as error:
            raise self._fault(part, f"no batch can be made of its rows: {sentence(error)}") from error
        return inputs, targets

    def _hint(self, inputs: Any, error: Exception) -> str:
        """How the model was called, where it may want to be called otherwise."""
        called = calling.in_words(inputs)
        if not called or self.task.forward is not None or not isinstance(error, TypeError):
            return ""
        return f"; it is called as {called}: Task(forward=lambda model, inputs: ...) calls it otherwise"

    def _check_tensors(self, key: str, outputs: Any, targets: Any) -> None:
        rule = f"must be a tensor [rows, ...] for {key}; a callable may take whatever there is"
        if not isinstance(targets, Tensor) or not targets.ndim:
            raise self._fault("targets", f"the targets of a batch {rule}", kinds(targets))
        if not isinstance(outputs, Tensor) or not outputs.ndim:
            raise self._fault("model output", rule.replace("a tensor", "one tensor"), kinds(outputs))

    def _check_fit(self, key: str, outputs: Tensor, targets: Tensor, all_targets: Tensor) -> None:
        """Hold outputs and targets against what a named metric takes."""
        shapes = _shapes(outputs, targets)
        if key.endswith(('"mse"', '"mae"')):
            if outputs.shape != targets.shape:
                hint = "; targets.unsqueeze(1) would have it" if outputs.shape == (*targets.shape, 1) else ""
                raise self._fault(key, f"{shapes}: both must have the same shape{hint}")
            return
        if outputs.ndim < 2 or targets.shape != (outputs.shape[0], *outputs.shape[2:]):
            rule = "takes outputs [rows, classes, ...] and a class number for each, [rows, ...]"
            raise self._fault(key, f"{shapes}: {rule}")
        classes = outputs.shape[1]
        if all_targets.min() < 0 or all_targets.max() >= classes or bool((all_targets != all_targets.round()).any()):
            found = f"targets from {all_targets.min().item()} to {all_targets.max().item()}"
            rule = f"takes whole class numbers from 0 to {classes - 1}, for the model output is {list(outputs.shape)}"
            raise self._fault(key, f"{found}: {rule}")

    def _number(self, key: str, function: Any, part: str, outputs: Any, targets: Any) -> Tensor:
        try:
            value = function(outputs, targets)
        except Exception as error:
            rule = f"fails on {part} rows, {_shapes(outputs, targets)}: {sentence(error)}"
            raise self._fault(key, rule) from error
        if not isinstance(value, Tensor) or value.numel() != 1:
            got = f"tensor {list(value.shape)}" if isinstance(value, Tensor) else kinds(value)
            if key == "loss" and len(nest.tensors(value)) > 1:
                rule = (
                    "must return one number: several losses, with an optimizer each, want a training loop of your own "
                    "(lrsearch.suggest_schedule)"
                )
                raise self._fault(key, rule, got)
            raise self._fault(key, "must return one number, as a tensor", got)
        return value

    def _check_gradient(self, loss: Tensor, targets: Any) -> None:
        if not loss.requires_grad:
            rule = "has no gradient: the model has no parameter to train, or the loss cuts the way to it"
            raise self._fault("loss", rule)
        try:
            loss.backward()  # type: ignore[no-untyped-call]
        except Exception as error:
            types = ", ".join(dict.fromkeys(str(tensor.dtype) for tensor in nest.tensors(targets))) or kinds(targets)
            rule = f"has no gradient for targets of type {types}: {sentence(error)}"
            raise self._fault("loss", rule) from error

    def _fault(self, key: str, rule: str, received: str | None = None) -> InputError:
        return input_error(self.source, rule, key=key, received=received)


def _warn_of_shared_rows(source: str, parts: dict[str, Rows]) -> None:
    """What was trained on proves nothing when it is tested on."""
    seen: dict[str, set[int]] = {}
    for part, rows in parts.items():
        if isinstance(rows, Streamed) or nest.is_sparse(rows):
            continue
        own = list(_fingerprints(rows))
        for earlier, others in seen.items():
            if shared := sum(row in others for row in own):
                words = f"{shared} of the {len(own)} {part} rows are {earlier} rows, too (same inputs and targets)"
                warnings.warn(f"{source}: {words}", LrsearchWarning, stacklevel=2)
        seen[part] = set(own)


def _warn_of_own_generators(source: str, parts: dict[str, Rows]) -> None:
    """What no seed decides makes trials that cannot be repeated."""
    for part, rows in parts.items():
        if not isinstance(rows, Streamed):
            continue
        numbers = range(READ_TWICE if isinstance(rows, Stream) else min(READ_TWICE, len(rows)))
        with fixed_seed():
            once = rows.batch(numbers)
        with fixed_seed():
            again = rows.batch(numbers)
        if not nest.equal(once, again):
            words = (
                f"{part} rows are not the same when they are read again with the same seed, so trials cannot be "
                "repeated: they draw from a generator of their own. Draw from torch, numpy.random or random, or make "
                "it where a row is read: rng = np.random.default_rng(np.random.randint(2**31))"
            )
            warnings.warn(f"{source}: {words}", LrsearchWarning, stacklevel=2)


def _fingerprints(rows: Data) -> Iterator[int]:
    flat = (part.detach().cpu().reshape(len(part), -1).contiguous() for part in nest.tensors(rows))
    parts = [part.view(torch.uint8).numpy() for part in flat]
    return (hash(b"".join(part.tobytes() for part in row)) for row in zip(*parts, strict=True))


def _shapes(outputs: Any, targets: Any) -> str:
    return f"model output {nest.shapes(outputs)}, targets {nest.shapes(targets)}"


def _shape(inputs: Any) -> str:
    if isinstance(inputs, Tensor):
        return f"{list(inputs.shape)} {str(inputs.dtype).removeprefix('torch.')}"
    if nest.children(inputs) is not None:
        return nest.shapes(inputs)
    return f"of type {type(inputs).__name__}"

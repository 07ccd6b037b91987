"""The validated definition of a study, section by section (the file's own shape is in `load`)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, FiniteFloat, field_validator, model_validator
from pydantic_core import PydanticCustomError

from lrsearch.study_file import optimizer_keys
from lrsearch.study_file.axes import Axis, Range, StrictModel
from lrsearch.study_file.command import TRAINING_KEYS, CommandSection
from lrsearch.study_file.limits import MOST_THREADS as MOST_THREADS
from lrsearch.study_file.names import LONGEST
from lrsearch.study_file.searched_options import LR, SearchedOptions

MOST_EPOCHS = 1_000_000
MOST_TRIALS = 1_000_000_000


class StudySection(StrictModel):
    """``[study]``: its name and how many trials it has in all, however many workers share it.

    Attributes:
        name: Of the study.
        trials: In all.
        value: Which epoch of a run is judged, for each seed: the ``last``, or the ``best`` by the test metric.
        load: Files and modules with own code.
    """

    name: str = Field(min_length=1, max_length=LONGEST)
    trials: int | None = Field(default=None, ge=1, le=MOST_TRIALS)
    value: Literal["last", "best"] = "last"
    load: list[str] = []

    @field_validator("name")
    @classmethod
    def _printable(cls, name: str) -> str:
        if not name.isprintable() or name != name.strip():
            raise PydanticCustomError("rule", "must be printable, without blanks around it")
        return name


class PluginSection(StrictModel):
    """A section that names a registered thing; its other keys are that thing's options."""

    name: str
    options: dict[str, Any] = {}


class TrainingSection(StrictModel):
    """``[training]``: what every trial has in common.

    Attributes:
        epochs: Passes over the training rows.
        batch_size: Rows in one update.
        optimizer: Its registered name, such as sgd or rmsprop, or ``module:Class``.
        seeds: A trial is trained once for each; they vary initial weights and data order, never the split.
        momentum: Of sgd.
        nesterov: Of sgd.
        weight_decay: L2 penalty of sgd and adam, decoupled for adamw.
        betas: Of adam and adamw.
        eps: Of adam and adamw.
        options: Further arguments of the optimizer; in a file they stand beside the other keys (`optimizer_keys`).
        clip_norm: Largest norm of an update's gradient; a larger gradient is scaled down to it. None: no limit.
        accumulate: Batches whose gradients make one update; schedules count updates.
        drop_last: Leave out the last batch of an epoch where it has fewer rows than `batch_size`.
        ema: Weight of the past in an average of the weights, taken after every update; that average is evaluated.
        precision: What forward passes compute in; less than float32 is mixed precision.
        evaluate_every: Updates from one look at the test metric to the next, across epochs; the last update has one,
            too. None: there is one after every epoch.
        train_metric_every: Evaluations from one look at the metric on training rows to the next; the last has one, too.
        patience: A run stops, and is complete, after so many evaluations in a row without a better test metric; None:
            every run is trained to its last epoch.
        min_delta: What the test metric has to gain on the best one so far for `patience` to begin anew.
        checkpoint_minutes: Minutes of training after which a trial that takes longer is saved, so that a crash costs no
            more of it.
        loader_workers: Processes that read rows of a Dataset that is not in memory as tensors; 0: training reads them.
    """

    epochs: int = Field(default=60, ge=1, le=MOST_EPOCHS)
    batch_size: int = Field(default=50, ge=1)
    optimizer: str = Field(default="sgd", min_length=1)
    seeds: list[int] = Field(default=[24], min_length=1, max_length=10_000)
    momentum: FiniteFloat = Field(default=0.0, ge=0, lt=1)
    nesterov: bool = False
    weight_decay: FiniteFloat = Field(default=0.0, ge=0)
    betas: list[FiniteFloat] = Field(default=[0.9, 0.999], min_length=2, max_length=2)
    eps: FiniteFloat = Field(default=1e-8, gt=0)
    options: dict[str, Any] = {}
    clip_norm: FiniteFloat | None = Field(default=None, gt=0)
    accumulate: int = Field(default=1, ge=1)
    drop_last: bool = False
    ema: FiniteFloat | None = Field(default=None, gt=0, lt=1)
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    evaluate_every: int | None = Field(default=None, ge=1)
    train_metric_every: int = Field(default=1, ge=1)
    checkpoint_minutes: FiniteFloat = Field(default=5.0, ge=0)
    loader_workers: int = Field(default=0, ge=0, le=1024)
    patience: int | None = Field(default=None, ge=1)
    min_delta: FiniteFloat = Field(default=0.0, ge=0)

    @property
    def unit(self) -> Literal["epoch", "evaluation"]:
        """What the steps of a curve are."""
        return "epoch" if self.evaluate_every is None else "evaluation"

    @property
    def evaluated(self) -> str | None:
        """When a run is evaluated, in words for code to paste; None where that is after every epoch."""
        every = self.evaluate_every
        return None if every is None else f"after every evaluation, that is, after every {every} updates"

    @field_validator("seeds")
    @classmethod
    def _seeds(cls, seeds: list[int]) -> list[int]:
        if len(set(seeds)) < len(seeds):
            raise PydanticCustomError("rule", "seeds must differ from each other")
        if not all(0 <= seed < 2**32 for seed in seeds):
            raise PydanticCustomError("rule", "seeds must be from 0 to 4294967295")
        return seeds

    @field_validator("betas")
    @classmethod
    def _betas(cls, betas: list[float]) -> list[float]:
        if not all(0 <= beta < 1 for beta in betas):
            raise PydanticCustomError("rule", "each must satisfy 0 <= beta < 1")
        return betas

    @model_validator(mode="after")
    def _min_delta_is_of_patience(self) -> TrainingSection:
        if self.min_delta and self.patience is None:
            raise PydanticCustomError("rule", "min_delta belongs to patience: set patience, or leave min_delta out")
        return self

    @model_validator(mode="after")
    def _fits_optimizer(self) -> TrainingSection:
        if self.optimizer == "sgd" and {"betas", "eps"} & self.model_fields_set:
            raise PydanticCustomError("rule", "betas and eps belong to adam and adamw")
        if self.optimizer in ("adam", "adamw") and {"momentum", "nesterov"} & self.model_fields_set:
            raise PydanticCustomError("rule", "momentum and nesterov belong to optimizer sgd; adam has betas")
        if self.nesterov and not self.momentum:
            raise PydanticCustomError("rule", "nesterov needs a momentum larger than 0")
        return self


class SearchSection(StrictModel):
    """``[search]``: the initial learning rate, the scheduler types, and their parameters.

    Attributes:
        lr: Axis of the initial learning rate.
        schedulers: Names, groups or aliases as the file gives them.
        parameters: Scheduler type -> parameter -> axis, where the file differs from the defaults.
        options: What else is searched: ``optimizers``, ``[search.training]`` and ``[search.task]``.
    """

    lr: Axis = Range(low=1e-4, high=0.3, log=True)
    schedulers: list[str] = Field(default=["classical"], min_length=1)
    parameters: dict[str, dict[str, Axis]] = {}
    options: SearchedOptions = SearchedOptions()

    def rate_axis(self, optimizer: str | None) -> Any:
        """The axis of the initial learning rate.

        Args:
            optimizer: Of the trial; None where only one is tried.
        """
        return self.options.by_optimizer.get(optimizer or "", {}).get(LR, self.lr)


class TrySection(StrictModel):
    """``[[try]]``: settings to train first; parameters that are left out take their defaults.

    Attributes:
        lr: Initial learning rate.
        scheduler: Scheduler type.
        parameters: Its parameters; in a file they stand beside the other keys.
        optimizer: One of those that are searched; by default that of ``[training]``.
        training: Searched keys of ``[training]``; by default what stands there.
        task: Searched options of the task; by default what stands in ``[task]``.
    """

    lr: FiniteFloat = Field(gt=0)
    scheduler: str
    parameters: dict[str, FiniteFloat] = {}
    optimizer: str | None = None
    training: dict[str, Any] = {}
    task: dict[str, Any] = {}

    def document(self) -> dict[str, Any]:
        """The settings in the shape of a study file."""
        further = {"optimizer": self.optimizer, "training": self.training, "task": self.task}
        given = {key: value for key, value in further.items() if value}
        return {"lr": self.lr, "scheduler": self.scheduler, **given, **self.parameters}


class ConfirmSection(StrictModel):
    """``[confirm]``: train the finalists again, on fresh seeds, when the search is done. The default is to do so.

    Attributes:
        top: How many of the search's best settings are finalists; tried settings and constant rates join them. 0 for
            no confirmation.
        seeds: On exactly how many fresh seeds each is trained; by default as many as it takes to answer the question,
            within the budget that `study.rounds` gives.
        margin: A difference of the metric that does not matter, in its own unit; by default 1 % of the value.
        contestants: What people do without a search, trained on the same seeds (`study_file.contestants`); by default
            those that add little (`search.contest`), and none for an empty list.
        valley: Whether half and twice the recommended rate are trained, too, and the middle of those that are as good.
    """

    top: int = Field(default=5, ge=0, le=100)
    seeds: int | None = Field(default=None, ge=2, le=1000)
    margin: FiniteFloat | None = Field(default=None, ge=0)
    contestants: list[str] | None = None
    valley: bool = True


TRAIN_SHARE = "train_share"
"""Option of every task: the share of its training rows that are trained on."""


class ScaleSection(StrictModel):
    """``[scale]``: from which short runs `lrsearch scale` predicts the rate of which long one.

    Attributes:
        axis: What grows.
        places: Where the short runs are; ``from`` in a file.
        to: The target.
    """

    axis: Literal["epochs", "batch_size", "data"] = "epochs"
    places: list[FiniteFloat] = Field(default=[], alias="from")
    to: FiniteFloat = Field(gt=0)

    @field_validator("places")
    @classmethod
    def _places(cls, places: list[float]) -> list[float]:
        if sorted(set(places)) != places or not all(place > 0 for place in places):
            raise PydanticCustomError("rule", "must be ascending numbers above 0, such as [15, 30, 60]")
        return places


class Definition(StrictModel):
    """Everything that says what a study is. `trials` of the study section is filled in.

    A study with a `command` has no task; what stands there is called ``command``.
    """

    study: StudySection
    task: PluginSection
    command: CommandSection | None = None
    training: TrainingSection = TrainingSection()
    search: SearchSection = SearchSection()
    sampler: PluginSection = PluginSection(name="tpe")
    pruner: PluginSection = PluginSection(name="extrapolation")
    tries: list[TrySection] = []
    confirm: ConfirmSection = ConfirmSection()
    scale: ScaleSection | None = None

    @property
    def trials(self) -> int:
        """The study's budget."""
        assert self.study.trials is not None
        return self.study.trials

    @property
    def is_pruned(self) -> bool:
        """Whether trials may end early."""
        return self.pruner.name != "none"

    def document(self) -> dict[str, Any]:
        """The definition in the shape of a study file, complete with defaults; what the storage keeps."""
        parts = self.model_dump(mode="python", exclude_none=True)
        document: dict[str, Any] = {
            "study": {key: value for key, value in parts["study"].items() if value != []},
            **({"task": _flat(parts["task"])} if self.command is None else {"command": parts["command"]}),
            "training": self._shown(parts["training"]),
            "search": {
                "lr": parts["search"]["lr"],
                "schedulers": parts["search"]["schedulers"],
                **self.search.options.document(),
                **parts["search"]["parameters"],
            },
            "sampler": _flat(parts["sampler"]),
            "pruner": _flat(parts["pruner"]),
        }
        if self.tries:
            document["try"] = [entry.document() for entry in self.tries]
        document["confirm"] = parts["confirm"]
        if self.scale is not None:
            document["scale"] = {"axis": self.scale.axis, "from": self.scale.places, "to": self.scale.to}
        return document

    def _shown(self, training: dict[str, Any]) -> dict[str, Any]:
        """The keys of the training section that mean something here."""
        if self.training.patience is None:
            training = {key: value for key, value in training.items() if key != "min_delta"}
        if self.command is not None:
            return {key: value for key, value in training.items() if key in TRAINING_KEYS}
        return optimizer_keys.joined(training)


def _flat(section: dict[str, Any]) -> dict[str, Any]:
    return {"name": section["name"], **section["options"]}

"""A resumed run is the uninterrupted one, and a file that is no checkpoint says so."""

from __future__ import annotations

import copy
import math
import os
import pickle
import random
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import torch

from lrsearch.errors import InputError, LrsearchError
from lrsearch.tasks.blocks import per_block
from lrsearch.tasks.task import Task
from lrsearch.training import best_weights, checkpoint
from lrsearch.training.definition import RunDefinition, parse
from lrsearch.training.loop import train
from lrsearch.training.run import Run


def define(scheduler: str = "constant", epochs: int = 6, lr: float = 0.01, **training: Any) -> RunDefinition:
    parameters = training.pop("parameters", {})
    document = {
        "task": {"name": "polynomial", "rows": 60, "holdout_rows": 0},
        "training": {"epochs": epochs, "batch_size": 14, **training},
        "lr": lr,
        "scheduler": scheduler,
        "parameters": parameters,
    }
    return parse(document, "test")


def with_dropout(task: Task) -> Task:
    """Draws random numbers in every forward pass, so that the run's own stream matters."""
    return replace(task, model=lambda: torch.nn.Sequential(torch.nn.Dropout(0.3), task.model()))


def told(run: Run) -> list[dict[str, Any]]:
    return [{**asdict(record), "seconds": 0.0} for record in run.records]


def saved(definition: RunDefinition, task: Task, epochs: int, file: Path) -> None:
    run = definition.start(task)
    list(train(run, epochs))
    checkpoint.save(file, definition, run)


@pytest.mark.parametrize("after", [0, 1, 4])
@pytest.mark.parametrize(
    ("scheduler", "settings"),
    [
        ("constant", {"momentum": 0.9, "nesterov": True}),
        ("one_cycle", {"optimizer": "adamw"}),
        ("cosine", {"optimizer": "prodigy"}),
        ("constant", {"optimizer": "schedule_free_adamw"}),
        ("plateau", {"optimizer": "adam", "parameters": {"patience": 0, "threshold": 0.5, "factor": 0.5}}),
        ("plateau", {"parameters": {"patience": 0, "threshold": 0.5, "warmup_fraction": 0.4}}),
        ("piecewise", {"seeds": [7]}),
        ("plateau", {"evaluate_every": 2, "parameters": {"patience": 0, "threshold": 0.5, "warmup_fraction": 0.4}}),
    ],
    ids=["nesterov", "one_cycle", "prodigy", "schedule_free", "plateau", "plateau_warmup", "piecewise", "within_epoch"],
)
def test_a_resumed_run_equals_the_uninterrupted_one(
    scheduler: str, settings: dict[str, Any], after: int, tmp_path: Path
) -> None:
    """Bit for bit: curves, weights, and the optimizer's state."""
    definition = define(scheduler, **settings)
    task = with_dropout(definition.build_task())
    whole = definition.start(task)
    list(train(whole))
    saved(definition, task, after, tmp_path / "run.ckpt")

    read = checkpoint.read(tmp_path / "run.ckpt")
    assert parse(read.document, "test") == definition
    resumed = definition.start(task)
    checkpoint.restore(read, resumed)
    assert read.epoch == resumed.epoch == after
    list(train(resumed))
    assert told(resumed) == told(whole)
    assert resumed.schedule_state == whole.schedule_state
    for ours, theirs in zip(resumed.model.state_dict().values(), whole.model.state_dict().values(), strict=True):
        assert torch.equal(ours, theirs)
    assert str(resumed.optimizer.state_dict()) == str(whole.optimizer.state_dict())


def test_details_are_there_after_a_resumed_run_and_not_in_the_file(tmp_path: Path) -> None:
    definition, file = define(), tmp_path / "run.pt"
    plain = definition.build_task()
    task = replace(plain, details={"blocks": per_block(plain, plain.test)})
    saved(definition, task, 5, file)
    resumed = definition.start(task)
    checkpoint.restore(checkpoint.read(file), resumed)
    [last] = train(resumed)
    assert last.details["blocks"].mean() == pytest.approx(last.test_metric)
    checkpoint.save(file, definition, resumed)
    again = definition.start(task)
    checkpoint.restore(checkpoint.read(file), again)
    assert told(again) == [{**record, "details": {}} for record in told(resumed)]


def test_a_run_that_is_evaluated_within_epochs_may_become_longer_where_nothing_else_changes(tmp_path: Path) -> None:
    """An epoch has three updates. After 12 of 18 an evaluation is one of the longer run; after 18 of 18 it is none."""
    stored, wanted = (define(epochs=epochs, evaluate_every=4) for epochs in (6, 8))
    task = stored.build_task()
    faults: list[list[str]] = []
    for evaluations in (3, 5):
        saved(stored, task, evaluations, tmp_path / "run.ckpt")
        resumed = wanted.start(task)
        checkpoint.restore(checkpoint.read(tmp_path / "run.ckpt"), resumed)
        faults.append([str(fault) for fault in checkpoint.check_epochs(stored, wanted, resumed)])
    assert faults[0] == []
    assert "after 18 updates, which is no multiple of evaluate_every = 4" in faults[1][0]


def test_divergence_lasts(tmp_path: Path) -> None:
    definition = define(lr=1e20)
    task = definition.build_task()
    saved(definition, task, 6, tmp_path / "run.ckpt")
    run = definition.start(task)
    checkpoint.restore(checkpoint.read(tmp_path / "run.ckpt"), run)
    assert run.diverged
    assert list(train(run)) == []


WRONG_VALUES: list[tuple[str, str, Any]] = [
    ("threads = -1: is damaged: must be at least 1", "threads", -1),
    ("threads = 1000000000: is damaged: must be at most 1024", "threads", 10**9),
    ("threads = true: is damaged: must be a whole number", "threads", True),
    ("state.epoch = 1000000000000", "state.epoch", 10**12),
    ("state.records = 0 records: is damaged: must be one for each of the 1 epochs", "state.records", []),
    ("state.records = 1 records", "state.epoch", 0),
    ("state.lr = NaN: is damaged|state.lr = nan: is damaged", "state.lr", math.nan),
    ("state.lr = inf", "state.lr", math.inf),
    ("state.lr = 0.0: is damaged: must be larger than 0", "state.lr", 0.0),
    (r"state.records\[0\].lr", "state.records.0.lr", -1.0),
    (r"state.records\[0\].epoch", "state.records.0.epoch", "1"),
    ("state.before.train_loss", "state.before.train_loss", "x"),
    ("state.diverged", "state.diverged", True),
    ("definition", "definition", [1]),
    ("state", "state", 7),
]


def with_value(parts: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    changed: Any = copy.deepcopy(parts)
    place, *keys = changed, *path.split(".")
    for key in keys[:-1]:
        place = place[int(key) if key.isdigit() else key]
    place[keys[-1]] = value
    return dict(changed)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("optimizer.param_groups.0.momentum", 1e9),
        ("optimizer.param_groups.0.lr", math.inf),
        ("optimizer.state.0.momentum_buffer", torch.zeros(7, 7)),
        ("order", torch.zeros(3, dtype=torch.uint8)),
        ("model", {}),
    ],
)
def test_a_state_of_another_shape_is_refused(path: str, value: Any, tmp_path: Path) -> None:
    """Before anything is trained with it."""
    definition = define(momentum=0.9)
    task = definition.build_task()
    saved(definition, task, 1, tmp_path / "run.ckpt")
    read = checkpoint.read(tmp_path / "run.ckpt")
    with pytest.raises(InputError, match=r"is damaged|has other layers"):
        checkpoint.restore(replace(read, state=with_value(read.state, path, value)), definition.start(task))


class Bomb:
    """Runs code when a careless reader unpickles it."""

    def __reduce__(self) -> Any:
        return os.mkdir, ("exploded",)


def bad_files(folder: Path) -> Iterator[tuple[str, Path]]:
    good = folder / "good.ckpt"
    definition = define()
    saved(definition, definition.build_task(), 1, good)
    content = good.read_bytes()
    for share in (0.0, 0.1, 0.5, 0.99):
        cut = folder / f"cut{share}.ckpt"
        cut.write_bytes(content[: int(len(content) * share)])
        yield "cut short", cut
    (folder / "notes.txt").write_text("not a checkpoint")
    yield "no checkpoint", folder / "notes.txt"
    (folder / "bomb.ckpt").write_bytes(pickle.dumps(Bomb()))
    yield "no checkpoint", folder / "bomb.ckpt"
    torch.save({"kind": checkpoint.KIND, "format": 1, "bomb": Bomb()}, folder / "bomb2.ckpt")
    yield "no checkpoint", folder / "bomb2.ckpt"
    torch.save(torch.nn.Linear(2, 1).state_dict(), folder / "model.pt")
    yield "no checkpoint of lrsearch", folder / "model.pt"
    parts = torch.load(good, weights_only=True)
    torch.save({**parts, "format": 99, "lrsearch": "9.9"}, folder / "future.ckpt")
    yield "written by lrsearch 9.9 in format 99", folder / "future.ckpt"
    torch.save({**parts, "state": {}}, folder / "empty.ckpt")
    yield "is damaged", folder / "empty.ckpt"
    for words, path, value in WRONG_VALUES:
        wrong = folder / f"{len(list(folder.iterdir()))}.ckpt"
        torch.save(with_value(parts, path, value), wrong)
        yield words, wrong
    with zipfile.ZipFile(good) as archive, zipfile.ZipFile(folder / "packed.ckpt", "w", zipfile.ZIP_DEFLATED) as packed:
        for name in archive.namelist():
            packed.writestr(name, archive.read(name) + bytes(2**20))
    yield "parts are packed", folder / "packed.ckpt"
    yield "it is no file", Path(os.devnull)
    yield "did you mean good.ckpt", folder / "god.ckpt"
    yield "cannot be read", folder


def test_a_file_that_is_no_checkpoint_gets_a_clear_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for words, file in bad_files(tmp_path):
        with pytest.raises(InputError, match=words):
            checkpoint.read(file)
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize("seed", range(4))
def test_a_file_damaged_anywhere_is_read_or_refused(seed: int, tmp_path: Path) -> None:
    """Some bytes of the file, or of the pickle in it under a checksum that is right, are others."""
    draw, good, bad = random.Random(seed), tmp_path / "good.ckpt", tmp_path / "bad.ckpt"
    definition = define()
    saved(definition, definition.build_task(), 1, good)
    with zipfile.ZipFile(good) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    refused = 0
    for turn in range(250):
        if turn % 2:
            bad.write_bytes(damaged(good.read_bytes(), draw))
        else:
            with zipfile.ZipFile(bad, "w") as archive:
                for name, content in parts.items():
                    archive.writestr(name, damaged(content, draw) if name.endswith(".pkl") else content)
        try:
            checkpoint.read(bad)
        except InputError:
            refused += 1
    assert refused > 50


def damaged(content: bytes, draw: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(draw.choice((1, 3, 20))):
        changed[draw.randrange(len(changed))] = draw.randrange(256)
    return bytes(changed)


def test_a_state_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    definition = define()
    task = definition.build_task()
    saved(definition, task, 1, tmp_path / "run.ckpt")
    read = checkpoint.read(tmp_path / "run.ckpt")
    others = {
        "its data": replace(task, test=(task.test[0] + 1, task.test[1])),
        "its model": replace(task, model=lambda: torch.nn.Sequential(task.model())),
    }
    for words, other in others.items():
        with pytest.raises(InputError, match=words):
            checkpoint.restore(read, definition.start(other))
    for name in ("order", "optimizer", "records", "before"):
        broken = replace(read, state={**read.state, name: None})
        with pytest.raises(InputError, match="is damaged"):
            checkpoint.restore(broken, definition.start(task))


def test_a_write_that_fails_leaves_the_former_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "run.ckpt"
    definition = define()
    run = definition.start(definition.build_task())
    checkpoint.save(file, definition, run)
    before = file.read_bytes()
    list(train(run, 1))

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(LrsearchError, match="No space left"):
        checkpoint.save(file, definition, run)
    assert file.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["run.ckpt"]


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    (tmp_path / ".run.ckpt.12345.part").write_bytes(b"half")
    (tmp_path / ".other.ckpt.12345.part").write_bytes(b"of another run")
    saved(define(), define().build_task(), 0, tmp_path / "run.ckpt")
    assert {path.name for path in tmp_path.iterdir()} == {"run.ckpt", ".other.ckpt.12345.part"}


@pytest.mark.parametrize(
    ("scheduler", "parameters", "epochs", "words"),
    [
        ("constant", {}, 9, None),
        ("lambda", {}, 9, None),
        ("plateau", {}, 9, None),
        ("wsd", {"decay_fraction": 0.3}, 9, None),
        ("constant", {"warmup_fraction": 0.5}, 9, "laid out for 6 epochs"),
        ("cosine", {}, 9, "laid out for 6 epochs"),
        ("wsd", {"decay_fraction": 0.9}, 9, "laid out for 6 epochs"),
        ("constant", {}, 2, "3 epochs are done already"),
        ("constant", {}, 3, None),
    ],
)
def test_another_length_is_right_where_no_rate_so_far_would_differ(
    scheduler: str, parameters: dict[str, float], epochs: int, words: str | None, tmp_path: Path
) -> None:
    stored = define(scheduler, parameters=parameters)
    task = stored.build_task()
    saved(stored, task, 3, tmp_path / "run.ckpt")
    wanted = checkpoint.same_but_epochs(stored, epochs)
    run = wanted.start(task)
    checkpoint.restore(checkpoint.read(tmp_path / "run.ckpt"), run)
    faults = checkpoint.check_epochs(stored, wanted, run)
    assert [words in fault.rule for fault in faults] == ([True] if words else [])  # type: ignore[operator]
    if not faults:
        whole = wanted.start(task)
        list(train(whole))
        list(train(run))
        assert told(run) == told(whole)


def test_divergence_is_judged_by_the_first_sittings_numbers(tmp_path: Path) -> None:
    """Another thread count sums in another order, and must not move the limit."""
    definition = define()
    task = definition.build_task()
    saved(definition, task, 1, tmp_path / "run.ckpt")
    read = checkpoint.read(tmp_path / "run.ckpt")
    rounded = {**read.state["before"], "train_loss": read.state["before"]["train_loss"] * (1 + 1e-6)}
    run = definition.start(task)
    checkpoint.restore(replace(read, state={**read.state, "before": rounded}), run)
    assert run.before.train_loss == rounded["train_loss"]


@pytest.mark.parametrize("ema", [None, 0.9])
def test_the_weights_of_the_best_epoch_are_kept_and_restored(tmp_path: Path, ema: float | None) -> None:
    """They are those that a loop copies at that epoch, whether the run was interrupted or not."""
    definition = define(lr=0.2, epochs=8, seeds=[3], **({} if ema is None else {"ema": ema}))
    run, task, file = definition.start(definition.build_task()), definition.build_task(), tmp_path / "run.ckpt"
    copies = {record.epoch: copy.deepcopy(run.evaluated.state_dict()) for record in train(run)}
    best = min(run.records, key=lambda record: record.test_metric)
    assert best.epoch < 8, "otherwise the last epoch would do"

    kept = definition.start(task)
    kept.keep = "best"
    list(train(kept, best.epoch + 1))
    checkpoint.save(file, definition, kept)
    resumed = definition.start(task)
    checkpoint.restore(checkpoint.read(file), resumed)
    list(train(resumed))
    model = best_weights.best_model(resumed)
    assert model is not None
    found = model.state_dict()
    assert all(torch.equal(found[name], copies[best.epoch][name]) for name in found)
    last = resumed.evaluated.state_dict()
    assert all(torch.equal(last[name], copies[8][name]) for name in last), "the run itself has gone on"


def test_best_weights_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    definition, file = define(epochs=2), tmp_path / "run.ckpt"
    run = definition.start(definition.build_task())
    run.keep = "best"
    list(train(run))
    assert run.best is not None
    run.best = replace(run.best, epoch=7)
    checkpoint.save(file, definition, run)
    with pytest.raises(InputError, match="damaged"):
        checkpoint.restore(checkpoint.read(file), definition.start(definition.build_task()))

"""`lrsearch study` as a person types it: real processes, real files."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import optuna
import pytest
from shared_study import wait_until

Command = Callable[..., "subprocess.CompletedProcess[str]"]


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def shown(lrsearch: Command, name: str = "small") -> dict[str, object]:
    result: dict[str, object] = json.loads(lrsearch("study", "show", name, "--format", "json").stdout)
    return result


def test_from_file_to_result(lrsearch: Command) -> None:
    done = lrsearch("study", "run", "small.toml")
    assert done.returncode == 0, done.stderr
    assert "lrsearch report small" in done.stderr
    assert "lrsearch dashboard\n" in done.stderr
    summary = shown(lrsearch)
    trials = summary["trials"]
    assert isinstance(trials, dict)
    assert trials["complete"] + trials["pruned"] + trials["failed"] == trials["budget"] == 5
    assert (trials["running"], trials["waiting"], trials["retried"]) == (0, 0, 0)
    assert set(summary["best"]) == {"number", "value", "params"}  # type: ignore[call-overload]
    listed = json.loads(lrsearch("study", "list", "--format", "json").stdout)
    assert [row["name"] for row in listed] == ["small"]
    assert "small" in lrsearch("study", "list").stdout


def test_a_finished_study_goes_on_only_when_its_total_grows(lrsearch: Command) -> None:
    lrsearch("study", "run", "small.toml")
    lrsearch("study", "run", "small.toml")
    assert shown(lrsearch)["trials"]["complete"] + shown(lrsearch)["trials"]["pruned"] == 5  # type: ignore[index]
    lrsearch("study", "run", "small", "--trials", "7")
    assert shown(lrsearch)["trials"]["budget"] == 7  # type: ignore[index]
    less = lrsearch("study", "run", "small", "--trials", "3")
    assert less.returncode == 2
    assert "below the 7 trials" in less.stderr


def test_another_definition_is_refused_with_the_keys_that_differ(lrsearch: Command, tmp_path: Path) -> None:
    assert lrsearch("study", "create", "small.toml").returncode == 0
    text = (tmp_path / "small.toml").read_text()
    (tmp_path / "small.toml").write_text(text.replace("epochs = 4", "epochs = 5").replace("trials = 5", "trials = 6"))
    refused = lrsearch("study", "run", "small.toml")
    assert refused.returncode == 2
    assert "training.epochs = 5: the stored study has 4" in refused.stderr
    assert "study.trials" not in refused.stderr
    (tmp_path / "small.toml").write_text(text.replace("trials = 5", "trials = 6"))
    assert lrsearch("study", "run", "small.toml").returncode == 0
    assert shown(lrsearch)["trials"]["budget"] == 6  # type: ignore[index]


def test_a_stored_study_never_needs_its_file_again(lrsearch: Command, tmp_path: Path) -> None:
    lrsearch("study", "create", "small.toml", "--name", "other", "--set", "training.epochs=2")
    (tmp_path / "small.toml").unlink()
    assert lrsearch("study", "run", "other", "--quiet").returncode == 0
    assert shown(lrsearch, "other")["definition"]["training"]["epochs"] == 2  # type: ignore[index]


def test_dry_run_writes_nothing(lrsearch: Command, tmp_path: Path) -> None:
    done = lrsearch("study", "create", "small.toml", "--dry-run", "--format", "json")
    plan = json.loads(done.stdout)
    assert (plan["trials"], plan["rungs"], plan["epochs_at_most"]) == (5, [2], 20)
    assert plan["pruning_saves_about"].keys() == {
        "epochs", "seconds_one_by_one", "epochs_in_batches", "seconds_in_batches",
    }  # fmt: skip
    assert files(tmp_path) == {"small.toml"}
    often = ("--set", "training.evaluate_every=1", "--set", "training.patience=2", "--set", "training.batch_size=14")
    plan = json.loads(lrsearch("study", "create", "small.toml", "--dry-run", "--format", "json", *often).stdout)
    assert (plan["evaluations_per_trial"], plan["rungs"], plan["epochs_at_most"]) == (12, [2, 6], 20)
    assert plan["epochs_if_patience_ends_each_run_at_once_about"] == 5, "of each run the first three updates"
    assert "pruning_saves_about" not in plan


@pytest.mark.parametrize("engine", ["sequential", "batched", pytest.param("compiled", marks=pytest.mark.soak)])
def test_same_file_and_seed_give_the_same_trials(lrsearch: Command, tmp_path: Path, engine: str) -> None:
    """Bit for bit, and also when the second run stops half way, between two generations, and goes on."""
    with (tmp_path / "small.toml").open("a") as file:
        file.write("[sampler]\ngeneration = 6\n")
    lrsearch("study", "run", "small.toml", "--trials", "12", "--engine", engine)
    lrsearch("study", "create", "small.toml", "--storage", "sqlite:///again.db", "--set", "study.trials=6")
    for total in ("6", "12"):
        again = ("--storage", "sqlite:///again.db", "--trials", total, "--engine", engine)
        lrsearch("study", "run", "small", *again)
    first, second = (
        [
            (t.params, t.value, t.state, t.intermediate_values, t.user_attrs["train_curve"])
            for t in optuna.load_study(study_name="small", storage=f"sqlite:///{tmp_path}/{name}.db").trials
        ]
        for name in ("lrsearch", "again")
    )
    assert len(first) == 12
    assert first == second


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.soak)])
def test_an_interrupted_run_loses_nothing(lrsearch: Command, tmp_path: Path, number: int) -> None:
    """SIGINT is ignored at the start, as a shell does for background jobs."""
    lrsearch("study", "create", "small.toml", "--set", "study.trials=4", "--set", "training.epochs=20000",
             "--set", "pruner.name=none")  # fmt: skip
    command = [sys.executable, "-c", "import signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN);"
               "import os; os.execv(sys.executable, [sys.executable, '-m', 'lrsearch', *sys.argv[1:]])",
               "study", "run", "small"]  # fmt: skip
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    study = optuna.load_study(study_name="small", storage=f"sqlite:///{tmp_path}/lrsearch.db")
    wait_until(lambda: any(trial.params for trial in study.get_trials(deepcopy=False)), process)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    engine, message = errors.splitlines()
    assert engine == "engine: batched"
    assert "Go on with: lrsearch study run small" in message
    states = [(trial.state.name, trial.user_attrs.get("retried")) for trial in study.get_trials(deepcopy=False)]
    assert states == [("FAIL", "interrupted")] * 4 + [("WAITING", None)] * 4
    trials = shown(lrsearch)["trials"]
    assert isinstance(trials, dict)
    assert (trials["retried"], trials["waiting"], trials["failed"], trials["running"]) == (4, 4, 0, 0)


def test_tried_settings_come_first(lrsearch: Command, tmp_path: Path) -> None:
    with (tmp_path / "small.toml").open("a") as file:
        file.write('[[try]]\nlr = 0.02\nscheduler = "lambda"\n')
    lrsearch("study", "run", "small.toml")
    first = optuna.load_study(study_name="small", storage=f"sqlite:///{tmp_path}/lrsearch.db").trials[0]
    assert first.params == {"lr": 0.02, "scheduler": "lambda", "decay": 0.95}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["study", "create", "smal.toml"], "did you mean small.toml?"),
        (["study", "run", "missing.toml"], "no such file"),
        (["study", "create", "small.toml", "--set", "study.trails=3"], "did you mean trials?"),
        (["study", "create", "small.toml", "--set", "training.epochs=-1"], "training.epochs = -1"),
        (["study", "create", "small.toml", "--set", "task.name=polinomial"], "did you mean polynomial?"),
        (["study", "create", "small.toml", "--load", "missing.py"], "no such file"),
        (["study", "create", "small.toml", "--storage", "nonsense"], "not a database URL"),
        (["study", "create", "small.toml", "--storage", "nonsense://x"], "unknown kind of database"),
        (["study", "create", "small.toml", "--storage", "sqlite:///no/folder/x.db"], "does not exist"),
        (["study", "create", "small.toml", "--storage", "sqlite:///small.toml"], "cannot be opened"),
        (["study", "run", "small"], "no such study"),
        (["study", "show", "small"], "there is no such database yet"),
        (["study", "frobnicate"], "No such command"),
        (["study", "run", "small.toml", "--trials", "0"], "--trials"),
        (["report", "small"], "there is no such database yet"),
        (["study", "new", "small.toml"], "exists already"),
        (["study", "new", "other.toml", "--from", "quickstar"], "did you mean quickstart?"),
    ],
)
def test_bad_input_gets_one_message_and_writes_nothing(
    lrsearch: Command, tmp_path: Path, arguments: list[str], words: str
) -> None:
    refused = lrsearch(*arguments)
    assert refused.returncode == 2, refused.stderr
    assert words in " ".join(refused.stderr.split())
    assert "Traceback" not in refused.stderr
    assert refused.stdout == ""
    assert files(tmp_path) == {"small.toml"}


def test_an_existing_study_is_not_created_again(lrsearch: Command) -> None:
    lrsearch("study", "create", "small.toml")
    again = lrsearch("study", "create", "small.toml")
    assert again.returncode == 2
    assert "--skip-if-exists" in again.stderr
    assert lrsearch("study", "create", "small.toml", "--skip-if-exists").returncode == 0


def test_an_unknown_study_lists_those_there_are(lrsearch: Command) -> None:
    lrsearch("study", "create", "small.toml")
    assert "did you mean small?" in lrsearch("study", "show", "smal").stderr
    unknown = lrsearch("report", "zzz")
    assert unknown.returncode == 2
    assert "there are small" in unknown.stderr


def test_a_report_that_cannot_be_written_says_so(lrsearch: Command) -> None:
    lrsearch("study", "create", "small.toml")
    for folder in ("small.toml", "small.toml/report"):
        refused = lrsearch("report", "small", "--output", folder)
        assert refused.returncode == 2, refused.stderr
        assert folder.split("/")[0] in refused.stderr
        assert "Traceback" not in refused.stderr


def test_a_password_is_never_printed(lrsearch: Command) -> None:
    refused = lrsearch("study", "list", "--storage", "postgresql://user:hunter2@127.0.0.1:9/none")
    assert refused.returncode == 2
    assert "hunter2" not in refused.stderr + refused.stdout


def test_the_storage_may_come_from_the_environment(lrsearch: Command, tmp_path: Path) -> None:
    lrsearch("study", "create", "small.toml", LRSEARCH_STORAGE="sqlite:///own.db")
    assert files(tmp_path) == {"small.toml", "own.db"}


def test_a_failing_model_ends_the_run_with_its_reason(lrsearch: Command, tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text(
        "import lrsearch, torch\n"
        "class Net(torch.nn.Linear):\n"
        "    def forward(self, rows):\n"
        "        return super().forward(rows[:, 1:] if self.training else rows)\n"
        "@lrsearch.task\n"
        "def broken() -> lrsearch.Task:\n"
        "    data = torch.zeros(8, 3), torch.zeros(8, 1)\n"
        "    return lrsearch.Task(model=lambda: Net(3, 1), train=data, test=data, loss='mse', metric='mse')\n"
    )
    (tmp_path / "broken.toml").write_text('[study]\nname = "b"\nload = ["broken.py"]\n[task]\nname = "broken"\n')
    failed = lrsearch("study", "run", "broken.toml")
    assert failed.returncode == 1
    assert "3 trials failed one after the other" in failed.stderr
    assert "shapes" in failed.stderr
    assert shown(lrsearch, "b")["trials"]["failed"] == 3  # type: ignore[index]


def test_version() -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "lrsearch", "--version"], capture_output=True, text=True, check=True
    ).stdout
    assert printed.split()[0] == "lrsearch"

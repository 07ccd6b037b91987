"""Study files: what is understood, and how everything that is wrong is said at once."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st

from lrsearch.errors import InputError
from lrsearch.study_file.load import differences, override, parse, parse_stored, read, sources
from lrsearch.study_file.model import ConfirmSection, Definition
from lrsearch.study_file.write import to_toml

MINIMAL = {"study": {"name": "s"}, "task": {"name": "polynomial"}}


def document(text: str) -> dict[str, Any]:
    return {**MINIMAL, **tomllib.loads(text)}


def faults(text: str) -> dict[str, str]:
    with pytest.raises(InputError) as caught:
        parse(document(text), "f.toml")
    return {fault.key: str(fault) for fault in caught.value.faults}


def test_only_two_names_are_required() -> None:
    definition = parse(MINIMAL, "f.toml")
    assert (definition.trials, definition.training.epochs, definition.sampler.name) == (100, 60, "tpe")
    assert definition.pruner.name == "extrapolation"
    assert {"constant", "lambda", "exponential"} <= set(definition.search.schedulers)
    assert set(faults("study = {}\ntask = {}")) == {"study.name", "task.name"}


@pytest.mark.parametrize(
    ("text", "key", "words"),
    [
        ("[training]\nepoch = 5", "training.epoch", "did you mean epochs?"),
        ("[trainig]\nepochs = 5", "trainig", "did you mean training?"),
        ("epochs = 5", "epochs", "5: stands outside any section; write it below [training]"),
        ("load = ['own.py']", "load", "write it below [study]"),
        ("seeds = [1]", "seeds", "write it below [training] or [confirm]"),
        ("layers = 5", "layers", "unknown key outside any section; known: study, task"),
        ("[training]\nepochs = '5'", "training.epochs", '"5": must be a whole number'),
        ("[training]\nepochs = -5", "training.epochs", "-5: must be at least 1"),
        ("[training]\nepochs = true", "training.epochs", "true: must be a whole number"),
        ("[study]\nname = 's'\ntrials = 0", "study.trials", "must be at least 1"),
        ("[study]\nname = ''", "study.name", "must not be empty"),
        ("[study]\nname = ' s'", "study.name", "without blanks"),
        ("[task]\nname = 'polynomal'", "task.name", "did you mean polynomial?"),
        ("[task]\nname = 'polynomial'\ndegre = 2", "task.degre", "did you mean degree?"),
        ("[task]\nname = 'polynomial'\nbatch_norm = 'pree'", "task.batch_norm", "did you mean pre?"),
        ("[search]\nlr = { low = 0.1, high = 0.01 }", "search.lr", "low must not be larger than high"),
        ("[search]\nlr = { low = 0, high = 0.1, log = true }", "search.lr", "larger than 0 on a log scale"),
        ("[search]\nlr = { low = 0, high = 0.1 }", "search.lr", "a learning rate must be larger than 0"),
        ("[search]\nlr = { low = inf, high = 0.1 }", "search.lr.low", "must be a finite number"),
        ("[search]\nlr = nan", "search.lr", "must be a finite number"),
        ("[search]\nlr = { choices = [] }", "search.lr.choices", "at least this many entries: 1"),
        ("[search]\nlr = { choices = [0.1, 0.1] }", "search.lr", "must differ"),
        ("[search]\nlr = { low = 0.1, high = 0.2, lg = true }", "search.lr.lg", "did you mean log?"),
        ("[search]\nschedulers = ['lamda']", "search.schedulers[0]", "did you mean lambda?"),
        ("[search]\nscheduler = ['lambda']", "search.scheduler", "did you mean schedulers?"),
        ("[search.lambda]\ndecay = { low = 0.5, high = 1.5 }", "search.lambda.decay", "0 < decay <= 1"),
        ("[search.lambda]\ndecai = 0.5", "search.lambda.decai", "did you mean decay?"),
        ("[search.lambada]\ndecay = 0.5", "search.lambada", "did you mean lambda?"),
        ("[search]\nschedulers = ['constant']\n[search.lambda]\ndecay = 0.5", "search.lambda", "not searched"),
        ("[sampler]\nname = 'tpee'", "sampler.name", "did you mean tpe?"),
        ("[sampler]\nname = 'tpe'\nsead = 1", "sampler.sead", "did you mean seed?"),
        ("[pruner]\nname = 'halfing'", "pruner.name", "did you mean halving?"),
        ("[pruner]\nkeep = 1.5", "pruner.keep", "must be smaller than 1"),
        ("[pruner]\nkeep = [0.5, 1.5]", "pruner.keep[1]", "must be smaller than 1"),
        ("[pruner]\nkeep = 'all'", "pruner.keep", "must be a number"),
        ("[pruner]\nname = 'halving'\nkeep = [0.5]", "pruner.keep", "must be a number"),
        ("[pruner]\naudit = 1", "pruner.audit", "must be smaller than 1"),
        ("[pruner]\nname = 'hyperband'\naudit = -0.1", "pruner.audit", "must be at least 0"),
        ("[pruner]\nname = 'median'\naudti = 0.1", "pruner.audti", "did you mean audit?"),
        ("[pruner]\nname = 'none'\naudit = 0.1", "pruner.audit", "unknown key; there are none to set here"),
        ("[[try]]\nlr = 0.5\nscheduler = 'constant'", "try[0].lr", "is outside search.lr"),
        ("[[try]]\nlr = 0.1\nscheduler = 'one_cycle'", "try[0].scheduler", "not among search.schedulers"),
        ("[[try]]\nlr = 0.1\nscheduler = 'lambda'\ndecay = 2.0", "try[0].decay", "0 < decay <= 1"),
        ("[[try]]\nlr = 0.1\nscheduler = 'lambda'\ndecay = 0.5", "try[0].decay", "outside search.lambda.decay"),
        ("[training]\noptimizer = 'adm'", "training.optimizer", "did you mean adam"),
        ("[training]\noptimizer = 'adam'\nmomentum = 0.9", "training", "belong to optimizer sgd"),
        ("[training]\noptimizer = 'rmsprop'\nalpa = 0.9", "training.alpa", "did you mean alpha?"),
        ("[training]\noptimizer = 'rmsprop'\nalpha = 'much'", "training.alpha", "must be a finite number, as an arg"),
        ("[training]\noptimizer = 'adam'\namsgrad = 1", "training.amsgrad", "must be true or false"),
        ("[training]\noptimizer = 'rprop'\netas = [0.5]", "training.etas", "must be a list of 2 numbers"),
        ("[training]\noptimizer = 'nadam'\nmaximize = true", "training.maximize", "unknown key"),
        ("[training]\noptimizer = 'adadelta'\nrho = 3.0", "training.optimizer", "ValueError: Invalid rho value: 3.0"),
        ("[training]\noptimizer = 'LBFGS'", "training.optimizer", "wants a closure"),
        ("[training]\noptimizer = 'nowhere:Lion'", "training.optimizer", "was not loaded: name it with --load nowhere"),
        ("[training]\noptimizer = 'torch.optim:Lion'", "training.optimizer", "torch.optim has no Lion"),
        ("[training]\noptimizer = 'torch:nn'", "training.optimizer", "must be a class of optimizers"),
        ("[training]\noptimizer = 'rmsprob'\nalpha = 0.9", "training.optimizer", "did you mean rmsprop"),
        ("[training]\nema = 1.0", "training.ema", "must be smaller than 1"),
        ("[training]\nseeds = [1, 1]", "training.seeds", "must differ"),
        ("[training]\nclip_norm = 0", "training.clip_norm", "must be larger than 0"),
        ("[training]\nclipnorm = 1.0", "training.clipnorm", "did you mean clip_norm?"),
        ("[training]\naccumulate = 0", "training.accumulate", "must be at least 1"),
        ("[training]\nprecision = 'bf16'", "training.precision", "must be one of float32, bfloat16, float16"),
        ("[training]\ntrain_metric_every = 0", "training.train_metric_every", "must be at least 1"),
        ("[training]\nloader_workers = -1", "training.loader_workers", "must be at least 0"),
    ],
)
def test_each_fault_names_key_value_rule_and_nearest(text: str, key: str, words: str) -> None:
    found = faults(text)
    assert list(found) == [key]
    assert words in found[key]


def test_all_faults_are_reported_together() -> None:
    found = faults(
        "[study]\nname = 's'\ntrials = -1\n[task]\nname = 'x'\n[training]\nepochs = 0\nfoo = 1\n"
        "[search]\nlr = 'high'\nschedulers = ['a', 'lambda', 'b']\n[sampler]\nname = 'y'\n[pruner]\nname = 'z'\n"
    )
    assert list(found) == [
        "study.trials", "task.name", "training.epochs", "training.foo", "search.lr",
        "search.schedulers[0]", "search.schedulers[2]", "sampler.name", "pruner.name",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "training",
    [
        {"optimizer": "rmsprop", "alpha": 0.9, "momentum": 0.5, "eps": 1e-6},
        {"optimizer": "sgd", "momentum": 0.9, "dampening": 0.1},
        {"optimizer": "adam", "betas": [0.8, 0.9], "amsgrad": True},
        {"optimizer": "torch.optim:Adagrad", "lr_decay": 0.1},
    ],
)
def test_arguments_of_an_optimizer_stand_among_the_other_keys(training: dict[str, Any]) -> None:
    made = parse({**MINIMAL, "training": training}, "test")
    document = made.document()
    assert {key: document["training"][key] for key in training} == training
    assert parse(document, "again") == parse_stored(document, "stored") == made
    assert tomllib.loads(to_toml(made)) == document


def test_names_of_classes_are_understood() -> None:
    for name, meant in (("AdamW", "adamw"), ("RMSprop", "rmsprop"), ("SGD", "sgd")):
        assert parse({**MINIMAL, "training": {"optimizer": name}}, "test").training.optimizer == meant


def test_the_file_of_an_optimizer_is_one_of_the_sources() -> None:
    training = {"optimizer": "own/lion.py:Lion"}
    assert sources({"study": {"load": ["task.py"]}, "training": training}) == ["task.py", "own/lion.py"]
    assert sources({"training": {"optimizer": "adam"}}) == sources({"training": 3}) == []


def test_confirm_has_defaults_and_rules() -> None:
    found = faults("[confirm]\ntop = -1\nseeds = 1\nrows = 3")
    assert found["confirm.top"] == "confirm.top = -1: must be at least 0"
    assert found["confirm.seeds"] == "confirm.seeds = 1: must be at least 2"
    assert "unknown key; known: top, seeds, margin" in found["confirm.rows"]
    assert parse(MINIMAL, "test").confirm == parse({**MINIMAL, "confirm": {}}, "test").confirm
    assert parse(MINIMAL, "test").confirm == ConfirmSection(top=5, seeds=None, margin=None)


def test_trials_and_confirmation_may_differ_from_those_of_a_stored_study() -> None:
    stored = parse(MINIMAL, "test")
    study = {**MINIMAL["study"], "trials": 7}
    assert differences(stored, parse({**MINIMAL, "study": study, "confirm": {"top": 0}}, "test")) == []
    assert [fault.key for fault in differences(stored, parse({**MINIMAL, "training": {"epochs": 9}}, "test"))] == [
        "training.epochs"
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [("[study\nname = 1", "line 1"), ("[study]\nname = 's'\ntrials = ?", "line 3"), (None, "no such file")],
)
def test_files_that_cannot_be_read(text: str | None, words: str, tmp_path: Path) -> None:
    file = tmp_path / "study.toml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(InputError, match=words) as caught:
        read(file)
    assert str(file) in str(caught.value)


@pytest.mark.parametrize(
    ("written", "value"), [(".9", 0.9), ("-1.", -1.0), ("5.e-3", 0.005), (".", "."), ("1.x", "1.x")]
)
def test_a_number_of_the_command_line_need_not_be_written_as_toml_has_it(written: str, value: object) -> None:
    assert override({}, [f"training.momentum={written}"]) == {"training": {"momentum": value}}


def test_settings_of_the_command_line_replace_keys() -> None:
    changed = override(MINIMAL, ["training.epochs=30", "search.lr={ low = 0.1, high = 0.2 }", "study.name=other"])
    definition = parse(changed, "f.toml")
    assert (definition.training.epochs, definition.study.name) == (30, "other")
    assert definition.search.lr.low == 0.1  # type: ignore[union-attr]
    assert MINIMAL["study"] == {"name": "s"}
    with pytest.raises(InputError) as caught:
        override(MINIMAL, ["training.epochs", "study.name.first=x"])
    assert len(caught.value.faults) == 2


def test_differences_name_every_key_but_the_number_of_trials(define: Callable[..., Definition]) -> None:
    first = define()
    second = define(study={"name": "small", "trials": 99}, training={"epochs": 5, "batch_size": 14, "seeds": [1]})
    assert [fault.key for fault in differences(first, second)] == ["training.epochs", "training.seeds"]
    assert differences(first, first) == []


def test_a_definition_that_an_older_version_stored_is_valid_and_the_same_study() -> None:
    """It knows nothing of the keys that came later; they take the values that change nothing."""
    definition = parse(MINIMAL, "f.toml")
    stored = definition.document()
    for key in ("accumulate", "precision", "loader_workers"):
        del stored["training"][key]
    assert "clip_norm" not in stored["training"]
    older = parse_stored(stored, "a storage")
    assert older == definition
    assert differences(older, definition) == []


def test_an_option_that_came_later_makes_no_other_study() -> None:
    definition = parse(MINIMAL, "f.toml")
    stored = definition.document()
    assert stored["pruner"].pop("audit") == 0.05
    assert differences(parse_stored(stored, "a storage"), definition) == []
    audited = parse({**MINIMAL, "pruner": {"audit": 0.1}}, "f.toml")
    assert [fault.key for fault in differences(parse_stored(stored, "a storage"), audited)] == ["pruner.audit"]
    stored["pruner"]["name"] = "of another package"
    assert "pruner.name" in [fault.key for fault in differences(parse_stored(stored, "a storage"), definition)]


positive = st.floats(1e-6, 1.0)
axes = st.one_of(
    positive,
    st.tuples(positive, positive, st.booleans()).map(lambda t: {"low": min(t[:2]), "high": max(t[:2]), "log": t[2]}),
    st.lists(positive, min_size=1, max_size=4, unique=True).map(lambda c: {"choices": c}),
)
documents = st.fixed_dictionaries(
    {
        "study": st.fixed_dictionaries({"name": st.sampled_from(["a", "é|<b>"]), "trials": st.integers(1, 10**6)}),
        "task": st.fixed_dictionaries({"name": st.just("polynomial")}, optional={"degree": st.integers(0, 5)}),
    },
    optional={
        "training": st.fixed_dictionaries(
            {}, optional={"epochs": st.integers(1, 500), "seeds": st.lists(st.integers(0, 99), min_size=1, unique=True)}
        ),
        "search": st.fixed_dictionaries(
            {"schedulers": st.just(["classical", "one_cycle"])},
            optional={"lr": axes, "lambda": st.fixed_dictionaries({"decay": axes})},
        ),
        "sampler": st.fixed_dictionaries({"name": st.sampled_from(["tpe", "random"]), "seed": st.integers(0, 99)}),
        "pruner": st.fixed_dictionaries({"name": st.just("halving"), "rungs": st.just([0.5])}),
        "try": st.just([]),
    },
)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(documents)
def test_what_is_stored_comes_back_the_same(given_document: dict[str, Any]) -> None:
    """Through the storage's form and through TOML, whatever the file said."""
    definition = parse(given_document, "f.toml")
    stored = definition.document()
    assert parse_stored(stored, "stored") == definition
    assert parse(tomllib.loads(tomlkit.dumps(stored)), "again") == definition


def test_one_wrong_shape_hides_no_other_fault() -> None:
    """Names are looked up although the section, or its neighbour, has a key of the wrong shape."""
    found = faults(
        """
        [training]
        epochz = 3
        [search]
        lr = { low = "x", high = 1 }
        schedulers = ["cosin", 3, "lambd"]
        [search.exponentiall]
        decades = 1
        [search.lambda]
        decay = { low = 2.0, high = 3.0 }
        [sampler]
        name = "tpee"
        [[try]]
        lr = "a"
        [[try]]
        lr = 0.1
        scheduler = "cosinee"
        [[try]]
        lr = 0.1
        scheduler = "lambda"
        decay = 7
        """
    )
    assert set(found) == {
        "training.epochz", "search.lr.low", "search.schedulers[0]", "search.schedulers[1]", "search.schedulers[2]",
        "search.exponentiall", "search.lambda.decay", "sampler.name", "try[0].lr", "try[0].scheduler",
        "try[1].scheduler", "try[2].decay",
    }  # fmt: skip
    assert "unknown scheduler; did you mean lambda" in found["search.schedulers[2]"]


def test_a_wrong_shape_adds_no_fault_of_its_own() -> None:
    """What depends on the key that is wrong is not guessed."""
    assert set(faults('search = { lr = "x", schedulers = ["lambda"] }')) == {"search.lr"}
    wrong = faults('[search]\nlr = 0.1\nschedulers = "lambda"\n[[try]]\nlr = 0.5\nscheduler = "cosine"')
    assert set(wrong) == {"search.schedulers"}

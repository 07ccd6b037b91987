"""The pages say what there is: every command, key, type and file is in its page, links lead somewhere, code works."""

from __future__ import annotations

import ast
import re
import runpy
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import command_reference
import pytest
import typer

import lrsearch
from lrsearch import registry
from lrsearch.cli.app import app
from lrsearch.study_file import model
from lrsearch.study_file.load import override, parse, read
from lrsearch.study_file.write import to_toml

ROOT = Path(__file__).parent.parent
FOLDERS = (".deploy", ".github", ".readme", "lrsearch", "notebooks", "studies", "tests")
PAGES = {
    str(file.relative_to(ROOT)): file.read_text(encoding="utf-8")
    for file in (ROOT / "README.md", *sorted(page for folder in FOLDERS for page in (ROOT / folder).rglob("*.md")))
}
README = PAGES["README.md"]
STUDY_FILES = PAGES["studies/README.md"]
MOST_LINES = 250
MOST_LINES_OF_A_PATH = 10
WRONG_USAGE = typer.BadParameter.__bases__
"""What unknown options raise, too: typer brings a click of its own, or takes the one that is installed."""
IMPORTS = {"lrsearch", "lrsearch.schedules"}
"""What a page may import of lrsearch; the first page only the first."""


def blocks(language: str, text: str) -> list[str]:
    """Code blocks that stand by themselves, or in a list; those of a quotation are no code to run."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^\1```", text, flags=re.S | re.M)
    return [re.sub(rf"^{indent}", "", block, flags=re.M) for indent, block in found]


def python_blocks() -> dict[str, str]:
    return {f"{name}-{i}": block for name, text in PAGES.items() for i, block in enumerate(blocks("python", text))}


def command_lines() -> list[str]:
    """Every lrsearch command of a block (a line of bash, or what follows the prompt) or of a sentence."""
    lines = []
    for text in PAGES.values():
        lines += [line for block in blocks("bash", text) for line in block.splitlines()]
        prompts = [line for block in blocks("console", text) for line in block.splitlines()]
        lines += [line[2:] for line in prompts if line.startswith("$ ")]
        lines += [" ".join(words.split()) for words in re.findall(r"`(lrsearch [^`]+)`", text)]
    parts = [part.strip() for line in lines for part in re.split(r"&&|\|", line)]
    return sorted({part for part in parts if part.startswith("lrsearch ") and "COMMAND" not in part})


def anchors(text: str) -> set[str]:
    """What GitHub makes of headings."""
    without_code = re.sub(r"^( *)```.*?^\1```", "", text, flags=re.S | re.M)
    headings = re.findall(r"^#+ (.*)$", without_code, flags=re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.fixture
def lrsearch_says(here: Callable[..., subprocess.CompletedProcess[str]]) -> Callable[..., str]:
    """Runs a command, which must succeed, in the test's folder; gives what it prints."""

    def run(*words: str) -> str:
        done = here(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_the_first_page_is_short() -> None:
    assert len(README.splitlines()) <= MOST_LINES


def test_the_first_page_has_its_order_and_its_paths_are_short() -> None:
    parts = re.split(r"^##+ (.*)$", README, flags=re.M)[1:]
    sections = dict(zip(parts[::2], parts[1::2], strict=True))
    paths = [name for name in sections if name.startswith("I want to")]
    assert list(sections) == [
        "What you get", "Two commands", "Where to begin", *paths, "What is guaranteed", "The pages",
    ]  # fmt: skip
    lengths = {name: len(re.findall(r"^(?! *```).+$", sections[name], flags=re.M)) for name in paths}
    assert len(paths) == 3
    assert max(lengths.values()) <= MOST_LINES_OF_A_PATH, lengths


def fault_of_link(name: str, target: str) -> str | None:
    """What is wrong with a link of a page to another page, or to a heading."""
    path, _, anchor = target.partition("#")
    file = ((ROOT / name).parent / path).resolve() if path else ROOT / name
    if not file.is_file():
        return f"{name} links to {target}"
    if anchor and anchor not in anchors(PAGES[str(file.relative_to(ROOT))]):
        return f"{name} links to {target}, which is no heading there"
    return None


def test_every_link_leads_somewhere() -> None:
    links = [(name, target) for name, text in PAGES.items() for target in re.findall(r"\]\(([^)\s]+)\)", text)]
    inner = [(name, target) for name, target in links if "://" not in target]
    assert inner
    assert [fault for name, target in inner if (fault := fault_of_link(name, target))] == []


def test_every_page_is_reached_from_the_first() -> None:
    linked = {target.partition("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", README)}
    assert set(PAGES) - {"README.md"} <= linked


@pytest.mark.parametrize(
    ("folder", "pattern"), [("studies", "*.toml"), ("notebooks", "**/*.ipynb"), (".deploy", "*.*")]
)
def test_every_file_of_a_folder_is_named_in_its_page(folder: str, pattern: str) -> None:
    place = ROOT / folder
    files = {file.relative_to(place).as_posix() for file in place.glob(pattern)} - {"README.md"}
    assert files
    assert all(f"({name})" in PAGES[f"{folder}/README.md"] for name in files)


def test_the_list_of_study_files_asks_their_questions() -> None:
    for file in (ROOT / "studies").glob("*.toml"):
        question = file.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")
        assert f"| [{file.name}]({file.name}) | {question} |" in STUDY_FILES


def test_every_benchmark_is_named_in_its_page() -> None:
    page = PAGES["tests/benchmarks/README.md"]
    assert all(re.search(rf"\b{file.name}\b", page) for file in (ROOT / "tests/benchmarks").glob("*.py"))


def test_every_folder_of_the_package_is_explained() -> None:
    page = PAGES[".github/CONTRIBUTING.md"]
    folders = [path for path in (ROOT / "lrsearch").iterdir() if (path / "__init__.py").is_file()]
    assert folders
    assert all(f"| `{folder.name}/` |" in page for folder in folders)


def test_the_command_reference_is_current() -> None:
    assert command_reference.PAGE.read_text(encoding="utf-8") == command_reference.page(), (
        "the commands have changed: run `python tests/command_reference.py`"
    )


def faults_of_command(command: str) -> list[str]:
    """What the reference does not say of a command, by what the program itself says it takes."""
    found = typer.main.get_command(app)
    for word in command.split()[1:]:
        found = found.commands[word]  # type: ignore[attr-defined]
    page = PAGES["lrsearch/cli/README.md"]
    section = page.split(f"### `{command}`\n")[1].split("\n###")[0]
    shared = page.split("### Options that several commands share\n")[1].split("\n###")[0]
    faults = [] if found.help is not None else [f"{command} says nothing of itself"]
    for option in found.params:
        long = max(option.opts, key=len)
        if option.hidden or not long.startswith("--"):  # type: ignore[attr-defined]
            continue
        row = re.compile(rf"^\| `{long}\b", flags=re.M)
        if f"`{long}" not in section or not (row.search(section) or row.search(shared)):
            faults.append(f"{command} {long} is not described")
    return faults


def test_every_command_and_option_is_described() -> None:
    commands = [name for name, _ in command_reference.commands(app, "lrsearch")]
    assert commands
    assert [fault for command in commands for fault in faults_of_command(command)] == []


def fault_of_line(line: str) -> str | None:
    """Unknown options and values are refused while they are parsed."""
    _, *words = shlex.split(line, comments=True)
    command = typer.main.get_command(app)
    path = []
    while words and words[0] in getattr(command, "commands", {}):
        path.append(words.pop(0))
        command = command.commands[path[-1]]  # type: ignore[attr-defined]
    if any(not word.startswith("-") for word in words):  # otherwise a sentence names the command, or an option of it
        if getattr(command, "commands", {}):
            return f"{line}: no such command"
        try:
            command.make_context(" ".join(path), list(words))
        except WRONG_USAGE as error:
            return f"{line}: {error}"
    known = {name for option in command.params for name in option.opts}
    if path == ["train"]:  # which takes the parameters of schedulers as options
        known |= {f"--{key}" for name in registry.schedules for key in registry.schedules.get(name).parameters()}
    unknown = {word for word in words if word.startswith("--")} - known
    return f"{line}: no such options: {unknown}" if unknown else None


def test_every_command_line_is_understood() -> None:
    lines = command_lines()
    assert len(lines) > 50
    assert [fault for line in lines if (fault := fault_of_line(line))] == []


def test_a_command_line_that_is_wrong_is_a_fault() -> None:
    for line in ("lrsearch study frobnicate x", "lrsearch study run a --nonsense", "lrsearch train --lr x y"):
        assert fault_of_line(line)


def test_every_scheduler_its_parameters_and_aliases_are_listed() -> None:
    faults = []
    for name in registry.schedules:
        row = next((line for line in STUDY_FILES.splitlines() if line.startswith(f"| `{name}` |")), "")
        parameters = [key for key in registry.schedules.get(name).parameters() if key != "warmup_fraction"]
        faults += [f"{name}: {key}" for key in parameters if f"`{key}`" not in row]
        faults += [f"{name}: {alias}" for alias in registry.schedules.aliases_of(name) if alias not in row]
        faults += [] if row else [name]
    assert not faults


def test_every_sampler_and_pruner_and_its_options_are_listed() -> None:
    shown = blocks("toml", STUDY_FILES)[1]
    for kind in (registry.samplers, registry.pruners):
        for name in kind:
            assert re.search(rf"^name = .*\b{name}\b", shown, flags=re.M)
            assert f"`{name}`" in STUDY_FILES or name == "none"
            assert all(re.search(rf"^(# )?{key} = ", shown, flags=re.M) for key in kind.get(name).options.model_fields)


def test_every_key_of_a_study_file_is_shown() -> None:
    shown = blocks("toml", STUDY_FILES)[1]
    sections = (model.StudySection, model.TrainingSection, model.ConfirmSection)
    keys = {key for section in sections for key in section.model_fields} - {"options"}  # of the optimizer, in its place
    assert all(re.search(rf"^(# )?{key} = ", shown, flags=re.M) for key in keys)


def test_the_study_files_in_them_are_valid() -> None:
    found = [block for text in PAGES.values() for block in blocks("toml", text)]
    assert found
    for block in found:
        document = tomllib.loads(block)
        assert parse(document, "page").study.name == document["study"]["name"]


def hidden_names(place: str, source: str) -> list[str]:
    """What code of a page uses of lrsearch that is not public."""
    allowed = {"lrsearch"} if place.startswith("README.md") else IMPORTS
    used: list[str] = []
    for node in ast.walk(ast.parse(source)):
        modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            modules = [node.module or ""]
            if node.module in IMPORTS:
                public = getattr(sys.modules[node.module], "__all__")  # noqa: B009
                used += {alias.name for alias in node.names} - set(public)
        used += {module for module in modules if module.split(".")[0] == "lrsearch"} - allowed
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "lrsearch":
            used += {node.attr} - set(lrsearch.__all__)
    return [f"{place}: {name}" for name in used]


def test_code_uses_public_names_only() -> None:
    assert python_blocks()
    assert [fault for place, source in python_blocks().items() for fault in hidden_names(place, source)] == []
    assert len(hidden_names("README.md", "import lrsearch.study\nfrom lrsearch import nobody\nlrsearch.nothing")) == 3


def test_every_public_name_is_in_the_table_of_names() -> None:
    table = PAGES["lrsearch/README.md"]
    assert all(f"`{name}`" in table for name in lrsearch.__all__ if name != "__version__")


def test_the_python_functions_shown_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On a smaller study, so that it takes seconds."""
    example = next(block for block in blocks("python", PAGES["lrsearch/README.md"]) if "run_study(" in block)
    shorter = ["study.trials=6", "training.epochs=4", "confirm.contestants=[]"]
    small = parse(override(read(ROOT / "studies/quickstart.toml"), shorter), "small")
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies/quickstart.toml").write_text(to_toml(small))
    (tmp_path / "example.py").write_text(example.replace("epochs=60", "epochs=4").replace("epochs=20", "epochs=2"))
    monkeypatch.chdir(tmp_path)
    runpy.run_path("example.py")
    assert "reports/quickstart/report.md" in capsys.readouterr().out
    assert (tmp_path / "curves.png").is_file()


def test_the_schedule_that_is_shown_works(tmp_path: Path, lrsearch_says: Callable[..., str]) -> None:
    """Search space, report code and both engines know it after one import."""
    example = next(block for block in python_blocks().values() if "@register" in block)
    (tmp_path / "staircase.py").write_text(example)
    (tmp_path / "stairs.toml").write_text(
        '[study]\nname = "stairs"\ntrials = 4\nload = ["staircase.py"]\n[task]\nname = "polynomial"\nrows = 60\n'
        '[training]\nepochs = 4\n[search]\nschedulers = ["staircase"]\n[confirm]\ntop = 0\n'
    )
    lrsearch_says("study", "run", "stairs.toml", "--quiet")
    assert "staircase.stairs" in lrsearch_says("study", "best", "stairs", "--format", "json")


def test_the_task_that_is_shown_is_the_tested_example(tmp_path: Path, lrsearch_says: Callable[..., str]) -> None:
    """It differs from the example by the line that lists show."""
    example = next(block for block in python_blocks().values() if "@lrsearch.task" in block)
    tested = (ROOT / "tests/examples/wine.py").read_text(encoding="utf-8").split('"""\n', 1)[1].strip()
    shown = '    """Which of three growers made a wine, from thirteen measurements."""\n'
    assert example.replace(shown, "").strip() == tested
    (tmp_path / "wine.py").write_text(example)
    listed = lrsearch_says("tasks", "--load", "wine.py")
    assert "wine: Which of three growers made a wine, from thirteen measurements." in listed


def test_the_training_loop_that_is_shown_runs_and_is_reported_on(
    tmp_path: Path, lrsearch_says: Callable[..., str]
) -> None:
    example = next(block for block in python_blocks().values() if "suggest_schedule(" in block)
    (tmp_path / "own_loop.py").write_text(example.replace("EPOCHS = 10", "EPOCHS = 2"))
    runpy.run_path("own_loop.py")
    lrsearch_says("report", "own_loop")
    report = (tmp_path / "reports/own_loop/report.md").read_text(encoding="utf-8")
    assert "| constant" in report
    assert "# `optimizer` is that of your own training loop, with lr=" in report
    assert "scheduler = torch.optim.lr_scheduler." in report


def test_exactly_two_commands_do_all_the_setting_up() -> None:
    setup = [block for block in blocks("bash", README) if "pip install" in block]
    assert len(setup) == 2
    assert all(len(block.strip().splitlines()) == 1 for block in setup)
    assert "lrsearch study run studies/quickstart.toml && lrsearch report quickstart" in setup[0]
    assert "pytest" in setup[1]

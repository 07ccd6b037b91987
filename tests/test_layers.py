"""The layers and walls of the architecture, read from the source."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "lrsearch"
FLOORS = [
    ["atomic_file", "cache_folder", "errors", "garbage", "extras", "printable", "version"],
    ["found_out", "signals"],
    ["registry", "storage"],
    ["study_file"],
    ["pruning", "schedules", "tasks"],
    ["sampling", "training"],
    ["study"],
    ["report", "search"],
    ["dashboard", "launch"],
    ["operations"],
    ["api", "integrations"],
    ["__init__"],
    ["cli"],
    ["__main__"],
]
"""From the ground up. A file imports from its own room and from lower floors, never from the next room."""
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
WALLS = {
    "optuna": (
        "search/",
        "storage/",
        "operations/confirm_objective.py",
        "api/own_loop.py",
        "report/frames.py",
        "report/importance.py",
        "report/ped_anova.py",
        "dashboard/",
        "study/",
        "sampling/",
        "pruning/",
        "integrations/",
    ),
    "optuna_dashboard": ("dashboard/",),
    "torch": ("training/", "schedules/", "tasks/", "search/", "study/holdout.py", "integrations/"),
    "pandas": ("report/", "tasks/table.py"),
    "matplotlib": ("report/figures/",),
    "typer": ("cli/",),
    "rich": ("cli/",),
    "waitress": ("dashboard/",),
    "prometheus_client": ("launch/metrics.py",),
    "plotly": ("dashboard/",),
    "ray": ("launch/ray/cluster.py",),
    "boto3": ("dashboard/",),
}
FILES = sorted(PACKAGE.rglob("*.py"))


def imports(path: Path, *, runtime_only: bool = False) -> Iterator[str]:
    """Every module that a file imports, wherever in the file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped: set[ast.AST] = set()
    if runtime_only:
        for node in ast.walk(tree):
            if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
                skipped.update(ast.walk(node))
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room(module: str) -> str | None:
    parts = module.split(".")
    return parts[1] if parts[0] == "lrsearch" and len(parts) > 1 and parts[1] in FLOOR_OF else None


def name_of(path: Path) -> str:
    """Dotted name of a file's module."""
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")


def test_imports_point_downwards() -> None:
    """A file that imports from its own floor or from above is a fault."""
    faults = []
    for path in FILES:
        own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        for module in imports(path, runtime_only=True):
            to = room(module)
            if to and to != own and FLOOR_OF[to] >= FLOOR_OF[own]:
                faults.append(f"{name_of(path)} imports {module}")
    assert not faults


def test_no_two_files_import_each_other() -> None:
    """Not even for their types: whoever reads one of them must not need the other first."""
    names = {name_of(path): path for path in FILES}
    uses = {name: {module for module in imports(path) if module in names} for name, path in names.items()}
    # `from package import module` names the package, too, which is no use of its __init__.
    pairs = {tuple(sorted((one, other))) for one in uses for other in uses[one] if one in uses[other] and one != other}
    assert not [pair for pair in pairs if not pair[1].startswith(f"{pair[0]}.")]


def test_libraries_stay_behind_their_walls() -> None:
    uses = {str(path.relative_to(PACKAGE)): set(imports(path, runtime_only=True)) for path in FILES}
    faults = [
        f"{name} imports {library}"
        for library, walls in WALLS.items()
        for name, modules in uses.items()
        if library in {module.split(".")[0] for module in modules} and not name.startswith(walls)
    ]
    assert not faults


WITHOUT_TORCH = [
    "import lrsearch",
    "import lrsearch.cli.app",
    "import lrsearch.schedules; import lrsearch.study.stored",
    "from lrsearch.report import frames, markdown",
    "import lrsearch; lrsearch.schedules.Lambda(decay=0.5); dir(lrsearch)",
    "import lrsearch; lrsearch.load_frames; lrsearch.write_report; lrsearch.create_study; lrsearch.plot_study",
    "from lrsearch.report.figures import families, lr_range",
    "from lrsearch.sampling.space import settings_from as f; f({'lr': 0.1, 'scheduler': 'lambda', 'decay': 0.9})",
    "import lrsearch.launch.ray.cluster",
    "import lrsearch.operations.judge, lrsearch.report.runs.words",
]
NOTICE = """
import sys
for statement in sys.stdin.read().splitlines():
    exec(statement)
    found = {"torch", "ray"} & set(sys.modules)
    if found:
        sys.exit(f"{statement} imports {found}")
"""


def test_torch_and_ray_wait_until_they_are_needed() -> None:
    """Reports and lists must start fast."""
    command = [sys.executable, "-c", NOTICE]
    done = subprocess.run(command, input="\n".join(WITHOUT_TORCH), text=True, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


EARLY = """
import sys
import lrsearch.cli.app
import lrsearch.study.overview
from lrsearch.study.overview import overview
overview(sys.argv[1], print)
print(*sorted({"optuna", "torch", "scipy", "pandas", "numpy", "alembic"} & set(sys.modules)))
"""


def test_help_and_the_list_of_studies_wait_for_no_library(tmp_path: Path) -> None:
    """Optuna alone takes longer to import than a thousand studies take to be listed."""
    import optuna

    url = f"sqlite:///{tmp_path / 'list.db'}"
    optuna.create_study(storage=url, study_name="one")
    command = [sys.executable, "-c", EARLY, url]
    done = subprocess.run(command, text=True, capture_output=True, check=False)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "", "")


def test_every_room_has_its_floor() -> None:
    rooms = {path.stem for path in PACKAGE.iterdir() if path.is_dir() or path.suffix == ".py"} - {"__pycache__"}
    assert rooms == set(FLOOR_OF)

"""The layers and walls of the architecture, read from the source."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "lrsearch"
LAYERS = [
    "errors",
    "registry",
    "study_file",
    "storage",
    "tasks",
    "schedules",
    "training",
    "search",
    "report",
    "dashboard",
    "api",
    "cli",
]
WALLS = {
    "optuna": ("search/", "storage/", "report/frames.py", "dashboard/"),
    "optuna_dashboard": ("dashboard/",),
    "torch": ("training/", "schedules/", "tasks/", "search/"),
    "pandas": ("report/",),
    "matplotlib": ("report/figures/",),
    "typer": ("cli/",),
    "rich": ("cli/",),
    "waitress": ("dashboard/",),
    "prometheus_client": ("search/monitoring.py",),
    "plotly": ("dashboard/",),
    "ray": ("search/cluster.py",),
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


def layer(module: str) -> str | None:
    parts = module.split(".")
    return parts[1] if parts[0] == "lrsearch" and len(parts) > 1 and parts[1] in LAYERS else None


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_downwards(path: Path) -> None:
    own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if own not in LAYERS:
        assert own in {"__init__", "__main__"}, f"{own} is in no layer"
        return
    upward = {m for m in imports(path, runtime_only=True) if (to := layer(m)) and LAYERS.index(to) > LAYERS.index(own)}
    assert not upward, f"{path.name} imports from above: {upward}"


@pytest.mark.parametrize("library", WALLS)
def test_libraries_stay_behind_their_walls(library: str) -> None:
    outside = [
        str(path.relative_to(PACKAGE))
        for path in FILES
        if any(module.split(".")[0] == library for module in imports(path, runtime_only=True))
        and not str(path.relative_to(PACKAGE)).startswith(WALLS[library])
    ]
    assert not outside


@pytest.mark.parametrize(
    "statement",
    [
        "import lrsearch",
        "import lrsearch.cli.app",
        "import lrsearch.schedules; import lrsearch.study.stored",
        "from lrsearch.report import frames, markdown",
        "import lrsearch; lrsearch.schedules.Lambda(decay=0.5); dir(lrsearch)",
        "import lrsearch; lrsearch.load_frames; lrsearch.write_report; lrsearch.create_study; lrsearch.plot_study",
        "from lrsearch.report.figures import families, lr_range",
        "from lrsearch.sampling.space import settings_from as f; f({'lr': 0.1, 'scheduler': 'lambda', 'decay': 0.9})",
    ],
)
def test_torch_waits_until_it_is_needed(statement: str) -> None:
    """Reports and lists must start fast."""
    check = f"{statement}\nimport sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0


def test_ray_waits_until_a_cluster_is_joined() -> None:
    check = "import lrsearch.cli.app, lrsearch.launch.ray.cluster, sys; sys.exit('ray' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0


def test_every_folder_of_the_package_is_a_layer() -> None:
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders <= set(LAYERS)

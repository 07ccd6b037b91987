"""An example for each command, as its help shows it; a test parses every line."""

from __future__ import annotations

EXAMPLES: dict[str, list[str]] = {
    "": [
        "lrsearch study new my_study.toml",
        "lrsearch study run my_study.toml",
        "lrsearch report quickstart",
        "lrsearch tasks new --from-csv houses.csv --target price",
    ],
    "tasks": ["lrsearch tasks"],
    "tasks new": [
        "lrsearch tasks new my_task.py --study my_study.toml --kind classification",
        "lrsearch tasks new --from-csv houses.csv --target price",
    ],
    "tasks check": ["lrsearch tasks check my_task.py:my_task"],
    "schedules": ["lrsearch schedules"],
    "schedules list": ["lrsearch schedules list --format json"],
    "schedules plot": ["lrsearch schedules plot cosine one_cycle --output schedules.png"],
    "lr-find": [
        "lrsearch lr-find --task polynomial --plot range.png",
        "lrsearch lr-find --task my_task.py:my_task --write my_study.toml",
    ],
    "train": [
        "lrsearch train --task polynomial --lr 0.05 --scheduler lambda --decay 0.95 --plot curves.png",
        "lrsearch train --from-study quickstart",
    ],
    "study": ["lrsearch study run my_study.toml"],
    "study new": ["lrsearch study new my_study.toml --from quickstart"],
    "study create": ["lrsearch study create my_study.toml --set training.epochs=30 --dry-run"],
    "study run": ["lrsearch study run my_study.toml --workers 2", "lrsearch study run my_study --trials 500"],
    "study list": ["lrsearch study list"],
    "study show": ["lrsearch study show my_study"],
    "study best": ["lrsearch study best my_study --format json"],
    "study confirm": ["lrsearch study confirm my_study --top 5 --seeds 7"],
    "study export": ["lrsearch study export my_study --output trials.csv"],
    "study stop": ["lrsearch study stop my_study"],
    "study delete": ["lrsearch study delete my_study"],
    "trial": ["lrsearch trial list my_study"],
    "trial list": ["lrsearch trial list my_study"],
    "trial show": ["lrsearch trial show my_study 17"],
    "trial exclude": ['lrsearch trial exclude my_study 17 --reason "the disk was full"'],
    "trial reap": ["lrsearch trial reap my_study"],
    "trial retry": ["lrsearch trial retry my_study --failed"],
    "report": ["lrsearch report my_study", "lrsearch report my_study other_study --format html --output comparison"],
    "judge": ["lrsearch judge runs.csv --value test_loss --settings lr,scheduler --seed seed"],
    "dashboard": ["lrsearch dashboard --port 8080"],
    "serve": ["lrsearch serve --workers 2 --host 0.0.0.0 --token-file token.txt"],
    "worker": ["lrsearch worker --study my_study --load my_task.py --exit-when-idle"],
    "storage": ["lrsearch storage check"],
    "storage check": ["lrsearch storage check --storage sqlite:///lrsearch.db"],
    "storage upgrade": ["lrsearch storage upgrade --storage sqlite:///lrsearch.db"],
}
"""Command -> lines to type."""

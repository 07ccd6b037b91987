"""The figures of a report. Each takes the frames and returns a figure, the same for the same frames."""

from lrsearch.report.figures.comparison import compared_runs
from lrsearch.report.figures.curves import MOST_LINES, learning_curves
from lrsearch.report.figures.epochs_needed import epochs_needed
from lrsearch.report.figures.finalists import finalists
from lrsearch.report.figures.history import history
from lrsearch.report.figures.interactions import rate_interactions
from lrsearch.report.figures.layout import narrow
from lrsearch.report.figures.learning_rates import lr_against_value
from lrsearch.report.figures.letters import numbered, undrawable
from lrsearch.report.figures.look import IMAGES, Draw, image, png, small_png
from lrsearch.report.figures.run import training_run
from lrsearch.report.figures.scaling import scaled_study
from lrsearch.report.figures.schedules import best_schedules, extra_metrics, leaves_out
from lrsearch.report.figures.selection import chosen, few, kept_of, single
from lrsearch.report.figures.two_studies import two_studies
from lrsearch.report.figures.valley import trials_alike, valley

__all__ = [
    "IMAGES",
    "MOST_LINES",
    "Draw",
    "best_schedules",
    "chosen",
    "compared_runs",
    "epochs_needed",
    "extra_metrics",
    "few",
    "finalists",
    "history",
    "image",
    "kept_of",
    "learning_curves",
    "leaves_out",
    "lr_against_value",
    "narrow",
    "numbered",
    "png",
    "rate_interactions",
    "scaled_study",
    "single",
    "small_png",
    "training_run",
    "trials_alike",
    "two_studies",
    "undrawable",
    "valley",
]

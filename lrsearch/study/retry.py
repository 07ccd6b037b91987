"""Let the settings of failed trials be run again: a machine may have been at fault, or a file that is there now."""

from __future__ import annotations

from collections.abc import Sequence

from optuna.trial import TrialState

from lrsearch.errors import Fault, InputError, input_error
from lrsearch.storage.attributes import RETRIED
from lrsearch.storage.choice import trial_store
from lrsearch.study import compatibility
from lrsearch.study.status import state
from lrsearch.study.stored import StoredStudy

REASON = "a person let it be run again"


def retry(stored: StoredStudy, numbers: Sequence[int] | None = None) -> list[int]:
    """Let trials that failed for good wait again, under new numbers. The originals stay, as retried ones.

    Args:
        stored: The study.
        numbers: Which trials; all by default.

    Returns:
        Numbers of the trials whose settings wait now.

    Raises:
        InputError: lrsearch did not create the study, another version did that trains differently, or a trial is not
            there or has not failed. Then nothing was changed.
    """
    if stored.definition is None:
        raise input_error(f"study {stored.name}", "was not created by lrsearch, which therefore trains none of it")
    compatibility.check_version(stored)  # or else it would promise what no run here does
    trials = stored.trials()
    failed = {t.number for t in trials if t.state == TrialState.FAIL and RETRIED not in t.user_attrs}
    faults = []
    for number in numbers or ():
        if not 0 <= number < len(trials):
            there = f"study {stored.name} has trials 0 to {len(trials) - 1}" if trials else f"{stored.name} has none"
            faults.append(Fault("", f"no such trial; {there}", str(number)))
        elif number not in failed:
            faults.append(Fault("", f"is {state(trials[number])}: only a failed trial is run again", str(number)))
    if faults:
        raise InputError("trial retry", faults)
    wanted = sorted(failed if numbers is None else set(numbers))
    return trial_store(stored.study, stored.storage, patience=stored.patience).retry(wanted, REASON)

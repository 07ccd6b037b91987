"""Errors of `vmap` in words that say what a network does."""

from __future__ import annotations

import re

from lrsearch.training.random_draws import ONLY_ONE_BY_ONE
from lrsearch.training.recurrent import PACKED


def sentence(error: Exception) -> str:
    """An error on one line: our words where vmap's are long, else its first sentence.

    Args:
        error: What was raised.
    """
    text = " ".join(str(error).split()) or type(error).__name__
    if words := words_for(error):
        return words
    operator = re.search("atching rule (?:not implemented )?for (aten::[a-z_0-9]+)", text)
    if operator is not None:
        return f"vmap has no rule for {operator[1]}"
    sentence = text.split(". ")[0].rstrip(".").removeprefix("vmap: ")
    return sentence if len(sentence) <= 160 else f"{sentence[:157]}..."


def words_for(error: Exception) -> str | None:
    """Our words for an error of vmap's, where there are some.

    Args:
        error: What was raised.
    """
    return next((words for sign, words in _PLAIN_WORDS.items() if sign in str(error)), None)


_PLAIN_WORDS = {
    "It looks like you're": "looks at a tensor's value while it runs (.item(), or `if` on a tensor)",
    "dynamic shape": "makes a tensor whose shape depends on values (a boolean mask, nonzero, unique)",
    "called random operation": "draws random numbers",
    "_pack_padded_sequence": PACKED,
    "different inplace randomness": ONLY_ONE_BY_ONE,
}

"""How a person gets an optional dependency of this package, which is on no index yet: from its checkout."""

from __future__ import annotations


def install(extra: str) -> str:
    """The words that say how, for messages.

    Args:
        extra: Its name in pyproject.toml, such as ``postgres``.
    """
    return f'in the folder of the lrsearch checkout: pip install ".[{extra}]"'

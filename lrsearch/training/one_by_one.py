"""What only works when networks are trained one by one."""

from __future__ import annotations


class OneByOneError(RuntimeError):
    """A network does what a batch of networks cannot do; the text is the reason, in the words of `tasks check`."""

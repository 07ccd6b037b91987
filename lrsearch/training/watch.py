"""Which module of a network is at work: so that a message can name the one that fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn


class ModuleWatch:
    """Follows forward passes through the modules of a network.

    Args:
        model: The network.
    """

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.running: list[nn.Module] = []
        self.attributes = {module: _own_attributes(module) for module in model.modules()}

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Follow the forward passes of the block; if one raises, `name_of_running` still says where."""
        hooks = []
        for module in self.model.modules():
            hooks.append(module.register_forward_pre_hook(self._enter))
            hooks.append(module.register_forward_hook(self._leave))
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def name_of_running(self) -> str:
        """The innermost module that has not returned; empty if all have."""
        return self.name(self.running[-1]) if self.running else ""

    def changed_attribute(self) -> str:
        """A module and its attribute, neither parameter nor buffer, that forward passes changed; empty if none."""
        for module, before in self.attributes.items():
            for key, value in _own_attributes(module).items():
                if key not in before or not _same(before[key], value):
                    return f"{self.name(module)} keeps {key!r} between batches"
        return ""

    def owner_of(self, name: str) -> str:
        """The module that has a parameter or buffer.

        Args:
            name: Its qualified name.
        """
        return self.name(self.model.get_submodule(name.rpartition(".")[0]))

    def name(self, module: nn.Module) -> str:
        """Qualified name and class, such as ``encoder.0 (LSTM)``.

        Args:
            module: One of the network's.
        """
        qualified = next((name for name, found in self.model.named_modules() if found is module), "")
        kind = type(module).__name__
        return f"{qualified} ({kind})" if qualified else f"the model ({kind})"

    def _enter(self, module: nn.Module, inputs: Any) -> None:
        self.running.append(module)

    def _leave(self, module: nn.Module, inputs: Any, output: Any) -> None:
        self.running.pop()


# Of nn.Module: its tables, and what train() and eval() set.
_TABLES = {"training", *vars(nn.Module())}


def _own_attributes(module: nn.Module) -> dict[str, Any]:
    # torch's own modules remember weak references to their weights and the like.
    private = "_" if type(module).__module__.startswith("torch.") else "\0"
    own = {key: value for key, value in vars(module).items() if key not in _TABLES and not key.startswith(private)}
    return {key: value.copy() if isinstance(value, (list, dict, set)) else value for key, value in own.items()}


def _same(before: Any, now: Any) -> bool:
    if before is now:
        return True
    plain = (bool, int, float, str, tuple, list, dict, set)
    try:
        return isinstance(now, plain) and type(before) is type(now) and bool(before == now)
    except RuntimeError:
        return False  # tensors inside do not compare to one truth

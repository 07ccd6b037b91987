"""Modules use the plain functions while lanes are trained, and torch's own otherwise."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from lrsearch.training import plain_functions
from lrsearch.training.plain_functions import PlainFunctions


def test_modules_use_them_within_the_block_only(monkeypatch: pytest.MonkeyPatch) -> None:
    called = []
    replaced = {functional.batch_norm: lambda *given, **_: called.append(1) or given[0]}
    monkeypatch.setattr(plain_functions, "_PLAIN", replaced)
    layer = torch.nn.BatchNorm1d(3)
    rows = torch.randn(6, 3)
    with PlainFunctions():
        assert torch.equal(layer(rows), rows)
        assert torch.equal(torch.relu(rows), rows.clamp(min=0))
    assert called == [1]
    assert not torch.equal(layer(rows), rows)
    assert called == [1]

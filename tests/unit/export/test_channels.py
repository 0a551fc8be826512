"""What the exported graph computes with more channels is what the checkpoint's network computes."""

from __future__ import annotations

import torch
from torch import nn

from cascade.network.cascade import Cascade
from cascade.network.config import preset
from cascade.network.light_flow import LightLevel
from export.channels import fill_channels


def test_the_filled_network_computes_the_same_with_channels_in_blocks() -> None:
    torch.manual_seed(1)
    cascade = Cascade(preset("lite", stages=1)).eval()
    levels = [level for level in cascade.modules() if isinstance(level, LightLevel)]
    for level in levels:
        nn.init.normal_(level.predict.weight, std=0.1)
    filled = fill_channels(cascade)
    frames = torch.rand(1, 3, 3, 64, 96)
    with torch.no_grad():
        expected, found = (network(frames)[-1] for network in (cascade, filled))

    entries = [level.layers[0][0] for level in filled.modules() if isinstance(level, LightLevel)]
    assert len(entries) == len(levels)
    assert all(entry.in_channels % 16 == 0 for entry in entries)
    assert expected.flow.abs().max() > 0.1
    torch.testing.assert_close(found.flow, expected.flow)
    torch.testing.assert_close(found.restored, expected.restored)
    assert [level.layers[0][0].in_channels for level in levels] != [entry.in_channels for entry in entries]

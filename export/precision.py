"""Makes the FP16 network for GPUs: convolutions in half precision, everything between them in single precision.

Positions do not survive half precision: on a frame 1920 pixels wide, a coordinate in [-1, 1] is off by up to half a
pixel near the edges. So sampling, flow scaling, correlation, the prior and the final blend stay in FP32; what is cast
are the stacks of convolutions, where nearly all of the work and of the memory is.
"""

from __future__ import annotations

import copy

from torch import Tensor, nn

from cascade.network.cascade import Cascade
from cascade.network.light_flow import LightLevel
from cascade.network.pwc_net import PwcLevel, PwcNet
from cascade.network.restoration import LightRestoration


class Half(nn.Module):
    """Computes a module in FP16 for callers in FP32. Takes a tensor, returns a tensor or a list of them."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner.half()

    def forward(self, x: Tensor) -> Tensor | list[Tensor]:
        result: Tensor | list[Tensor] = self.inner(x.half())
        return [part.float() for part in result] if isinstance(result, list) else result.float()


def half_precision(cascade: Cascade) -> Cascade:
    """Returns a copy of ``cascade`` with FP16 convolutions; the original stays as it is."""
    half = copy.deepcopy(cascade)
    flow, restoration = half.stage.flow, half.stage.restoration
    restoration.body = Half(restoration.body)  # type: ignore[assignment]
    if isinstance(restoration, LightRestoration):
        restoration.unshuffle = Half(restoration.unshuffle)  # type: ignore[assignment]
    flow.pyramid = Half(flow.pyramid)  # type: ignore[assignment]
    for decoder in flow.decoders:
        _halve_level(decoder)
    if isinstance(flow, PwcNet):
        flow.refiner = Half(flow.refiner)  # type: ignore[assignment]
    return half


def _halve_level(level: nn.Module) -> None:
    """Puts a flow level's convolutions into FP16; the upsampling in `PwcLevel` yields positions and stays in FP32."""
    if isinstance(level, PwcLevel):
        level.layers = nn.ModuleList(Half(layer) for layer in level.layers)
    elif isinstance(level, LightLevel):
        level.layers = Half(level.layers)  # type: ignore[assignment]
    level.predict = Half(level.get_submodule("predict"))

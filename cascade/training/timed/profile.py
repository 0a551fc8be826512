"""What a device spends a step on: its kernels by time."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.profiler import ProfilerActivity

_ROWS = 30
_NAME = 100
"""Characters of a kernel's name that are shown: templates have thousands."""


def profile(step: Callable[[], None], device: torch.device) -> list[str]:
    """Returns lines of a table, the longest kernels first; on the CPU they are torch's operators.

    Runs ``step`` twice: the first time, kernels are chosen and compiled.
    """
    on_cuda = device.type == "cuda"
    step()
    with torch.profiler.profile(
        activities=[ProfilerActivity.CUDA if on_cuda else ProfilerActivity.CPU]
    ) as made:
        step()
        if on_cuda:
            torch.cuda.synchronize()
    times = [
        ((row.self_device_time_total if on_cuda else row.self_cpu_time_total) / 1000, row.count, row.key)
        for row in made.key_averages()
    ]
    times.sort(reverse=True)
    total, kernels = sum(time for time, _, _ in times), sum(count for _, count, _ in times)
    lines = [f"{total:9.2f} ms {kernels:6}  in all"]
    return lines + [f"{time:9.2f} ms {count:6}  {name[:_NAME]}" for time, count, name in times[:_ROWS]]

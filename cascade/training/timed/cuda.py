"""What only CUDA can do: a step as a graph, and steps that run ahead of the CPU."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import torch

_REHEARSALS = 3
"""Steps on a side stream before a capture, in which libraries choose their algorithms and allocate."""
_AHEAD = 2
"""Steps that the CPU may be ahead: enough to keep the device busy, few enough to stop soon."""
_RING_SHARE = 0.4
"""Share of the free memory that a ring of samples may take."""


def prepare() -> None:
    """Lets CUDA choose fast algorithms for sizes that do not change."""
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = True
    torch.backends.cuda.matmul.allow_tf32 = True


def capture(step: Callable[[], None]) -> Callable[[], None]:
    """Returns a function that does what ``step`` does, on the same tensors, as one CUDA graph.

    Runs the step a few times; the caller restores what that changed. Raises RuntimeError for a step that cannot be
    captured. Other threads may use CUDA meanwhile, as the one that pins samples does.
    """
    side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(_REHEARSALS):
            step()
    torch.cuda.current_stream().wait_stream(side)
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    # The outer context is for a capture that fails: it would leave its own stream the current one.
    current = torch.cuda.stream(torch.cuda.current_stream())
    try:
        with current, torch.cuda.graph(graph, capture_error_mode="thread_local"):
            step()
    except RuntimeError:
        torch.cuda.synchronize()
        raise
    return graph.replay


def most_samples(sample_bytes: int) -> int:
    """Returns how many samples of a size the free memory has room for, beside the networks."""
    free, _ = torch.cuda.mem_get_info()
    return int(_RING_SHARE * free) // sample_bytes


class Lead:
    """Keeps the CPU a few steps ahead of the device, no more."""

    def __init__(self) -> None:
        self._events: deque[torch.cuda.Event] = deque()

    def wait(self) -> None:
        """Marks the end of a step, and waits for the end of the one before the last few."""
        event = torch.cuda.Event()  # type: ignore[no-untyped-call]
        event.record()
        self._events.append(event)
        if len(self._events) > _AHEAD:
            self._events.popleft().synchronize()

"""What is done with a network before its first step: compiling, capturing, profiling."""

from __future__ import annotations

import logging

from cascade.training.timed import cuda
from cascade.training.timed.compiling import compile_parts
from cascade.training.timed.learner import Learner
from cascade.training.timed.profile import profile

logger = logging.getLogger(__name__)

_MOST_CHARACTERS = 400
"""Of an error that is logged: compilers quote their whole input."""


def prepare(learner: Learner, compiled: bool, profiled: bool) -> None:
    """Makes the steps of a learner, to which samples were shown, as fast as they get here, and logs what was done."""
    on_cuda = learner.settings.device.type == "cuda"
    if compiled:
        _compile(learner)
    if on_cuda:
        _capture(learner)
    if profiled:
        with learner.unchanged():
            rows = profile(learner.train, learner.settings.device)
        logger.info("A step of %s, by kernel:\n%s", learner.name, "\n".join(rows))


def _compile(learner: Learner) -> None:
    try:
        exact = learner.exact_gradients()
    except RuntimeError as error:  # in float32 a step takes twice the memory
        logger.info("%s stays eager, for want of gradients to compare with: %s", learner.name, _brief(error))
        return
    for report in compile_parts(learner.cascade, learner.gradients, exact, learner.settings.bfloat16):
        logger.info("%s: %s", learner.name, report)


def _capture(learner: Learner) -> None:
    try:
        learner.use_graph(cuda.capture)
    except RuntimeError as error:
        logger.info("%s: no CUDA graph, which is slower: %s", learner.name, _brief(error))
    else:
        logger.info("%s: each step is one CUDA graph.", learner.name)


def _brief(error: Exception) -> str:
    return str(error)[:_MOST_CHARACTERS]

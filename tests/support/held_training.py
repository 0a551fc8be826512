"""``python -m tests.support.held_training GATE ...``: the training command, held after two steps of its second phase.

It goes on when the file GATE exists. So a test interrupts it between the second step and the last on any machine.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from cascade import train
from cascade.network import checkpoint

HELD_STEP = 2


def main() -> None:
    """Runs the training with a wait in the middle."""
    gate = Path(sys.argv.pop(1))
    save = checkpoint.save
    reached = False

    def save_and_wait(path: Path, *content: Any, **training: Any) -> None:
        nonlocal reached
        save(path, *content, **training)
        if "progress" in training:
            progress = training["progress"]
            reached = bool(progress["phase"] == 1 and progress["step"] >= HELD_STEP)
        elif reached:  # both files are of the same step
            while not gate.exists():
                time.sleep(0.02)

    checkpoint.save = save_and_wait
    train.main()


if __name__ == "__main__":
    main()

from __future__ import annotations

import subprocess
import sys

HEAVY = ("numpy", "av", "onnxruntime", "tritonclient", "cv2", "torch")


def test_gateway_loads_nothing_heavy() -> None:
    script = f"import sys, service.api.app; print(*sorted(set({HEAVY}) & set(sys.modules)))"

    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert loaded.stdout.split() == []

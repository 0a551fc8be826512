from __future__ import annotations

import subprocess
import sys

HEAVY = ("numpy", "av", "fastapi", "starlette", "celery", "redis", "onnxruntime", "pydantic_settings", "cv2")


def test_users_of_the_client_load_nothing_heavy() -> None:
    script = f"import sys, service.client; print(*sorted(set({HEAVY}) & set(sys.modules)))"

    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert loaded.stdout.split() == []

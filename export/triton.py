"""The Triton configuration of an exported model."""

from __future__ import annotations

import re
from pathlib import Path

from export.onnx import INPUT, OUTPUT

_WARMUP = (5, 64, 64, 3)  # one output frame of the smallest size: loads kernels, costs milliseconds

_TEMPLATE = """\
# Written by `python -m export`; change the exporter, not this file.
name: "{name}"
backend: "onnxruntime"
max_batch_size: 0
version_policy {{ latest {{ num_versions: 1 }} }}
input [ {{ name: "{input}", data_type: TYPE_UINT8, dims: [ -1, -1, -1, 3 ] }} ]
output [ {{ name: "{output}", data_type: TYPE_UINT8, dims: [ -1, -1, -1, 3 ] }} ]
instance_group [ {{ count: 1, kind: KIND_{kind} }} ]
model_warmup [ {{
  name: "smallest_window"
  batch_size: 1
  inputs {{ key: "{input}" value: {{ data_type: TYPE_UINT8, dims: [ {warmup} ], zero_data: true }} }}
}} ]
"""


def write_config(directory: Path, kind: str = "CPU") -> None:
    """Write ``config.pbtxt`` for the model in ``directory``; ``kind`` is "CPU", "GPU" or "AUTO"."""
    text = _TEMPLATE.format(
        name=directory.name, input=INPUT, output=OUTPUT, kind=kind, warmup=", ".join(map(str, _WARMUP))
    )
    (directory / "config.pbtxt").write_text(text)


def configured_tensors(directory: Path) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Name to (data type, dims) of the tensors that a ``config.pbtxt`` written here states."""
    text = (directory / "config.pbtxt").read_text()
    found = re.findall(r'name: "(\w+)", data_type: (\w+), dims: \[([^\]]*)\]', text)
    return {name: (kind, tuple(int(dim) for dim in dims.split(","))) for name, kind, dims in found}

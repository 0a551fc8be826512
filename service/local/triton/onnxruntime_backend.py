"""Implements Triton's ``onnxruntime`` backend in Python, on the CPU, since the server from PyPI lacks it.

Triton runs this file, as ``<backend directory>/onnxruntime/model.py``, where that directory has no
``libtriton_onnxruntime.so``; so a repository made for the C++ backend is served unchanged. It does what the
project's models need, unbatched uint8 tensors on CPU instances, and refuses every configuration that asks for more,
because a setting that it ignored would seem to have worked.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime as ort
import triton_python_backend_utils as pb_utils

THREADS_VARIABLE = "CDVD_ENGINE_THREADS"
_THREADS = "intra_op_thread_count"
_QUIET = 3
_UNSUPPORTED = (
    "batch_input",
    "batch_output",
    "dynamic_batching",
    "ensemble_scheduling",
    "model_operations",
    "sequence_batching",
)
_TYPES = {"TYPE_UINT8": "tensor(uint8)"}


class TritonPythonModel:
    """Runs one instance of one model. Triton calls the methods without an underscore."""

    def initialize(self, args: dict[str, str]) -> None:
        """Loads the graph. Raises TritonModelException with the reason why the model is not served."""
        sys.unraisablehook = _quiet_about_capsules
        config = json.loads(args["model_config"])
        _refuse_unsupported(config, args["model_instance_kind"])
        self._session = ort.InferenceSession(
            str(_graph_file(config)), _options(config), providers=["CPUExecutionProvider"]
        )
        for side, tensors in (("input", self._session.get_inputs()), ("output", self._session.get_outputs())):
            _compare(side, config[side], {tensor.name: tensor for tensor in tensors})
        self._outputs = [item["name"] for item in config["output"]]
        pb_utils.Logger.log_info(f"{config['name']}: ONNX Runtime {ort.__version__}, numpy {np.__version__}")

    def execute(self, requests: list[Any]) -> list[Any]:
        """Runs each request by itself, so that one that fails does not harm the others."""
        return [self._respond(request) for request in requests]

    def finalize(self) -> None:
        """Unloads the graph."""
        del self._session

    def _respond(self, request: Any) -> Any:
        try:
            # By DLPack: this Triton was built before numpy 2, and its other way of exchange gives zeros with it.
            feed = {tensor.name(): np.from_dlpack(tensor) for tensor in request.inputs()}
            arrays = self._session.run(self._outputs, feed)
        except Exception as error:  # noqa: BLE001  # ONNX Runtime's exceptions share no base of their own
            return pb_utils.InferenceResponse(error=pb_utils.TritonError(f"onnx runtime error: {error}"))
        tensors = [
            pb_utils.Tensor.from_dlpack(name, array)
            for name, array in zip(self._outputs, arrays, strict=True)
        ]
        return pb_utils.InferenceResponse(tensors)


def _quiet_about_capsules(event: Any) -> None:
    """Drops a warning: the stub renames each DLPack capsule that it takes, and numpy reports that name to the log."""
    if "PyCapsule" not in str(event.exc_value):
        sys.__unraisablehook__(event)


def _refuse_unsupported(config: dict[str, Any], kind: str) -> None:
    unknown = sorted(set(config.get("parameters", {})) - {_THREADS})
    refused = {
        f"numpy {np.__version__}; 2 or newer is needed": int(np.__version__.split(".")[0]) < 2,
        f"instances of KIND_{kind}; there is only the CPU": kind != "CPU",
        "batching; max_batch_size must be 0": config["max_batch_size"] != 0,
        "a decoupled transaction policy": config.get("model_transaction_policy", {}).get("decoupled"),
        "execution accelerators": config.get("optimization", {}).get("execution_accelerators"),
        f"the parameters {unknown}": unknown,
        **{key: config.get(key) for key in _UNSUPPORTED},
    }
    for what, asked in refused.items():
        if asked:
            raise _refusal(what)


def _refusal(what: str) -> Exception:
    error: Exception = pb_utils.TritonModelException(
        f"not supported by the Python onnxruntime backend: {what}"
    )
    return error


def _graph_file(config: dict[str, Any]) -> Path:
    path = Path(pb_utils.get_model_dir()) / (config.get("default_model_filename") or "model.onnx")
    if not path.is_file():
        raise pb_utils.TritonModelException(f"There is no {path.name} in the model's directory.")
    return path


def _options(config: dict[str, Any]) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.log_severity_level = _QUIET
    stated = config.get("parameters", {}).get(_THREADS, {}).get("string_value")
    options.intra_op_num_threads = int(stated or os.environ.get(THREADS_VARIABLE, "0"))
    return options


def _compare(side: str, stated: list[dict[str, Any]], found: dict[str, Any]) -> None:
    """Compares the stated tensors with the graph's as the C++ backend does. Raises TritonModelException.

    The stated dimensions of an input may be narrower than the graph's, those of an output may not.
    """
    if {item["name"] for item in stated} != set(found):
        raise pb_utils.TritonModelException(
            f"{side}s {[item['name'] for item in stated]}, the graph has {[*found]}"
        )
    for item in stated:
        name, tensor = item["name"], found[item["name"]]
        if item.get("reshape") or item.get("allow_ragged_batch") or item.get("is_shape_tensor"):
            raise _refusal(f"{name}: reshape, ragged batches, shape tensors")
        if _TYPES.get(item["data_type"]) != tensor.type:
            raise pb_utils.TritonModelException(
                f"{name}: stated {item['data_type']}, the graph has {tensor.type}"
            )
        have = [size if isinstance(size, int) else -1 for size in tensor.shape]
        want = [int(size) for size in item["dims"]]
        if not _fits(want, have, narrower=side == "input"):
            raise pb_utils.TritonModelException(f"{name}: stated dims {want}, the graph has {have}")


def _fits(want: list[int], have: list[int], *, narrower: bool) -> bool:
    if len(want) != len(have):
        return False
    return all(one == other or (narrower and other == -1) for one, other in zip(want, have, strict=True))

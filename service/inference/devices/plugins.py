"""Providers that are packages of their own, ``onnxruntime-ep-...``: found, and registered with ONNX Runtime once.

Such a package has one module with ``get_library_path()`` and ``get_ep_names()`` (or ``get_ep_name()``); its library is
then asked which devices of this machine it can use.
"""

from __future__ import annotations

import importlib
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import metadata

from service.inference.devices.runtime import ort

log = logging.getLogger(__name__)

PREFIX = "onnxruntime-ep-"


@dataclass(frozen=True)
class Plugin:
    """One installed package. ``fault`` says why it cannot be used, and is empty if it can."""

    package: str
    providers: tuple[str, ...]
    fault: str = ""


@cache
def registered_plugins() -> tuple[Plugin, ...]:
    """Registers every installed plugin and returns them by name; one that fails is no reason to stop."""
    found = _modules(metadata.packages_distributions())
    return tuple(_register(package, module) for package, module in sorted(found.items()))


def _modules(owners: Mapping[str, list[str]]) -> dict[str, str]:
    """Returns the module of each plugin's distribution, from the distributions of each module."""
    pairs = ((_normal(package), module) for module, packages in owners.items() for package in packages)
    return {package: module for package, module in pairs if package.startswith(PREFIX)}


def _register(package: str, name: str) -> Plugin:
    try:
        module = importlib.import_module(name)
        providers = (
            tuple(module.get_ep_names()) if hasattr(module, "get_ep_names") else (module.get_ep_name(),)
        )
        ort.register_execution_provider_library(package, module.get_library_path())
    except Exception as error:  # noqa: BLE001  # others' code, and ONNX Runtime's exceptions share no base
        log.warning("The plugin %s is not used: %s", package, error)
        return Plugin(package, (), str(error))
    return Plugin(package, providers)


def _normal(name: str) -> str:
    """Returns the name of a distribution as package indexes write it."""
    return re.sub(r"[-_.]+", "-", name).lower()

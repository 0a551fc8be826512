"""The part of the build that pyproject.toml cannot express: the models that a wheel carries.

They are in ``model_repository/`` at the top of the tree, where Triton reads them, and in the wheel in
``service/model_repository``, where ``service.config.default_models`` looks first.
"""

from __future__ import annotations

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

MODELS = Path("model_repository")
PACKAGED = Path("service", "model_repository")
SERVED = (
    "*/model.json",
    "*/README.md",
    "*/reference.npz",
    "*/config.pbtxt",
    "*/configs/*.pbtxt",
    "*/1/*.onnx",
)
"""What serving needs of a model. Checkpoints, from which graphs are exported, stay in the source tree."""


class BuildWithModels(build_py):
    """Copies what is served of each model into the package; an editable install reads the tree's own."""

    def run(self) -> None:
        """Builds the packages, then adds the models."""
        super().run()
        if self.editable_mode:
            return
        for source, target in self._models():
            self.mkpath(str(Path(target).parent))
            self.copy_file(source, target, preserve_mode=False)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        """Returns the files that the build writes."""
        models = [] if self.editable_mode else [target for _, target in self._models()]
        return [*super().get_outputs(include_bytecode), *models]

    def _models(self) -> list[tuple[str, str]]:
        """Returns source and target of every file; none where the tree has no models, as when images are built."""
        sources = sorted(path for pattern in SERVED for path in MODELS.glob(pattern))
        return [
            (str(source), str(Path(self.build_lib, PACKAGED, source.relative_to(MODELS))))
            for source in sources
        ]


setup(cmdclass={"build_py": BuildWithModels})

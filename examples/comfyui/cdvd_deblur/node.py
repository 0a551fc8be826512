"""The node: frames in, sharper frames out, by a running service."""

from __future__ import annotations

import os
from typing import Any

import torch

from . import frames
from .service import Service

try:
    from comfy.model_management import throw_exception_if_processing_interrupted
    from comfy.utils import ProgressBar
except ImportError:  # outside of ComfyUI
    ProgressBar = None

    def throw_exception_if_processing_interrupted() -> None:
        """Nobody interrupts."""


class DeblurVideo:
    """Deblurs a video; its frames are a batch of images of one size, in order."""

    CATEGORY = "video"
    DESCRIPTION = "Deblurs the frames of a video by a running cdvd service, 16 bits a channel on the way."
    RETURN_TYPES = ("IMAGE",)
    RETURN_NAMES = ("images",)
    FUNCTION = "deblur"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:  # noqa: N802  # ComfyUI's name
        """Returns the inputs. The key is not among them, because workflows are saved with their inputs."""
        url = os.environ.get("CDVD_URL", "http://127.0.0.1:8080")
        return {
            "required": {
                "images": ("IMAGE",),
                "fps": ("FLOAT", {"default": 25.0, "min": 1.0, "max": 240.0, "step": 0.001}),
                "quality": (["fast", "good", "best"], {"default": "fast"}),
            },
            "optional": {
                "url": ("STRING", {"default": url, "tooltip": "Of the service; its key is CDVD_KEY."}),
            },
        }

    def deblur(
        self, images: torch.Tensor, fps: float, quality: str, url: str = "http://127.0.0.1:8080"
    ) -> tuple[torch.Tensor]:
        """Returns as many images. ``images``: float [N, H, W, C], RGB, 0 to 1; a fourth channel is left out."""
        bar = ProgressBar(len(images)) if ProgressBar else None

        def on_progress(done: int) -> None:
            throw_exception_if_processing_interrupted()
            if bar:
                bar.update_absolute(done)

        sent = frames.encoded(images[..., :3].cpu().numpy(), fps)
        options = {"quality": quality, "codec": "ffv1", "container": "mkv"}
        result = Service(url, os.environ.get("CDVD_KEY")).restored(sent, options, on_progress)
        sharp = torch.from_numpy(frames.decoded(result))
        if sharp.shape[:3] != images.shape[:3]:
            raise RuntimeError(f"{tuple(images.shape)} went and {tuple(sharp.shape)} came back.")
        return (sharp.to(images.dtype),)

"""A node for ComfyUI that deblurs a batch of frames: put or link this folder into ``custom_nodes``."""

from .node import DeblurVideo

NODE_CLASS_MAPPINGS = {"CdvdDeblurVideo": DeblurVideo}
NODE_DISPLAY_NAME_MAPPINGS = {"CdvdDeblurVideo": "Deblur Video (cdvd)"}

__all__ = ["NODE_CLASS_MAPPINGS", "NODE_DISPLAY_NAME_MAPPINGS"]

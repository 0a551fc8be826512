"""``python -m service.worker``: settings come from ``CDVD_...``."""

from __future__ import annotations

import argparse

from service.worker.app import main


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m service.worker", description=__doc__)
    parser.add_argument(
        "--device", help="what restores, in place of CDVD_DEVICE: auto, cpu, cuda, cuda:1 ..."
    )
    return parser


if __name__ == "__main__":
    main(_parser().parse_args().device)

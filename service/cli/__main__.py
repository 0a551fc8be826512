"""``python -m service.cli``, and the ``cdvd`` command."""

import sys


def run() -> None:
    """Runs the command line. Ctrl-C while it is still loading ends it without a traceback."""
    try:
        from service.cli.app import main

        main()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    run()

"""``python -m service.cli``, and the ``cdvd`` command."""

from service.cli.interrupts import INTERRUPTED, TERMINATED, leave


def run() -> None:
    """Runs the command line. Ctrl-C while it is still loading ends it without a traceback."""
    try:
        from service.cli.app import main

        main()
    except KeyboardInterrupt:
        leave(INTERRUPTED)
    except SystemExit as end:
        if end.code in (INTERRUPTED, TERMINATED):
            leave(int(end.code))
        raise


if __name__ == "__main__":
    run()

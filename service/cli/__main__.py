"""``python -m service.cli``: the same as the ``cdvd`` command."""

from service.cli.app import main

main()

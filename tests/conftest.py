"""What holds for all tests."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import tempfile

pytest_plugins = ["pytester", "tests.support.no_skips"]

# Networks of the tests are tiny: a second thread costs more in waiting for the first than it saves, and several
# times the processor time on a busy machine. Set before anything imports torch; what the tests start inherits it.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("CDVD_ENGINE_THREADS", "1")

# A shell that starts the tests in the background has Ctrl-C ignored, and whatever they start inherits that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The command line remembers there what it began: not among what whoever runs the tests has begun.
os.environ["XDG_STATE_HOME"] = tempfile.mkdtemp(prefix="cdvd-tests-state-")
atexit.register(shutil.rmtree, os.environ["XDG_STATE_HOME"], ignore_errors=True)

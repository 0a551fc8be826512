"""What holds for all tests."""

from __future__ import annotations

import os
import signal

pytest_plugins = ["pytester", "tests.support.no_skips"]

# Networks of the tests are tiny: a second thread costs more in waiting for the first than it saves, and several
# times the processor time on a busy machine. Set before anything imports torch; what the tests start inherits it.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("CDVD_ENGINE_THREADS", "1")

# A shell that starts the tests in the background has Ctrl-C ignored, and whatever they start inherits that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

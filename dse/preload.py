"""Imported once by the process that all workers are forked from: twelve seconds of imports are paid once, not per worker.

Nothing here may start tensorflow's runtime: its threads would not survive the fork. What the libraries print while they are
imported is not for the user.
"""

from __future__ import annotations

import os
import signal


def _quietly() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends the imports, without a traceback; later it is ignored here
    saved, sink = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, 2)
    try:
        from dse import legacy_keras

        with legacy_keras.keras_is_tf_keras():
            import hls4ml  # noqa: F401
            import qkeras  # noqa: F401
            import sklearn.datasets
            import sklearn.model_selection  # noqa: F401
            import tensorflow_model_optimization  # noqa: F401

            from dse import evaluate  # noqa: F401
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(sink)


_quietly()

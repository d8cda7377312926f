"""The one place that knows which Keras the libraries must see.

QKeras and tfmot speak Keras 2 (`tf_keras`), which tensorflow uses only where `TF_USE_LEGACY_KERAS=1` was set before its
import; hls4ml picks its front end by what `import keras` gives it. Import this module before tensorflow.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from dse.errors import DseError

if "tensorflow" in sys.modules and os.environ.get("TF_USE_LEGACY_KERAS") != "1":
    raise DseError(
        "tensorflow was imported before dse, with Keras 3. Set TF_USE_LEGACY_KERAS=1 in the environment, "
        "or let dse run the study (it imports tensorflow in processes of its own)."
    )
os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def import_tensorflow() -> None:
    """Import it without what its libraries say on the terminal before its log level counts."""
    if "tensorflow" in sys.modules:
        return
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with open(os.devnull, "wb") as nothing:  # noqa: PTH123 - a device
            os.dup2(nothing.fileno(), 2)
        import tensorflow as tf  # noqa: F401
    finally:
        os.dup2(kept, 2)
        os.close(kept)


@contextmanager
def keras_is_tf_keras() -> Iterator[None]:
    """Let `import keras` mean `tf_keras` inside the block, and quieten what these libraries warn of at import."""
    import_tensorflow()
    import tf_keras

    before = sys.modules.get("keras")
    sys.modules["keras"] = tf_keras
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        if before is None:
            del sys.modules["keras"]
        else:
            sys.modules["keras"] = before

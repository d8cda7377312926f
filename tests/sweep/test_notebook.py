"""The library's face, used as a notebook uses it."""

import subprocess
import sys

SCRIPT = """
from dse import *

def points():
    import numpy as np
    dice = np.random.default_rng(0)
    y = np.repeat([0, 1], 30)
    return Data(dice.normal(size=(60, 4)) + y[:, None], y)

def model(width):
    from tf_keras import Sequential, layers
    return Sequential([layers.Input((4,)), layers.Dense(width, activation="relu", name="fc1"), layers.Dense(2, name="out")])

study = Study(
    name="points",
    workload=Workload(data=points, model=model, training=Training(epochs=2, fine_tune_epochs=1)),
    space=Space(weight_bits=5, activation_bits=5, architecture={"width": Choice(2, 4)}),
    target=Target("xc7z020clg400-1"),
)
swept = explore(study, Options(trials=5, root=ROOT, quiet=True))
records = swept.run.records
print(swept.reason, sorted(r.design.knobs["architecture.width"] for r in records), [r.failure for r in records])
"""


def test_functions_of_the_main_module_reach_the_workers_and_it_is_not_run_again(tmp_path):
    """No `if __name__ == "__main__"`, no file: the study goes to the workers by value, architecture knobs included."""
    text = SCRIPT.replace("ROOT", repr(str(tmp_path)))
    done = subprocess.run([sys.executable, "-"], input=text, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "space exhausted: 2 of 2 designs [2, 4] [None, None]\n"

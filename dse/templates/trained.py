"""NEW_STUDY: a trained model as it is, in fixed-point types and hardware of all kinds. Nothing is trained.

    python NEW_STUDY.py                                   # a stand-in: trains a small network and saves NEW_STUDY.keras
    dse run NEW_STUDY.py
    dse run NEW_STUDY.py --set workload.model=mine.h5     # a model of one's own: Keras 2, Keras 3 or QKeras has saved it

Steps 1 to 4 are what to change for a problem of one's own. Reading this file trains nothing.
"""

import os
from pathlib import Path

from dse import (
    Choice,
    EachLayer,
    Integers,
    Limit,
    Objective,
    Pretrained,
    ReuseFactors,
    Space,
    Study,
    Target,
    datasets,
)

# 1. The model's file. A softmax or sigmoid at its end is left out of what is built: it changes no answer.
MODEL = Path(__file__).with_suffix(".keras")


# 2. The data. dse splits them 60/20/20 and scores by validation and test rows: where the model was trained on those too, scores
#    are better than they should be. Rows that it has never seen may be given instead.
def data(path=None):
    """Built-in digits, or the file that --data names: csv, Parquet, npz or HDF5."""
    return datasets.digits() if path is None else datasets.from_file(path)


STUDY = Study(
    name="NEW_STUDY",  # results go to runs/NEW_STUDY/
    workload=Pretrained(model=str(MODEL), data=data),
    # 3. What is tried: ap_fixed<width, integer>. Integer bits are fitted to the weights and to what training rows give. A model
    #    of QKeras brings its types: leave out the widths, rounding and saturation.
    space=Space(
        weight_width=EachLayer(Integers(3, 12)),
        result_width=Integers(6, 16),
        input_width=8,
        rounding=Choice("TRN", "RND"),
        saturation=Choice("WRAP", "SAT"),
        reuse_factor=ReuseFactors(at_most=16),
        strategy=Choice("latency", "resource"),
        io_type="io_parallel",
    ),
    # 4. On what it shall run, and what is good.
    target=Target(part="xc7z020clg400-1", clock_ns=5.0),
    objectives=(Objective("accuracy"), Objective("lut"), Objective("dsp"), Objective("latency_ns")),
    limits=(Limit("accuracy", at_least=0.85),),
    trials=30,
)


def stand_in():
    """Train a small network on the training rows of the split that dse makes, and save it."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # what tensorflow says of its own start
    import keras

    from dse.workload import split

    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Input((64,)),
            layers.Dense(32, activation="relu", name="fc1"),
            layers.Dense(16, activation="relu", name="fc2"),
            layers.Dense(10, activation="softmax", name="out"),
        ]
    )
    rows = split(data(), STUDY.workload.split_seed).train
    model.compile(keras.optimizers.Adam(3e-3), "sparse_categorical_crossentropy")
    model.fit(rows.x, rows.y, epochs=30, batch_size=64, verbose=0)
    model.save(MODEL)


if __name__ == "__main__":
    stand_in()

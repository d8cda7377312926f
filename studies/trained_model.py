"""A trained model as it is: which fixed-point types and which hardware cost how much of its accuracy. Nothing is trained.

    python tools/digits_model.py digits.keras          # or any classifier that Keras 2 or 3 has saved
    dse run studies/trained_model.py
    dse run studies/trained_model.py --set workload.model=other.h5

The data must be those that the model was trained on, in the same order and with the same split: else test rows are not unseen.
The model ends in one output per class; a softmax there is left out of what is built.
"""

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

STUDY = Study(
    name="trained_model",
    workload=Pretrained(model="digits.keras", data=datasets.digits),
    space=Space(
        # ap_fixed<width, integer>: integer bits are fitted to the weights and to what the training rows give
        weight_width=EachLayer(Integers(3, 12)),
        result_width=Integers(4, 16),
        input_width=8,
        rounding=Choice("TRN", "RND"),
        saturation=Choice("WRAP", "SAT"),
        reuse_factor=ReuseFactors(),
        strategy=Choice("latency", "resource"),
        io_type=Choice("io_parallel", "io_stream"),
    ),
    target=Target(part="xcu250-figd2104-2L-e", clock_ns=5.0),
    objectives=(Objective("accuracy"), Objective("dsp"), Objective("lut"), Objective("latency_ns")),
    limits=(Limit("accuracy", at_least=0.85),),
    first=(
        {
            **{f"weight_width.{layer}": 8 for layer in ("fc1", "fc2", "out")},
            "result_width": 12,
            "rounding": "TRN",
            "saturation": "WRAP",
            "reuse_factor": 1,
            "strategy": "latency",
            "io_type": "io_parallel",
        },
    ),
)

"""Breast cancer (scikit-learn's, 30 features) by a small dense network; studies/breast_cancer_bdt.py is the same by trees.

dse run studies/breast_cancer_mlp.py
"""

from dse import Choice, Integers, Limit, Objective, ReuseFactors, Space, Steps, Study, Target, Training, Workload, datasets


def model(width):
    """One logit for two classes: above 0 is benign."""
    from tf_keras import Sequential, layers

    return Sequential(
        [layers.Input((30,)), layers.Dense(width, activation="relu", name="fc1"), layers.Dense(1, name="out")],
    )


STUDY = Study(
    name="breast_cancer_mlp",
    workload=Workload(
        data=datasets.breast_cancer, model=model, training=Training(epochs=40, fine_tune_epochs=20, batch_size=32)
    ),
    space=Space(
        architecture={"width": Choice(4, 8, 16)},
        weight_bits=Integers(3, 8),
        activation_bits=Integers(3, 8),
        sparsity=Steps(0.0, 0.8, 0.2),
        input_bits=8,
        reuse_factor=ReuseFactors(at_most=30),
        strategy=Choice("latency", "resource"),
    ),
    target=Target(part="xcu250-figd2104-2L-e", clock_ns=5.0),
    objectives=(Objective("auc"), Objective("lut"), Objective("latency_ns")),
    limits=(Limit("accuracy", at_least=0.85),),
    trials=60,
)

"""A study's space with the layers of its model, for tests that train nothing."""

from dse.evaluate import flow_of
from dse.legal import illegal
from dse.worker import architectures


def resolved(study):
    """The space by the layers of every architecture; fails where one cannot be built or a first design is illegal."""
    flow = flow_of(study.workload)
    layers = {one: flow.layers(one) for one in architectures(study)}
    space = study.space.resolved(tuple(dict.fromkeys(layer for some in layers.values() for layer in some)))
    for first in map(space.design, study.first):
        assert illegal(first, layers[first.architecture]) is None, study.name
    return space

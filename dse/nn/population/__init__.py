"""Many quantised, pruned networks of one topology trained as one program: what differs between them are tensors."""

from dse.nn.population.batches import Member, Pruning, Trained, orders, train
from dse.nn.population.memory import use
from dse.nn.population.topology import Topology, reason, topology

#: Raised where the same causes would give other weights.
VERSION = 2

__all__ = ["VERSION", "Member", "Pruning", "Topology", "Trained", "orders", "reason", "topology", "train", "use"]

"""Which designs hls4ml builds as asked, and right: legal reuse factors and strategies per layer."""

from __future__ import annotations

from dataclasses import dataclass

from dse.design import PER_LAYER, UNSET, WEIGHTED_KNOBS, Design, Hardware, PerLayer

#: Knobs of all weights, those of layers without a reuse factor too.
SCALED_KNOBS = ("weight_width", "weight_integer")


@dataclass(frozen=True, slots=True)
class LayerShape:
    """What the space must know of a layer: its product sum's size, and which knobs it has.

    `positions` is how often a convolution evaluates its sum, the pixels of its output; None for dense layers. `depthwise`
    convolutions sum over each channel by itself. The `last` layer's stream leaves the network.
    `scaled` layers (batch normalisation) have weights without a reuse factor. Of a trained model the integer bits are known
    that hold a layer's weights and its results.
    """

    name: str
    n_in: int
    n_out: int
    weighted: bool
    activated: bool
    positions: int | None = None
    depthwise: bool = False
    last: bool = False
    scaled: bool = False
    weight_integer: int | None = None
    result_integer: int | None = None

    def has(self, knob: str) -> bool:
        """Whether designs have a value of this per-layer knob for the layer."""
        if knob == "parallelization_factor":
            return self.positions is not None and not self.depthwise
        if knob == "fifo_depth":
            return (self.weighted or self.activated) and not self.last
        if knob in SCALED_KNOBS:
            return self.weighted or self.scaled
        return self.weighted if knob in WEIGHTED_KNOBS else self.activated

    @property
    def parallelization_factors(self) -> tuple[int, ...]:
        """The divisors of a convolution's output pixels: others are changed by hls4ml."""
        pixels = self.positions or 1
        return tuple(factor for factor in range(1, pixels + 1) if pixels % factor == 0)

    def reuse_factors(self, io_type: str) -> tuple[int, ...]:
        """Reuse factors with which hls4ml builds the resource strategy as asked, and right."""
        legal = legal_reuse_factors(self.n_in, self.n_out)
        if self.positions is None or io_type == "io_stream":
            return legal
        return tuple(factor for factor in legal if factor <= self.n_in)


def legal_reuse_factors(n_in: int, n_out: int) -> tuple[int, ...]:
    """Reuse factors that the resource strategy builds as asked for a product sum of n_in inputs and n_out outputs.

    A factor must divide n_in * n_out; up to n_in, whole outputs must share a multiplier (n_out divides the number of
    multipliers); above, it must be a multiple of n_in (hls4ml, nnet_dense_resource.h; a test compares with hls4ml).
    """
    total = n_in * n_out
    found = []
    for factor in (f for f in range(1, total + 1) if total % f == 0):
        multipliers = -(-total // min(n_in, factor))
        if (multipliers % n_out == 0 or factor >= n_in) and (factor % n_in == 0 or factor < n_in):
            found.append(factor)
    return tuple(found)


#: Knobs that one IO type alone knows: hls4ml drops them silently in the other.
NEEDED_IO = {"parallelization_factor": "io_parallel", "fifo_depth": "io_stream"}


def illegal(design: Design, layers: tuple[LayerShape, ...]) -> str | None:
    """Why hls4ml would not build this design as asked, or None."""
    missing = _missing(design, layers)
    if missing is not None:
        return missing
    for knob, needed in NEEDED_IO.items():
        if getattr(design.hardware, knob) is not None and design.hardware.io_type != needed:
            return f"{knob} is for {needed}: hls4ml drops it in {design.hardware.io_type}."
    for layer in layers:
        if layer.weighted and design.hardware.reuse_factor != UNSET:
            reason = _illegal(design.hardware, layer)
            if reason is not None:
                return f"layer {layer.name}, {reason}"
    return None


def _illegal(hardware: Hardware, layer: LayerShape) -> str | None:
    """Why hls4ml would not build this layer as asked, or build something that computes other values."""
    parallelism = hardware.parallelization_factor
    if parallelism is not None and layer.has("parallelization_factor"):
        wanted, divisors = parallelism.number(layer.name), layer.parallelization_factors
        if wanted not in divisors:
            return f"parallelization_factor must be one of ({', '.join(map(str, divisors))}), got {wanted}."
    factor, strategy = hardware.reuse_factor.number(layer.name), str(hardware.strategy.of(layer.name))
    if strategy == "latency":
        return None
    if layer.depthwise:
        return f"a depthwise convolution: strategy must be latency, got {strategy}."
    parallel = layer.positions is not None and hardware.io_type == "io_parallel"
    if parallel and strategy == "resource_unrolled":
        return "a convolution in io_parallel: for strategy resource_unrolled hls4ml builds resource. Use io_stream."
    legal = layer.reuse_factors(hardware.io_type)
    if strategy == "resource_unrolled":
        legal = legal_reuse_factors(layer.n_in, layer.n_out)[1:-1]
    if strategy == "distributed_arithmetic":
        legal = (1,)
    if factor in legal:
        return None
    shown = ", ".join(map(str, legal[:16])) + (", ..." if len(legal) > 16 else "")
    beyond = f" beyond {layer.n_in} hls4ml's code of a convolution in io_parallel computes other values, without a word;"
    why = beyond if parallel and factor > layer.n_in else ""
    return f"strategy {strategy}:{why} reuse_factor must be one of ({shown}), got {factor}."


def _missing(design: Design, layers: tuple[LayerShape, ...]) -> str | None:
    """The first layer for which a knob has no value: an architecture may have layers that the first one had not."""
    for knob in PER_LAYER:
        value: PerLayer | None = design.knob(knob)
        if value is None:
            continue
        named = {name for name, _ in value.overrides}
        for layer in layers:
            if layer.has(knob) and value.default is None and layer.name not in named:
                return f'layer {layer.name} has no {knob}. Give the study\'s {knob} a value for all other layers: "*".'
    return None

"""The design space: which values every knob may take, and which of them hls4ml builds as asked."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from dse.design import ARCHITECTURE, EVERY, PER_LAYER, UNSET, Design, PerLayer, Scalar, build, canonical
from dse.domains import Domain, EachLayer, ReuseFactors, check
from dse.errors import UsageError


@dataclass(frozen=True, slots=True)
class LayerShape:
    """What the space must know of a layer: its product sum's size, and which knobs it has."""

    name: str
    n_in: int
    n_out: int
    weighted: bool
    activated: bool


#: Knobs of layers with weights; the others belong to activations.
WEIGHTED = ("weight_bits", "sparsity", "reuse_factor", "strategy", "weight_width", "weight_integer")
Knob = Domain | EachLayer | ReuseFactors | Scalar | Mapping[str, Any]


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


def illegal(design: Design, layers: tuple[LayerShape, ...]) -> str | None:
    """Why hls4ml would not build this design as asked, or None."""
    missing = _missing(design, layers)
    if missing is not None:
        return missing
    for layer in layers:
        if not layer.weighted or design.hardware.reuse_factor == UNSET:
            continue
        factor, strategy = design.hardware.reuse_factor.number(layer.name), design.hardware.strategy.of(layer.name)
        legal = legal_reuse_factors(layer.n_in, layer.n_out)
        if strategy == "resource_unrolled":
            legal = legal[1:-1]
        if strategy == "distributed_arithmetic":
            legal = (1,)
        if strategy != "latency" and factor not in legal:
            shown = ", ".join(map(str, legal[:16])) + (", ..." if len(legal) > 16 else "")
            return f"layer {layer.name}, strategy {strategy}: reuse_factor must be one of ({shown}), got {factor}."
    return None


def _missing(design: Design, layers: tuple[LayerShape, ...]) -> str | None:
    """The first layer for which a knob has no value: an architecture may have layers that the first one had not."""
    for knob in PER_LAYER:
        value: PerLayer | None = design.knob(knob)
        if value is None:
            continue
        named = {name for name, _ in value.overrides}
        for layer in layers:
            if (layer.weighted if knob in WEIGHTED else layer.activated) and value.default is None and layer.name not in named:
                return f'layer {layer.name} has no {knob}. Give the study\'s {knob} a value for all other layers: "*".'
    return None


@dataclass(frozen=True)
class Space:
    """All knobs of a study: a domain, one value for all designs, or a mapping from layer names ("*": the others) to either.

    `architecture` maps the arguments of the study's own model function to domains or values. Which knobs a space needs and may
    have depends on the study's workload; None is a knob that its designs do not have.
    """

    weight_bits: Knob | None = None
    activation_bits: Knob | None = None
    sparsity: Knob | None = 0.0
    input_bits: Knob | None = 16
    reuse_factor: Knob | None = 1
    strategy: Knob | None = "latency"
    io_type: Knob | None = "io_parallel"
    clock_ns: Knob | None = None
    architecture: Mapping[str, Domain | Scalar] = field(default_factory=dict)
    weight_width: Knob | None = None
    weight_integer: Knob | None = None
    result_width: Knob | None = None
    result_integer: Knob | None = None
    input_width: Knob | None = None
    input_integer: Knob | None = None
    rounding: Knob | None = None
    saturation: Knob | None = None

    def __post_init__(self) -> None:
        for name, domain in self.flat.items():
            if isinstance(domain, Domain):
                check(name, domain)

    @property
    def flat(self) -> dict[str, Domain | ReuseFactors | EachLayer]:
        """Every knob under its flat name (`weight_bits.fc1`); single values are domains of one."""
        found: dict[str, Any] = {f"{ARCHITECTURE}.{name}": value for name, value in self.architecture.items()}
        for f in fields(self):
            value = getattr(self, f.name)
            if f.name == ARCHITECTURE or value is None:
                continue
            if isinstance(value, Mapping):
                if f.name not in PER_LAYER:
                    raise UsageError(f"{f.name} has one value for the whole network, got one per layer: {', '.join(value)}.")
                found |= {f.name if layer == EVERY else f"{f.name}.{layer}": domain for layer, domain in value.items()}
            else:
                found[f.name] = value
        return {name: v if isinstance(v, (Domain, ReuseFactors, EachLayer)) else Domain((v,)) for name, v in found.items()}

    @property
    def domains(self) -> dict[str, Domain]:
        """Every knob's domain by its flat name; UsageError while the layers are not known (see `resolved`)."""
        found = {}
        for name, domain in self.flat.items():
            if not isinstance(domain, Domain):
                raise UsageError(f"{name}: the values depend on the layers, which are not known yet.")
            found[name] = domain
        return found

    @property
    def free(self) -> dict[str, Domain]:
        """The domains with more than one value."""
        return {name: domain for name, domain in self.domains.items() if len(domain.values) > 1}

    @property
    def size(self) -> int:
        """How many designs there are."""
        return math.prod(len(domain.values) for domain in self.domains.values())

    def resolved(self, layers: tuple[LayerShape, ...]) -> Space:
        """This space with per-layer knobs and reuse factors spelled out; UsageError for unknown layers or illegal values."""
        changed = {}
        for knob in PER_LAYER:
            if getattr(self, knob) is None:
                continue
            names = [layer.name for layer in layers if (layer.weighted if knob in WEIGHTED else layer.activated)]
            changed[knob] = _resolved(knob, getattr(self, knob), names, layers, more=bool(self.architecture))
        space = replace(self, **changed)
        if not self.architecture:
            _check_reuse(space, layers)
        return space

    def design(self, values: Mapping[str, Scalar]) -> Design:
        """The design of these flat knob values; knobs with one value may be left out.

        UsageError for a name that is no knob of this space or a value outside its domain.
        """
        domains, chosen = self.domains, {}
        for name, value in values.items():
            if name not in domains:
                raise UsageError(f"{name!r} is not a knob of this space; its knobs: {', '.join(domains)}.")
            if canonical(value) not in domains[name].values:
                shown = ", ".join(map(str, domains[name].values))
                raise UsageError(f"{name} must be one of ({shown}), got {value!r}.")
            # the domain's own value: 6.0 and True equal 6 and 1, but would give the same design another digest
            chosen[name] = domains[name].values[domains[name].values.index(canonical(value))]
        missing = [name for name in self.free if name not in values]
        if missing:
            raise UsageError(f"a design of this space needs a value for {', '.join(missing)}.")
        lacking = {f.name: None for f in fields(self) if f.name != ARCHITECTURE and getattr(self, f.name) is None}
        return build({**lacking, **{name: chosen.get(name, domain.values[0]) for name, domain in domains.items()}})

    def values(self, design: Design) -> dict[str, Scalar] | None:
        """The free knobs' values of a design, or None where the design is not in this space."""
        knobs = design.knobs
        found = {}
        for name, domain in self.domains.items():
            value = knobs.get(name, knobs.get(name.partition(".")[0]))
            if value is None or value not in domain.values:
                return None
            if len(domain.values) > 1:
                found[name] = value
        return found if self.design(found) == design else None

    def designs(self) -> Iterator[Design]:
        """All designs, one after the other, in a fixed order."""
        free = self.free
        for values in itertools.product(*(domain.values for domain in free.values())):
            yield self.design(dict(zip(free, values, strict=True)))

    def as_json(self) -> dict[str, Any]:
        """Domains by flat name, as lists."""
        return {name: list(domain.values) for name, domain in self.domains.items()}


def _resolved(knob: str, value: Any, names: list[str], layers: tuple[LayerShape, ...], *, more: bool) -> Any:
    """A knob's domain, or its domains by layer; `more`: other architectures may have layers that these ones lack."""
    names = list(dict.fromkeys(names))  # a layer has one shape per architecture
    shapes = {name: [layer for layer in layers if layer.name == name] for name in names}
    if isinstance(value, EachLayer):
        value = dict.fromkeys(names, value.domain)
    if isinstance(value, Mapping):
        if not value or not (names or more):
            raise UsageError(f"{knob}: the network has no layer with this knob; give it one plain value.")
        unknown = [name for name in value if name not in (*names, EVERY)]
        if unknown:
            raise UsageError(f"{knob}: there is no layer {', '.join(unknown)} with this knob; there are {', '.join(names)}.")
        left = [name for name in names if name not in value]
        if left and EVERY not in value:
            raise UsageError(f'{knob}: no value for layer {", ".join(left)}. Name it, or give "*" for all others.')
        chosen = {name: shapes[name] if name != EVERY else [shape for n in left for shape in shapes[n]] for name in value}
        return {name: _factors(domain, chosen[name]) for name, domain in value.items() if chosen[name] or more}
    return _factors(value, [shape for name in names for shape in shapes[name]])


def _factors(domain: Any, layers: list[LayerShape]) -> Any:
    if not isinstance(domain, ReuseFactors):
        return domain
    common = set(range(1, domain.at_most + 1))
    for layer in layers:
        common &= set(legal_reuse_factors(layer.n_in, layer.n_out))
    return Domain(tuple(sorted(common)))


def _check_reuse(space: Space, layers: tuple[LayerShape, ...]) -> None:
    for layer in layers:
        if not layer.weighted or space.reuse_factor is None:
            continue
        factors = space.domains.get(f"reuse_factor.{layer.name}") or space.domains["reuse_factor"]
        strategies = space.domains.get(f"strategy.{layer.name}") or space.domains["strategy"]
        numbers = [int(f) for f in factors.values]
        legal = legal_reuse_factors(layer.n_in, layer.n_out)
        wrong = [str(f) for f in numbers if f not in legal]
        if wrong and "resource" in strategies.values:
            shown = ", ".join(str(f) for f in legal if f <= max(64, *numbers))
            raise UsageError(
                f"reuse_factor must be one of ({shown}) for layer {layer.name} ({layer.n_in} x {layer.n_out}), "
                f"got {', '.join(wrong)}. `ReuseFactors()` takes all that are legal."
            )

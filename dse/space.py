"""The design space: which values every knob may take."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from dse.design import ARCHITECTURE, EVERY, PER_LAYER, Design, Scalar, build, canonical
from dse.domains import Domain, EachLayer, Profiled, ReuseFactors, check
from dse.errors import UsageError
from dse.legal import NEEDED_IO, LayerShape

Knob = Domain | EachLayer | ReuseFactors | Profiled | Scalar | Mapping[str, Any]
_DOMAINS = (Domain, ReuseFactors, EachLayer, Profiled)


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
    parallelization_factor: Knob | None = None
    fifo_depth: Knob | None = None
    learning_rate: Knob | None = None

    def __post_init__(self) -> None:
        for name, domain in self.flat.items():
            if isinstance(domain, Domain):
                check(name, domain)

    @property
    def flat(self) -> dict[str, Domain | ReuseFactors | EachLayer | Profiled]:
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
        return {name: v if isinstance(v, _DOMAINS) else Domain((v,)) for name, v in found.items()}

    def asked(self, knob: str) -> frozenset[Scalar]:
        """All values that a knob with named values may take in any layer."""
        return frozenset(v for name, domain in self.flat.items() if name.partition(".")[0] == knob for v in possible(domain))

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
        possible = self.flat.get("io_type")
        io_type = "io_parallel" if "io_parallel" in getattr(possible, "values", ()) else "io_stream"
        more = bool(self.architecture)
        for knob, needed in NEEDED_IO.items():
            if getattr(self, knob) is not None and needed not in getattr(possible, "values", ()):
                raise UsageError(f"{knob} is for {needed}, which is no io_type of this space.")
        given = [knob for knob in PER_LAYER if getattr(self, knob) is not None]
        changed = {knob: _resolved(knob, getattr(self, knob), layers, io_type, more=more) for knob in given}
        space = replace(self, **changed)
        if not self.architecture:
            _check_reuse(space, layers, io_type)
            _check_parallel(space, layers)
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


def _resolved(knob: str, value: Any, layers: tuple[LayerShape, ...], io_type: str, *, more: bool) -> Any:
    """A knob's domain, or its domains by layer; `more`: other architectures may have layers that these ones lack."""
    names = list(dict.fromkeys(layer.name for layer in layers if layer.has(knob)))  # a layer has one shape per architecture
    shapes = {name: [layer for layer in layers if layer.name == name] for name in names}
    if isinstance(value, EachLayer):
        value = dict.fromkeys(names, value.domain)
    if isinstance(value, Profiled):
        value = {name: _around(knob, value, shapes[name][0]) for name in names}
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
        return {name: _factors(domain, chosen[name], io_type) for name, domain in value.items() if chosen[name] or more}
    return _factors(value, [shape for name in names for shape in shapes[name]], io_type)


def _around(knob: str, profiled: Profiled, layer: LayerShape) -> Domain:
    found: int | None = getattr(layer, knob, None)
    if found is None:
        raise UsageError(f"{knob}: nothing is profiled for it; Profiled is for the integer bits of a trained model's layers.")
    return profiled.around(found)


def _factors(domain: Any, layers: list[LayerShape], io_type: str) -> Any:
    if not isinstance(domain, ReuseFactors):
        return domain
    common = set(range(1, domain.at_most + 1))
    for layer in layers:
        common &= set(layer.reuse_factors(io_type))
    return Domain(tuple(sorted(common)))


def _check_reuse(space: Space, layers: tuple[LayerShape, ...], io_type: str) -> None:
    for layer in layers:
        if not layer.weighted or space.reuse_factor is None:
            continue
        factors = space.domains.get(f"reuse_factor.{layer.name}") or space.domains["reuse_factor"]
        strategies = space.domains.get(f"strategy.{layer.name}") or space.domains["strategy"]
        numbers = [int(f) for f in factors.values]
        legal = layer.reuse_factors(io_type)
        wrong = [str(f) for f in numbers if f not in legal]
        if wrong and "resource" in strategies.values:
            shown = ", ".join(str(f) for f in legal if f <= max(64, *numbers))
            raise UsageError(
                f"reuse_factor must be one of ({shown}) for layer {layer.name} ({layer.n_in} x {layer.n_out}), "
                f"got {', '.join(wrong)}. `ReuseFactors()` takes all that are legal."
            )


def _check_parallel(space: Space, layers: tuple[LayerShape, ...]) -> None:
    for layer in layers:
        if space.parallelization_factor is None or not layer.has("parallelization_factor"):
            continue
        factors = space.domains.get(f"parallelization_factor.{layer.name}") or space.domains["parallelization_factor"]
        legal = layer.parallelization_factors
        wrong = [str(factor) for factor in factors.values if factor not in legal]
        if wrong:
            raise UsageError(
                f"parallelization_factor must divide the {layer.positions} output pixels of layer {layer.name} "
                f"({', '.join(map(str, legal))}), got {', '.join(wrong)}."
            )


def possible(domain: object) -> tuple[Scalar, ...]:
    """The values of a domain; () where they are not known before the layers are."""
    if isinstance(domain, EachLayer):
        return possible(domain.domain)
    return domain.values if isinstance(domain, Domain) else ()

"""What hls4ml will build, as plain data: one value per layer, and the quantised weights.

Written once by the conversion; estimates, open synthesis, the float64 reference, packages and the dashboard read this and
never hls4ml's own graph.
"""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dse.errors import StoreError

if TYPE_CHECKING:
    import numpy as np

#: Quantisation (rounding) modes of `ap_fixed`, AMD UG1399.
ROUNDING = ("TRN", "TRN_ZERO", "RND", "RND_ZERO", "RND_INF", "RND_MIN_INF", "RND_CONV")
#: Overflow modes of `ap_fixed`, AMD UG1399.
SATURATION = ("WRAP", "SAT", "SAT_ZERO", "SAT_SYM", "WRAP_SM")
FORMAT = 1
#: `ap_fixed<width, integer[, rounding[, overflow[, saturation bits]]]>` and `ap_int<bits>`, without spaces.
_TYPE = re.compile(
    r"(?:ap_)?(?P<kind>u?)(?:int<(?P<bits>\d+)>"
    rf"|fixed<(?P<width>\d+),(?P<integer>-?\d+)(?:,(?:AP_)?(?P<rounding>{'|'.join(ROUNDING)})"
    rf"(?:,(?:AP_)?(?P<saturation>{'|'.join(SATURATION)})(?:,0)?)?)?>)"
)


@dataclass(frozen=True, slots=True)
class FixedType:
    """`ap_fixed<width, integer, rounding, saturation>`; `integer` counts the sign bit, as in the vendor's type."""

    width: int
    integer: int
    signed: bool = True
    rounding: str = "TRN"
    saturation: str = "WRAP"

    @property
    def fraction(self) -> int:
        """Bits right of the binary point; negative where the step is larger than 1."""
        return self.width - self.integer

    @property
    def step(self) -> float:
        """The value of one unit in the last place."""
        return 2.0**-self.fraction

    @property
    def low(self) -> float:
        """The smallest value."""
        return -(2.0 ** (self.integer - 1)) if self.signed else 0.0

    @property
    def high(self) -> float:
        """The largest value."""
        return 2.0 ** (self.integer - self.signed) - self.step

    def __str__(self) -> str:
        modes = "" if (self.rounding, self.saturation) == ("TRN", "WRAP") else f",{self.rounding},{self.saturation}"
        return f"{'' if self.signed else 'u'}fixed<{self.width},{self.integer}{modes}>"

    @classmethod
    def parse(cls, text: str) -> FixedType:
        """Read `ap_fixed<16,6>`, `ufixed<6,0,RND_CONV,SAT,0>`, `ap_uint<1>` and the like; ValueError for anything else."""
        found = _TYPE.fullmatch("".join(text.split()))
        if found is None:
            raise ValueError(f"not a fixed-point type: {text!r}; expected the form ap_fixed<16,6> or ap_fixed<16,6,RND,SAT>.")
        width = int(found["width"] or found["bits"])
        integer = int(found["integer"] or width)
        return cls(width, integer, "u" not in found["kind"], found["rounding"] or "TRN", found["saturation"] or "WRAP")


@dataclass(frozen=True)
class Layer:
    """One layer as it will be built.

    `kind` is one of: input, dense, conv1d, conv2d, depthwise_conv1d, depthwise_conv2d, batchnorm, quantize, relu, activation,
    softmax, maxpool1d, maxpool2d, avgpool1d, avgpool2d, global_maxpool, global_avgpool, reshape, transpose, padding, merge,
    concatenate, clone (a stream copied for branches), resize; others keep hls4ml's class name in lower case. Shapes are without
    the batch axis. `inputs` are the names of the layers before it. Types that a layer does not have are None. `attributes`
    holds what else defines its function (strides, padding, kernel and pool sizes, the merge operation, table sizes), as JSON
    values.
    """

    name: str
    kind: str
    inputs: tuple[str, ...]
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    result_type: FixedType
    weight_type: FixedType | None = None
    bias_type: FixedType | None = None
    accumulator_type: FixedType | None = None
    strategy: str = ""
    reuse_factor: int | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def n_in(self) -> int:
        """Inputs of one product sum: dense n_in, convolution kernel size times channels, depthwise kernel size."""
        return int(self.attributes["n_in"])

    @property
    def n_out(self) -> int:
        """Outputs of one product sum: dense units, convolution filters."""
        return int(self.attributes["n_out"])

    @property
    def positions(self) -> int:
        """How often the product sum is evaluated for one input: 1 for dense, output pixels for a convolution."""
        return int(self.attributes.get("positions", 1))


@dataclass(frozen=True)
class Network:
    """A converted network: layers in order of evaluation, quantised weights, and what hls4ml was told.

    `weights` maps `"layer/weight"` and `"layer/bias"` to float64 arrays that already hold quantised values, in the layout of
    Keras: dense (n_in, n_out), conv2d (kernel_h, kernel_w, n_chan, n_filt), depthwise (kernel..., n_chan, multiplier).
    """

    layers: tuple[Layer, ...]
    outputs: tuple[str, ...]
    io_type: str
    part: str
    clock_ns: float
    backend: str
    hls4ml_version: str
    weights: Mapping[str, np.ndarray] = field(default_factory=dict, compare=False)

    def layer(self, name: str) -> Layer:
        """The layer of this name; KeyError otherwise."""
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise KeyError(name)

    @property
    def multipliers(self) -> tuple[Layer, ...]:
        """The layers with weights that multiply (dense and convolutions)."""
        return tuple(layer for layer in self.layers if f"{layer.name}/weight" in self.weights and layer.kind != "batchnorm")

    @property
    def digest(self) -> str:
        """SHA-256 over layers, types and weights: equal for equal hardware, whatever names hls4ml stamps on its files."""
        return self._digest(self._plain())

    @property
    def function_digest(self) -> str:
        """The same over what decides the outputs alone: without reuse factors, strategies, parallelisation, depths of
        streams, IO type, part and clock.
        """
        plain = self._plain()
        for name in ("io_type", "part", "clock_ns"):
            del plain[name]
        for layer in plain["layers"]:
            for name in ("reuse_factor", "strategy"):
                del layer[name]
            for name in ("parallelization_factor", "fifo_depth"):
                layer["attributes"].pop(name, None)
        return self._digest(plain)

    def _digest(self, plain: dict[str, Any]) -> str:
        total = hashlib.sha256(json.dumps(plain, sort_keys=True).encode())
        for name in sorted(self.weights):
            array = self.weights[name].astype("<f8") + 0.0  # -0.0 is the same weight as 0.0
            total.update(f"{name}{array.shape}".encode())
            total.update(array.tobytes(order="C"))
        return total.hexdigest()

    def _plain(self) -> dict[str, Any]:
        plain: dict[str, Any] = asdict(replace(self, weights={}))
        del plain["weights"]
        return {"format": FORMAT, **plain}

    def save(self, folder: Path) -> None:
        """Write `layers.json` and `weights.npz` into `folder`, which exists."""
        import numpy as np

        (folder / "layers.json").write_text(json.dumps(self._plain(), indent=1))
        with (folder / "weights.npz").open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **{name: np.asarray(w) for name, w in self.weights.items()})

    @classmethod
    def load(cls, folder: Path) -> Network:
        """Read what `save` has written; StoreError where a file is missing or of another format."""
        import numpy as np

        try:
            plain = json.loads((folder / "layers.json").read_text())
            with np.load(folder / "weights.npz", allow_pickle=False) as file:
                weights = {name: file[name] for name in file.files}
            if plain.pop("format", None) != FORMAT:
                raise StoreError(f"{folder}/layers.json: another format than {FORMAT}. Convert again with this version of dse.")
            layers = tuple(_layer(row) for row in plain.pop("layers"))
            return cls(layers=layers, outputs=tuple(plain.pop("outputs")), weights=weights, **plain)
        except _UNREADABLE as error:
            raise StoreError(f"{folder}: not a readable network ({error!r}). Remove it and run again.") from error


#: What json, numpy and zipfile raise for files that are gone, torn or of another shape.
_UNREADABLE = (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile, zlib.error)


def _layer(row: dict[str, Any]) -> Layer:
    for name in ("result_type", "weight_type", "bias_type", "accumulator_type"):
        if row[name] is not None:
            row[name] = FixedType(**row[name])
    for name in ("inputs", "input_shape", "output_shape"):
        row[name] = tuple(row[name])
    return Layer(**row)

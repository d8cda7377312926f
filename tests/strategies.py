"""Hypothesis strategies for the values that pass between the rooms."""

from __future__ import annotations

import string

from hypothesis import strategies as st

from dse.design import EVERY, IO_TYPES, STRATEGIES, Compression, Design, Hardware, per_layer
from dse.errors import FAILURE_KINDS
from dse.metrics import LEVELS, METRICS, Judge, Measurement, Source
from dse.record import Failure, Record, Refusal

names = st.text(string.ascii_lowercase + string.digits + "_", min_size=1, max_size=6)
finite = st.floats(allow_nan=False, allow_infinity=False, width=32)
bits = st.integers(2, 32)


def layered(values):
    """A knob's value for all layers, or one for each of some layers, with or without one for the others."""
    some = st.dictionaries(names, values, min_size=1, max_size=3)
    return st.one_of(values, some, st.builds(lambda rest, named: {EVERY: rest, **named}, values, some)).map(per_layer)


compressions = st.builds(Compression, layered(bits), layered(bits), layered(st.floats(0, 0.99)), bits)
hardwares = st.builds(
    Hardware,
    layered(st.integers(1, 4096)),
    layered(st.sampled_from(STRATEGIES)),
    st.sampled_from(IO_TYPES),
    st.none() | st.floats(0.5, 100).map(lambda value: float(f"{value:.12g}")),
)
#: One kind of value per knob, as a space has it.
architectures = st.dictionaries(names, st.integers(-99, 99) | st.text(max_size=5), max_size=3).map(
    lambda found: tuple(sorted(found.items()))
)
designs = st.builds(Design, architectures, compressions, hardwares)

figures = st.dictionaries(st.sampled_from(sorted(METRICS)), finite | st.integers(0, 10**9), max_size=4)
sources = st.builds(Source, names, names, names, st.sampled_from(LEVELS), names)
judges = st.builds(Judge, names, names, names, st.sampled_from(LEVELS), names, st.none() | st.floats(0.5, 100), names)
intervals = st.dictionaries(
    st.sampled_from(sorted(METRICS)), st.tuples(finite, finite).map(lambda pair: (min(pair), max(pair))), max_size=2
)
measurements = st.builds(
    Measurement,
    sources,
    figures,
    st.none() | judges,
    st.dictionaries(names, figures, max_size=2),
    intervals,
    st.dictionaries(st.sampled_from(sorted(METRICS)), st.sampled_from(("law", "calibrated")), max_size=2),
)
failures = st.builds(Failure, names, st.sampled_from(FAILURE_KINDS), st.text(max_size=20), st.text(max_size=20))
records = st.builds(
    Record,
    st.integers(0, 10**6),
    designs,
    st.dictionaries(names, st.integers() | st.text(max_size=5) | st.booleans(), max_size=3),
    st.lists(measurements, max_size=3).map(tuple),
    st.none() | failures,
    st.text(max_size=10),
    st.dictionaries(names, names, max_size=3),
    st.dictionaries(names, st.integers(0, 10**7).map(lambda n: n / 10_000), max_size=3),
    st.text(max_size=10),
    st.lists(st.builds(Refusal, judges, failures, names), max_size=2).map(tuple),
)

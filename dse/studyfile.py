"""Study files: Python with a STUDY in it, and changes from the command line."""

from __future__ import annotations

import difflib
import inspect
import json
import re
import runpy
import sys
import traceback
from dataclasses import fields, is_dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from dse.errors import DseError, UsageError
from dse.goals import Limit, Objective
from dse.parts import Part
from dse.space import Space
from dse.study import Study, Target
from dse.workload import Training, Workload


def load(path: Path | str, changes: tuple[str, ...] = (), data: Path | str | None = None) -> Study:
    """The STUDY of a study file, with `KEY=VALUE` changes applied; UsageError where the file is missing or raises.

    `data` is given to the study's data function as its argument `path`.
    """
    path = Path(path)
    if not path.is_file():
        raise UsageError(f"{path}: no such study file. studies/digits.py is one to begin with.")
    import dashboards  # noqa: F401 - found before a folder of that name beside the study can hide it

    if str(path.parent.absolute()) not in sys.path:
        sys.path.append(str(path.parent.absolute()))  # modules beside the study; workers get this process' path
    try:
        found = runpy.run_path(str(path), run_name="dse_study").get("STUDY")
    except DseError as error:
        raise UsageError(f"{path}{_line(error, path)}: {error}") from error
    except (Exception, SystemExit) as error:
        raise UsageError(f"{path}{_line(error, path)} raised {type(error).__name__}: {error}{_known(error)}") from error
    if not isinstance(found, Study):
        raise UsageError(f"{path}: a study file defines STUDY = Study(...), got {type(found).__name__}.")
    for change in changes:
        key, equals, value = change.partition("=")
        if not equals:
            raise UsageError(f"--set wants KEY=VALUE, such as target.clock_ns=3; got {change!r}.")
        found = _changed(found, key.split("."), value, key)
    return found if data is None else replace(found, workload=_reading(found.workload, Path(data)))


def _reading(workload: Any, data: Path) -> Any:
    """The workload with its data from a file; UsageError where its data function takes none or the file is not there."""
    function = getattr(workload, "data", None)
    if not callable(function) or "path" not in inspect.signature(function).parameters:
        raise UsageError("--data: this study's data function takes no file. Give it an argument `path`, as datasets.jets has.")
    if not data.exists():
        raise UsageError(f"--data: {data}: no such file.")
    return replace(workload, data=partial(function, path=data.absolute()))


def _line(error: BaseException, path: Path) -> str:
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    if not lines and isinstance(error, SyntaxError):
        lines = [error.lineno]
    return f", line {lines[-1]}" if lines else ""


def _known(error: BaseException) -> str:
    """For a misspelt argument of one of our values: what it might have been, and all that there are."""
    found = re.match(r"(\w+)\.__init__\(\) got an unexpected keyword argument '(\w+)'", str(error))
    kinds = {kind.__name__: kind for kind in (Study, Space, Target, Workload, Training, Objective, Limit, Part)}
    if found is None or found[1] not in kinds:
        return ""
    names = [f.name for f in fields(kinds[found[1]])]
    near = difflib.get_close_matches(found[2], names, 1)
    guess = f" Did you mean {near[0]}?" if near else ""
    return f".{guess} {found[1]} takes {', '.join(names)}."


def _changed(value: Any, keys: list[str], text: str, whole: str) -> Any:
    """`value` with the field that the dotted key names replaced by the text, read as JSON where it is JSON."""
    names = [f.name for f in fields(value)] if is_dataclass(value) else []
    if keys[0] not in names:
        raise UsageError(f"--set {whole}: there is no {keys[0]!r}; there are {', '.join(names) or 'no fields'}.")
    if len(keys) > 1:
        return replace(value, **{keys[0]: _changed(getattr(value, keys[0]), keys[1:], text, whole)})
    try:
        new = json.loads(text)
    except ValueError:
        new = text
    try:
        return replace(value, **{keys[0]: new})
    except TypeError as error:
        raise UsageError(f"--set {whole}={text}: {error}") from error

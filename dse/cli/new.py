"""`dse new`."""

from __future__ import annotations

import re
import sys
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from dse import store
from dse.cli.terminal import say
from dse.errors import UsageError

Kind = Literal["mlp", "cnn", "regression", "trained", "trees"]
#: What stands in the templates for the new study's name.
PLACEHOLDER = "NEW_STUDY"
#: A study's name is also the name of a Python file, of a folder, and a word in commands.
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,99}")


def new(
    name: Annotated[Path, typer.Argument(help="The study's name; a folder may stand before it.", metavar="NAME")],
    kind: Annotated[Kind, typer.Option(help="What to begin with, see above.")] = "mlp",
) -> None:
    """Write a study file to begin with: it runs as it stands, and its comments say what to change.

    \b
    Kinds:
      mlp         a dense classifier, pruned and quantised while it is trained
      cnn         a convolutional one, streamed or in parallel
      regression  a dense network that meets numbers
      trained     a saved Keras or QKeras model as it is: types and hardware are searched, nothing is trained
      trees       boosted decision trees (extra dse[trees])

    All begin with built-in data and take a data file of one's own by `dse run NAME.py --data FILE`. A file that is there is
    never written over.

    \b
    Examples:
      dse new mine && dse run mine.py --trials 10
      dse new studies/tagger --kind cnn
    """
    path = name.with_suffix("") if name.suffix == ".py" else name
    _check(path.name)
    path = path.with_name(f"{path.name}.py")
    text = (files("dse") / "templates" / f"{kind}.py").read_text(encoding="utf-8").replace(PLACEHOLDER, path.stem)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(f"{path} is there already and is not written over. Choose another name.") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}. Choose a folder that is there.") from error
    first = f"python {path}        # saves {path.with_suffix('.keras')}, to begin with\n  " if kind == "trained" else ""
    say(Console(), f"{path} is a study of the kind {kind}; it runs as it stands:\n  {first}dse run {path} --trials 10")


def _check(name: str) -> None:
    """UsageError for names that a study, its folder or its file cannot have."""
    if not NAME.fullmatch(name):
        raise UsageError(f"a study's name must be letters, digits, _ and - and begin with a letter, got {name!r}.")
    if name == store.FOLDER:
        raise UsageError(f"a study cannot be called {name!r}: its folder would be the store's. Choose another name.")
    if name in sys.stdlib_module_names or name in ("dse", "dashboards", "keras", "numpy", "tensorflow", "xgboost"):
        raise UsageError(f"{name}.py would hide the module {name} from Python scripts beside it. Choose another name.")

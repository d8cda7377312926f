"""Files that are downloaded once and kept: from OpenML by name, or from an address."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import shutil
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dse.errors import DseError

if TYPE_CHECKING:
    import pandas as pd

OPENML = "https://www.openml.org"
#: Where downloaded files are kept, unless the caller says otherwise.
CACHE = Path("~/.cache/dse/datasets")
TIMEOUT_S = 60.0


def kept(name: str, url: str, cache: Path, md5: str = "") -> Path:
    """The file `name` in the cache, downloaded from `url` where it is not there yet; OSError or DseError where that fails.

    `md5` is compared where it is given. Other processes never see half a file.
    """
    home = cache.expanduser() / name
    if home.is_file():
        return home
    home.parent.mkdir(parents=True, exist_ok=True)
    draft = home.with_name(f"{name}.{os.getpid()}")
    total = hashlib.md5(usedforsecurity=False)
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as source, draft.open("wb") as file:  # noqa: S310 - http or https
            shutil.copyfileobj(source, file)
        with draft.open("rb") as file:
            while chunk := file.read(2**20):
                total.update(chunk)
        if md5 and total.hexdigest() != md5:
            raise DseError(f"{url}: the MD5 sum is {total.hexdigest()}, OpenML states {md5}. Try again.")
        draft.replace(home)
    finally:
        draft.unlink(missing_ok=True)
    return home


def openml(name: str, cache: Path, base: str = OPENML) -> pd.DataFrame:
    """The active data set of this name on OpenML as a table, downloaded where `cache` does not hold `name.arff`.

    DseError says what to download and where to put it where it cannot be had.
    """
    home = cache.expanduser() / f"{name}.arff"
    if not home.is_file():
        try:
            found = _asked(f"{base}/api/v1/json/data/list/data_name/{name}/limit/1/status/active")
            described = _asked(f"{base}/api/v1/json/data/{found['data']['dataset'][0]['did']}")["data_set_description"]
            home = kept(home.name, described["url"], cache, described.get("md5_checksum", ""))
        except (OSError, http.client.HTTPException, ValueError, KeyError, IndexError, TypeError) as error:
            where = f"{OPENML}/search?type=data&q={name}"
            raise DseError(f"data set {name} could not be had from {base}: {error!r}. {advice(where, home)}") from error
    return arff(home)


def advice(where: str, home: Path) -> str:
    """What to do by hand where there is no network."""
    return f"Download it where there is a network ({where}) and save it as {home}, or give another file with --data PATH."


def _asked(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:  # noqa: S310
        return json.load(answer)


def arff(path: Path) -> pd.DataFrame:
    """A dense ARFF file (Weka's format, OpenML's) as a table; DseError for a sparse one or another file."""
    import pandas as pd

    names: list[str] = []
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            word = line.lstrip()[:10].casefold()
            if word.startswith("@attribute"):
                names.append(_name(line.split(None, 1)[1].strip()))
            elif word.startswith("@data"):
                break
        else:
            raise DseError(f"{path}: not an ARFF file, it has no line @DATA. Remove it and try again.")
        try:
            return pd.read_csv(file, names=names, na_values="?", comment="%", quotechar="'", skipinitialspace=True)
        except ValueError as error:
            raise DseError(f"{path}: not a readable dense ARFF file: {error}") from error


def _name(declared: str) -> str:
    """The attribute's name, which may be in quotes, without its type."""
    quote = declared[0]
    return declared[1:].split(quote, 1)[0] if quote in "'\"" else declared.split(None, 1)[0]

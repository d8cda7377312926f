"""The rules of the house: who may import whom, one door per library, and what no module does.

A new module needs a place in FLOORS; that is all it takes. Modules import from floors below their own and from within their
own room. Imports inside functions count like those at the top.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

#: From the ground up, without the leading "dse."; rooms on one floor do not import one another. A room is a module, or a
#: package with all that is in it, unless its parts are listed by themselves.
FLOORS = (
    # what nothing stands on
    ("errors", "symptoms", "guard", "shares", "pareto", "knobs", "aptypes"),
    # what things are: values
    ("design", "metrics", "parts", "network", "data"),
    ("domains", "record", "fixed", "workload", "legal"),
    ("space", "goals", "datasets", "scores"),
    # where things are kept, and how programs are called
    ("journal", "publish", "shell", "legacy_keras", "busy"),
    ("store", "run", "vendor", "compiler", "library"),
    # what readers of a run see
    ("view",),
    ("export", "cleaning", "evidence", "joint"),
    ("listing",),
    ("summary",),
    ("dashboards",),
    # one design
    ("nn.layers", "nn.train", "nn.extract", "nn.reference", "nn.saved", "synth", "synth.reports", "synth.vectors"),
    ("nn.graph",),
    ("nn.population",),
    (
        "nn.compress",
        "nn.blueprint",
        "nn.ranges",
        "nn.convert",
        "nn.emulate",
        "synth.estimate",
        "synth.vitis",
        "synth.vivado",
        "synth.open",
    ),
    ("proof", "answerable"),
    ("nn.read", "nn.anatomy", "study", "ladder"),
    ("studyfile", "flow", "preflight", "nn.quantise", "nn.likeness", "package"),
    ("nn.qat", "nn.ptq", "bdt"),
    ("evaluate",),
    ("together",),
    ("worker", "preload"),
    ("executors",),
    # many designs
    ("sweep.options", "sweep.progress", "sweep.proposals", "sweep.ledger"),
    ("sweep.sampling", "sweep.batches"),
    ("sweep.loop", "sweep.restate"),
    ("sweep",),
    ("climb",),
    ("cli",),
)
#: Packages whose parts are rooms of their own: a new module in one of them is not let in by its package's name.
DIVIDED = ("nn", "synth", "sweep")
FLOOR = {room: number for number, floor in enumerate(FLOORS) for room in floor}

#: What shows results reads values and runs: nothing that makes, keeps or calls.
READERS = ("view", "evidence", "export", "listing", "summary", "dashboards")
READABLE = ("errors", "knobs", "design", "metrics", "parts", "network", "record", "goals", "run", "pareto", *READERS)

#: The rooms that know a library, and no others do.
DOORS = {
    "tensorflow": {"legacy_keras", "nn.population", "worker"},
    "tf_keras": {"legacy_keras", "nn.train", "nn.graph", "nn.compress", "nn.saved", "preflight"},
    "qkeras": {"nn.graph", "nn.saved", "preload"},
    "tensorflow_model_optimization": {"nn.compress", "nn.saved", "preload"},
    "hls4ml": {"nn.convert", "nn.extract", "nn.read", "nn.anatomy", "preload"},
    "yaml": {"nn.read"},
    "scipy": {"datasets"},
    "urllib": {"dashboards", "datasets"},
    "sklearn": {"data", "datasets", "preload"},
    "conifer": {"bdt"},
    "optuna": {"sweep.sampling"},
    "pandas": {"export", "datasets"},
    "pyarrow": {"export"},
    "plotly": {"dashboards"},
    "dash": {"dashboards"},
    "flask": {"dashboards"},
    "werkzeug": {"dashboards"},
    "matplotlib": {"dashboards"},
    "pebble": {"executors"},
    "cloudpickle": {"executors", "worker"},
    "alkaid": {"synth.open"},
    "typer": {"cli"},
    "h5py": {"nn.saved", "datasets"},
    "keras": {"nn.saved"},
    "rich": {"cli", "climb", "sweep.options", "sweep.progress", "sweep.restate"},
    # of the standard library
    "subprocess": {"shell"},
    "multiprocessing": {"executors"},
    "ctypes": {"guard", "shares", "worker"},
    "runpy": {"studyfile"},
}
#: Arrays are everywhere; only what `import dse` and a study file load keeps them inside functions, see below.
EVERYWHERE = {"numpy"}
#: Seconds of import, or an extra that may be missing: only inside functions.
HEAVY = (
    "tensorflow",
    "tf_keras",
    "qkeras",
    "tensorflow_model_optimization",
    "hls4ml",
    "sklearn",
    "conifer",
    "scipy",
    "pandas",
    "pyarrow",
    "matplotlib",
)

WRITES = ("update", "setdefault", "pop", "popitem", "clear", "__setitem__")
BROAD = (None, "Exception", "BaseException")


def name_of(path):
    """`dse/nn/train.py` is nn.train, `dashboards/page.py` dashboards.page; the package itself is dse."""
    dotted = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    return dotted.removeprefix("dse.")


#: What `dse new` writes: studies, not modules.
TEMPLATES = ROOT / "dse" / "templates"
FILES = [path for package in ("dse", "dashboards") for path in sorted((ROOT / package).rglob("*.py"))]
MODULES = {name_of(path): path for path in FILES if path.parent != TEMPLATES}
TREES = {name: ast.parse(path.read_text()) for name, path in MODULES.items()}


def room_of(module):
    """The listed room that a module is in, or None."""
    if module in FLOOR:
        return module
    parts = module.split(".")
    for end in range(len(parts) - 1, 0, -1):
        room = ".".join(parts[:end])
        if room in FLOOR and room not in DIVIDED:
            return room
    return None


def imported(tree):
    """(dotted module, name taken from it or None) of every import, wherever it stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (("." * node.level + (node.module or ""), alias.name) for alias in node.names)


def ours(tree):
    """The modules of this project that a module imports, with the names taken from the package's face as `dse:name`."""
    for module, taken in imported(tree):
        if module.split(".")[0] not in ("dse", "dashboards"):
            continue
        inner = f"{module}.{taken}".removeprefix("dse.") if taken is not None else None
        name = inner if inner in MODULES else module.removeprefix("dse.")
        yield f"dse:{taken}" if name == "dse" else name


def libraries(tree):
    """The first parts of the names of all that is imported and not ours."""
    return {module.split(".")[0] for module, _ in imported(tree)} - {"dse", "dashboards", "__future__"}


def test_every_module_has_a_room():
    """dse/__init__.py is the house's face, and dse/nn/__init__.py is empty: all others have a place in FLOORS."""
    assert [name for name in MODULES if room_of(name) is None] == ["dse", "nn"]
    assert MODULES["nn"].read_text() == ""


def test_every_room_is_there():
    """A plan with rooms that nobody built misleads; a room stands on one floor only."""
    assert [room for room in FLOOR if room not in MODULES] == []
    assert sum(map(len, FLOORS)) == len(FLOOR)


def upwards(module):
    """The imports of a module that do not go downwards or stay within its room."""
    room = room_of(module)
    for other in ours(TREES[module]):
        if other.startswith("dse:"):
            if other not in ("dse:__version__", "dse:None"):
                yield other
        elif room_of(other) != room and FLOOR[room_of(other)] >= FLOOR[room]:
            yield other


def test_imports_go_downwards():
    """To floors below, or within the room; from the package's own face nothing but its version."""
    assert {name: found for name in MODULES if room_of(name) and (found := list(upwards(name)))} == {}


def test_the_face_is_asked_for_its_version_only():
    """`import dse` must not be a back door to every room."""
    for name, tree in TREES.items():
        if ("dse", None) in set(imported(tree)):
            used = [node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and dotted(node.value) == "dse"]
            assert set(used) == {"__version__"}, name


def cycle(graph):
    """Modules that import one another in a ring, or []."""
    done = set()

    def visit(name, path):
        if name in path:
            return [*path[path.index(name) :], name]
        if name not in done:
            for other in sorted(graph[name]):
                ring = visit(other, [*path, name])
                if ring:
                    return ring
            done.add(name)
        return []

    return next((ring for name in sorted(graph) if (ring := visit(name, []))), [])


def test_no_module_imports_itself_in_the_end():
    """Not inside a room either, and not by imports inside functions."""
    graph = {name: {other for other in ours(tree) if other in MODULES} for name, tree in TREES.items() if name != "dse"}
    assert cycle(graph) == []
    assert cycle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]


def test_readers_of_results_read_only():
    """Tables, exports and pages are made from records; they can be used where nothing can be trained or synthesised."""
    found = {
        name: set(map(room_of, filter(FLOOR.__contains__, ours(TREES[name])))) for name in MODULES if room_of(name) in READERS
    }
    assert {name: others - set(READABLE) for name, others in found.items() if others - set(READABLE)} == {}


def test_each_library_has_one_door():
    """Exactly the rooms that DOORS names know a library: another version of it is met in one place."""
    found = defaultdict(set)
    for name, tree in TREES.items():
        for library in libraries(tree):
            if library in DOORS or library not in {*sys.stdlib_module_names, *EVERYWHERE}:
                found[library].add(room_of(name) or name)
    assert dict(found) == DOORS


def test_heavy_libraries_are_imported_where_they_are_used():
    """Not at the top of a module: whoever imports it would wait for tensorflow, or miss an extra that is not needed."""
    for name, tree in TREES.items():
        top = ast.Module([node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))], [])
        assert libraries(top).isdisjoint(HEAVY), name


def dotted(node):
    return ast.unparse(node) if isinstance(node, (ast.Name, ast.Attribute)) else ""


def called(node):
    """The dotted name that a call calls, or ""."""
    return dotted(node.func) if isinstance(node, ast.Call) else ""


def changes_the_directory(node):
    return called(node) in ("os.chdir", "os.fchdir", "contextlib.chdir", "chdir")


def writes_the_environment(node):
    match node:
        case ast.Assign(targets=targets) | ast.Delete(targets=targets):
            return any(isinstance(target, ast.Subscript) and dotted(target.value).endswith("environ") for target in targets)
        case ast.AugAssign(target=target):
            return ast.unparse(target).startswith(("os.environ", "environ"))
        case ast.Call(func=ast.Attribute(value=value, attr=name)):
            return dotted(value).endswith("environ") and name in WRITES
        case ast.ImportFrom(module="os", names=names):  # a name that hides where it comes from
            return not {alias.name for alias in names}.isdisjoint({"environ", "putenv", "unsetenv"})
    return False


def calls_putenv(node):
    return called(node) in ("os.putenv", "os.unsetenv")


def swallows_every_error(node):
    if called(node).split(".")[-1] == "suppress":
        return not {dotted(kind) for kind in node.args}.isdisjoint(BROAD)
    if not isinstance(node, ast.ExceptHandler):
        return False
    kinds = [None] if node.type is None else [ast.unparse(kind) for kind in getattr(node.type, "elts", [node.type])]
    idle = (ast.Pass, ast.Continue, ast.Break)
    return not set(kinds).isdisjoint(BROAD) and all(
        isinstance(line, idle) or (isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant)) for line in node.body
    )


def pickles(node):
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        names = {alias.name for alias in node.names} if isinstance(node, ast.Import) else {node.module or ""}
        return not {name.split(".")[0] for name in names}.isdisjoint({"pickle", "shelve", "marshal", "dill", "joblib"})
    if called(node) not in ("np.load", "np.save", "np.savez", "np.savez_compressed"):
        return False
    return not any(word.arg == "allow_pickle" and ast.unparse(word.value) == "False" for word in node.keywords)


def imports_by_name(node):
    return called(node).split(".")[-1] in ("import_module", "__import__")


def imports_relatively(node):
    return isinstance(node, ast.ImportFrom) and node.level > 0


def names_a_class_after_nothing(node):
    return isinstance(node, ast.ClassDef) and bool(re.search("Manager|Handler|Abstract|Impl|Helper|Util|Registry", node.name))


RULES = (
    changes_the_directory, writes_the_environment, calls_putenv, swallows_every_error, pickles, imports_by_name,
    imports_relatively, names_a_class_after_nothing,
)  # fmt: skip


def offences(tree):
    """The rules that some piece of a module breaks."""
    return {rule for node in ast.walk(tree) for rule in RULES if rule(node)}


#: Where a rule has its one exception.
ALLOWED = {"legacy_keras": {writes_the_environment}, "dse": {imports_by_name}}


def test_what_no_module_does():
    """Change the directory or the environment, swallow every error, pickle to disk, import by name or relatively."""
    assert {name: found for name, tree in TREES.items() if (found := offences(tree))} == ALLOWED


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import os\nos.chdir('x')", changes_the_directory),
        ("with contextlib.chdir('x'): f()", changes_the_directory),
        ("os.environ['A'] = '1'", writes_the_environment),
        ("def f():\n    os.environ.setdefault('A', '1')", writes_the_environment),
        ("del os.environ['A']", writes_the_environment),
        ("os.environ |= {'A': '1'}", writes_the_environment),
        ("os.putenv('A', '1')", calls_putenv),
        ("from os import environ", writes_the_environment),
        ("try:\n    f()\nexcept Exception:\n    pass", swallows_every_error),
        ("try:\n    f()\nexcept:\n    ...", swallows_every_error),
        ("for x in y:\n    try:\n        f()\n    except BaseException as error:\n        continue", swallows_every_error),
        ("try:\n    f()\nexcept (OSError, Exception):\n    pass", swallows_every_error),
        ("with suppress(OSError, Exception): f()", swallows_every_error),
        ("import pickle", pickles),
        ("def f():\n    from joblib import dump", pickles),
        ("np.load(path)", pickles),
        ("np.savez(path, allow_pickle=True, **arrays)", pickles),
        ("importlib.import_module('optuna')", imports_by_name),
        ("class StoreManager: pass", names_a_class_after_nothing),
        ("from . import errors", imports_relatively),
    ],
)
def test_an_offence_is_seen(source, found):
    """The rules above bite."""
    assert offences(ast.parse(source)) == {found}


@pytest.mark.parametrize(
    "source",
    [
        "value = os.environ.get('A') or os.environ['A']",
        "run(env={**os.environ, 'A': '1'})",
        "try:\n    f()\nexcept OSError:\n    pass",
        "try:\n    f()\nexcept Exception as error:\n    raise DseError('no') from error",
        "with suppress(OSError): f()",
        "np.load(path, allow_pickle=False)",
        "cloudpickle.dumps(study)",
    ],
)
def test_what_is_no_offence_is_not_called_one(source):
    """Reading the environment, naming an error, raising it anew, pickling in memory."""
    assert offences(ast.parse(source)) == set()


def test_a_module_is_named_after_what_it_is_about():
    """A drawer for odds and ends never gets empty."""
    drawers = {"utils", "util", "helpers", "helper", "common", "misc", "base", "core"}
    assert [name for name in MODULES if drawers & set(name.split("."))] == []


def test_a_module_fits_the_mind():
    """250 lines at most; a room that grows becomes a folder with the same name and face."""
    found = {name: len(path.read_text().splitlines()) for name, path in MODULES.items()}
    assert {name: length for name, length in found.items() if length > 250} == {}


def lengths(tree, *, signature):
    """Lines of each function, with or without its signature."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            start = node if signature else node.body[0]
            yield node.name, (node.end_lineno or 0) - start.lineno + 1


def test_a_function_fits_the_screen():
    """45 lines at most; a verb of the command line has as many options as it has, so there only the body counts."""
    found = [(name, row) for name, tree in TREES.items() for row in lengths(tree, signature=room_of(name) != "cli")]
    assert [(name, *row) for name, row in found if row[1] > 45] == []


def loaded(code):
    """The modules that a fresh interpreter has loaded after this code."""
    words = [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"]
    return set(subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split())


def test_importing_dse_costs_nothing():
    """Its names are looked up when they are used."""
    found = loaded("import dse")
    assert "dse" in found
    assert found.isdisjoint({*HEAVY, "numpy", "optuna", "plotly", "keras", "rich", "typer"})


@pytest.mark.parametrize(
    "study", [*sorted((ROOT / "studies").glob("*.py")), *sorted(TEMPLATES.glob("*.py"))], ids=lambda path: path.name
)
def test_importing_a_study_loads_nothing_heavy(study):
    """A study is a value: reading one takes no training library, no sampler and no data."""
    found = loaded(f"from pathlib import Path\nfrom dse.studyfile import load\nload(Path({str(study)!r}))")
    assert "dse.study" in found
    assert found.isdisjoint({*HEAVY, "optuna", "plotly", "keras"})


def test_every_public_name_is_there():
    """All that `dse.__all__` promises can be had, without loading tensorflow, and nothing else can."""
    code = "import dse\nfor name in dse.__all__: assert getattr(dse, name) is not None and name in dir(dse)"
    assert loaded(code).isdisjoint({"tensorflow", "hls4ml", "qkeras"})
    assert "dse" in loaded("import dse\ntry:\n    dse.Studio\nexcept AttributeError:\n    pass\nelse:\n    raise SystemExit(1)")


def test_the_public_names_are_the_same_for_tools_and_for_people():
    """What type checkers see under TYPE_CHECKING is what is looked up at run time."""
    tree = TREES["dse"]
    block = next(node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    seen = {(module, name) for module, name in imported(ast.Module(block.body, []))}
    homes = ast.literal_eval(
        next(n.value for n in tree.body if isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) == "_HOMES")
    )
    assert seen == {(home, name) for home, names in homes.items() for name in names} | {("dse", "datasets")}


def test_values_are_frozen():
    """What passes between rooms cannot be changed on the way: every dataclass of the value rooms says frozen=True."""
    rooms = {room for room in FLOOR if FLOOR[room] <= FLOOR["goals"]} | {"run", "view", "study"}
    found = {
        f"{name}.{node.name}": ast.unparse(mark)
        for name, tree in TREES.items()
        if room_of(name) in rooms
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        for mark in node.decorator_list
        if "dataclass" in ast.unparse(mark)
    }
    assert {"design.Design", "record.Record", "network.Network", "study.Study"} <= set(found)
    assert {name: mark for name, mark in found.items() if "frozen=True" not in mark} == {}

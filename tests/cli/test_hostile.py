"""A configuration is data: reading one runs no code, opens no file but itself, writes nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import ketasim

PACKAGE = Path(ketasim.__file__).parent

# Run in a process of its own, because an audit hook cannot be taken off again.
WATCHED = r"""
import json, sys
from pathlib import Path
from ketasim.config import dump, load
from ketasim.errors import ConfigError

load("human_depressed_iv")
try:
    load("no_such_file.toml")
except ConfigError:
    pass
seen, watching = [], False
TELLING = ("compile", "exec", "import", "open", "os.", "subprocess", "pickle", "socket", "ctypes",
           "shutil", "code.__new__", "marshal")

def hook(event, arguments):
    if watching and event.startswith(TELLING):
        seen.append((event, str(arguments[:1])))

sys.addaudithook(hook)
ends = {"read": 0, "refused": 0}
for path in sorted(Path(sys.argv[1]).iterdir()):
    del seen[:]
    watching = True
    try:
        dump(load(path))
        ends["read"] += 1
    except ConfigError:
        ends["refused"] += 1
    watching = False
    odd = [one for one in seen if one[0] != "open" or path.name not in one[1]]
    odd = [one for one in odd if one[0] not in ("os.scandir", "os.listdir")]
    if odd:
        ends["odd"] = [path.read_text()[:200], odd[:5]]
        break
print(json.dumps(ends))
"""

CODE = (
    "__import__('os').system('touch CANARY')",
    "${touch CANARY}", "$(touch CANARY)", "`touch CANARY`", "{{ open('CANARY', 'w') }}",
    "{0.__class__.__mro__[1].__subclasses__()}", "%(x)s %n", "!!python/object/apply:os.system",
    "exec(\"open('CANARY','w')\")", "lambda: open('CANARY', 'w')", "os.system", "../../CANARY",
    "/etc/passwd", "file:///etc/passwd",
    "\\\\server\\share", "cos\\nsystem\\n(S'touch CANARY'\\ntR.",
    "1 if open('CANARY','w') else 2", "0.5*__import__('os')", "CANARY\\u0000.toml", "~root",
)  # fmt: skip
PLACES = (
    'name = "{}"', '[model]\nname = "{}"', '[model.parameters]\n"nmda.k_s" = "{}"',
    '[model.parameters]\n"{}" = "1 uM"', '[subject]\nspecies = "{}"', '[subject]\nweight = "{}"',
    '[[dosing]]\namount = "{}"\nroute = "iv"', '[[dosing]]\namount = "1 mg"\nroute = "{}"',
    '[[dosing]]\namount = "1 mg"\nroute = "iv"\nat = "{}"',
    '[[dosing]]\namount = "1 mg"\nroute = "iv"\nat = {{ every = "{}", times = 2 }}',
    '[[dosing]]\namount = "1 mg"\nroute = "iv"\ndrug = "{}"',
    '[[intervention]]\ntarget = "{}"\nlevel = 1.0',
    '[[intervention]]\ntarget = "ampa.antagonist"\nlevel = "{}"',
    '[[bath]]\nconcentration = "{}"', '[output]\nuntil = "{}"', '[output]\nobservables = ["{}"]',
    '[output]\nfolder = "{}"', '[engine]\nmethod = "{}"', '"{}" = 1', 'import = "{}"', "{}",
)  # fmt: skip


@pytest.fixture
def hostile(tmp_path):
    """Make one file for every piece of code in every place."""
    folder = tmp_path / "files"
    folder.mkdir()
    for i, code in enumerate(CODE):
        for j, place in enumerate(PLACES):
            text = place.format(code.replace('"', '\\"') if place != "{}" else code)
            (folder / f"{i:02}_{j:02}.toml").write_text(f"schema = 1\n{text}\n")
    return folder


def test_reading_hostile_files_does_nothing_but_read_them(hostile, tmp_path):
    words = [sys.executable, "-c", WATCHED, str(hostile)]
    env = {**os.environ, "PYTHONPATH": str(PACKAGE.parent)}
    done = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, env=env, check=False)
    assert done.returncode == 0, done.stderr
    ends = json.loads(done.stdout)
    assert "odd" not in ends, ends["odd"]
    assert ends["read"] + ends["refused"] == len(CODE) * len(PLACES)
    assert ends["refused"] > 300
    assert [one.name for one in tmp_path.iterdir()] == ["files"]
    assert not list(tmp_path.rglob("CANARY*"))


def test_source_never_evaluates_text():
    """Calls that run text, or unpickle it, appear nowhere in the package."""
    import ast

    banned = {"eval", "exec", "execfile", "literal_eval", "sympify", "loads_pickle", "__import__"}
    for path in (PACKAGE / "config").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                assert name not in banned | {"import_module", "system", "Popen"}, path
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [one.name for one in node.names] + [getattr(node, "module", None)]
                assert not {"pickle", "marshal", "yaml", "importlib", "subprocess"} & set(names), (
                    path
                )

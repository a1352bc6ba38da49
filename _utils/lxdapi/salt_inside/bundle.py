"""
The Python of this machine as a folder that runs in any Linux of the same architecture: the interpreter, its standard
library, every shared library that they need, and the loader, so that the C library of the instance does not matter.
"""

import compileall
import hashlib
import os
import py_compile
import re
import shutil
import subprocess
import sys
import tempfile

from lxdapi.salt_inside.agent import WHOLE, sweep

# Parts of the standard library that Salt does not need.
_LEFT_OUT = (
    *("test", "tests", "idlelib", "idle_test", "turtledemo", "ensurepip", "lib2to3", "tkinter", "venv", "curses"),
    *("sqlite3", "dbm", "pydoc_data", "distutils", "site-packages", "dist-packages"),
)
_EXTENSIONS_LEFT_OUT = re.compile(
    r"(_curses|readline|_dbm|_gdbm|nis|_tkinter|_test|_xxtest|xx|ossaudiodev|_sqlite3|_ctypes_test|_codecs_(jp|cn|kr|hk|tw|iso))"
)
_LIBRARY = re.compile(r"(/\S+) \(0x")
# ldd of glibc prints the loader without an arrow.
_LOADER = re.compile(r"ld-.*\.so")
# The libraries beside the interpreter are for it alone: a Python that a state starts must find its own home. And
# ctypes.util.find_library needs programs that the instance may lack.
_SITE = """import ctypes.util, os, sys
os.environ.pop("PYTHONHOME", None)
_folder, _find = os.path.join(sys.prefix, "sys"), ctypes.util.find_library
def _find_library(name):
    found = sorted(each for each in os.listdir(_folder) if each.startswith("lib%s." % name))
    return os.path.join(_folder, found[0]) if found else _find(name)
ctypes.util.find_library = _find_library
"""


def find_or_build(folder):
    """Return the name of the bundle in a folder of this machine; builds it in a second or two unless it exists."""
    real = os.path.realpath(sys.executable)
    key = hashlib.sha256(repr((sys.version, real, os.stat(real).st_mtime_ns)).encode()).hexdigest()[:16]
    name = f"python-{key}"
    build_folder(os.path.join(folder, name), lambda path: _build(path, real))
    return name


def build_folder(path, build):
    """
    Build a folder of this machine, compiled and readable for everybody, which appears only when it is complete. An
    existing one stays. Folders beside it that nobody has used for long are deleted.
    """
    whole = os.path.join(path, WHOLE)
    if os.path.exists(whole):
        os.utime(whole)
        return
    parent, name = os.path.split(path)
    os.makedirs(parent, 0o755, exist_ok=True)
    sweep(parent, {name})
    temporary = tempfile.mkdtemp(prefix=f"{name}.", dir=parent)
    build(temporary)
    # the instance can only read it
    compileall.compile_dir(temporary, quiet=2, invalidation_mode=py_compile.PycInvalidationMode.TIMESTAMP)
    with open(os.path.join(temporary, WHOLE), "w", encoding="ascii"):
        pass
    make_readable(temporary)
    try:
        os.rename(temporary, path)
    except OSError:  # another process was faster
        shutil.rmtree(temporary)


def make_readable(path):
    """Let everybody read a folder: the root of a container is somebody else on this machine."""
    for folder, _, names in os.walk(path):
        os.chmod(folder, 0o755)
        for name in names:
            file = os.path.join(folder, name)
            os.chmod(file, 0o755 if os.stat(file).st_mode & 0o100 else 0o644)


def _build(path, interpreter):
    library = os.path.dirname(os.__file__)
    inside = os.path.join(path, "lib", os.path.basename(library))
    shutil.copytree(library, inside, ignore=_names_to_ignore)
    os.makedirs(os.path.join(path, "bin"))
    shutil.copy2(interpreter, os.path.join(path, "bin", "python"))
    extensions = [os.path.join(folder, name) for folder, _, names in os.walk(inside) for name in names if ".so" in name]
    libraries = _libraries([interpreter, *extensions])
    os.makedirs(os.path.join(path, "sys"))
    for name, source in libraries.items():
        shutil.copy2(source, os.path.join(path, "sys", name))
    loader = next(name for name in libraries if _LOADER.match(name))
    os.symlink(loader, os.path.join(path, "sys", "loader"))
    with open(os.path.join(inside, "sitecustomize.py"), "w", encoding="ascii") as file:
        file.write(_SITE)


def _names_to_ignore(folder, names):
    out = {name for name in names if name in _LEFT_OUT or name.startswith("config-") or name.endswith(".a")}
    return out | {name for name in names if name.endswith(".so") and _EXTENSIONS_LEFT_OUT.match(name)}


def _libraries(files):
    """Return {name: path} of the shared libraries that the files need, with the loader."""
    found = {}
    for file in files:
        listed = subprocess.run(["ldd", file], capture_output=True, text=True, check=False).stdout
        found.update({os.path.basename(path): os.path.realpath(path) for path in _LIBRARY.findall(listed)})
    return found


def command(folder):
    """Return (the command that starts the Python of a bundle in this folder, the environment that it needs)."""
    system = f"{folder}/sys"
    argv = [f"{system}/loader", "--library-path", system, "--argv0", f"{folder}/bin/python3", f"{folder}/bin/python"]
    return argv, {"PYTHONHOME": folder}

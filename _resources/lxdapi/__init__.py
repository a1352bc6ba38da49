"""
The resource type ``lxdapi`` of Salt 3008: instances of LXD and Incus as targets of Salt, without a minion in them.

The folder ``modules`` has the functions that a target offers. Each of them runs inside the instance. No target offers
the functions of this minion.
"""

import sys
from pathlib import Path

import salt.loader
import salt.utils.ctx
from salt.exceptions import CommandExecutionError

# See _executors/lxdapi_guard.py.
_GUARD = "lxdapi_guard"


def init(opts):
    """
    Activate the guard, which keeps jobs for the targets away from this minion, for the current job. Salt calls this in
    the process of each job, and once in the minion itself: there, the executor would stay activated after a sync has
    removed its file, and the minion would refuse every job until its restart.
    """
    if not salt.utils.ctx.get_request_context():
        return
    executors = opts.get("module_executors") or ["direct_call"]
    executors = [executors] if isinstance(executors, str) else list(executors)
    if _GUARD not in executors:
        opts["module_executors"] = [_GUARD, *executors]


def initialized():
    """Return True."""
    return True


def shutdown(opts):
    """End nothing: each job ends its own Salt inside instances."""


def discover(opts):
    """Return the minion ids of the instances that are targets, by the settings in the pillar of this minion."""
    _forget_changed_library()
    if f"{_GUARD}.execute" not in salt.loader.executors(opts):
        raise CommandExecutionError(f"the executor {_GUARD} is missing: run saltutil.sync_all")
    # Salt calls this without any functions
    functions = salt.loader.minion_mods(opts, utils=salt.loader.utils(opts), context={})
    list_targets = _function(functions, "lxdapi_target.grains")
    package = sys.modules["lxdapi"]
    if not hasattr(package, "files_at_import"):
        package.files_at_import = _library_files()
    package.target_grains = list_targets()
    return list(package.target_grains)


def grains():
    """
    Return the grains of the current target, as :func:`discover` has found them: Salt calls it before, and the functions
    that it passes to this file may have an old pillar.
    """
    return getattr(sys.modules.get("lxdapi"), "target_grains", {}).get(__resource__["id"], {})


def grains_refresh():
    """Return the grains of the current target, after another look."""
    discover(__opts__)
    return grains()


def ping():
    """Return True if the instance runs."""
    return _function(__salt__, "lxdapi_target.ping")(__resource__["id"])


def call(function, args=(), kwargs=None):
    """
    Run a function of Salt inside the instance.

    kwargs
        Named arguments; those that Salt adds to each job are left out.
    """
    own = {key: value for key, value in (kwargs or {}).items() if not key.startswith("__")}
    return _function(__salt__, "lxdapi_target.call")(__resource__["id"], function, list(args), own)


def _function(functions, name):
    if name not in functions:
        raise CommandExecutionError(functions.missing_fun_string(name))
    return functions[name]


def _forget_changed_library():
    """
    Remove the library from the modules of this process if its files have changed. The process lives long, and its jobs
    inherit its modules. Salt calls this before it loads the functions of a job.
    """
    if getattr(sys.modules.get("lxdapi"), "files_at_import", None) != _library_files():
        for name in [name for name in sys.modules if name == "lxdapi" or name.startswith("lxdapi.")]:
            del sys.modules[name]


def _library_files():
    """Return {path: time of the last change} of the library that this process has imported."""
    folder = next(iter(getattr(sys.modules.get("lxdapi"), "__path__", ())), "")
    return {str(path): path.stat().st_mtime_ns for path in Path(folder).glob("**/*.py")} if folder else {}

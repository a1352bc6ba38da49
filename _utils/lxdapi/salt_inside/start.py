"""
Starts Salt inside an instance: with its own Python if that can run Salt, otherwise with one of this machine.
"""

import os
import threading
from contextlib import ExitStack

from lxdapi.errors import InvalidError, LxdapiError
from lxdapi.salt_inside import bundle, carried, thin
from lxdapi.salt_inside.session import Session, UnfitError, launch_bundle, launch_inside

# Threads that start Salt in several instances build the files of this machine only once.
_BUILDING = threading.Lock()
AUTO, INSIDE, CARRIED = PYTHONS = ("auto", "inside", "carried")


class Store:
    """
    The files of this machine for instances: the archive of Salt, and the folder with Python and Salt.

    folder
        A folder of this machine.
    extra_modules
        Names of further Python packages for the Salt inside, separated by commas.
    """

    def __init__(self, folder, extra_modules=""):
        self.folder, self._extra = os.path.realpath(folder), extra_modules

    @property
    def carried_folder(self):
        """Return the folder that containers of this machine see."""
        return os.path.join(self.folder, "carried")

    def thin(self):
        """Return the :class:`lxdapi.salt_inside.thin.Thin` of this Salt."""
        with _BUILDING:
            return thin.find_or_build(self.folder, self._extra)

    def bundle_name(self):
        """Return the name of the bundle of this Python in :attr:`carried_folder`."""
        with _BUILDING:
            return bundle.find_or_build(self.carried_folder)

    def thin_name(self, archive):
        """Return the name of the unpacked archive in :attr:`carried_folder`."""
        with _BUILDING:
            return thin.find_or_build_folder(self.carried_folder, archive, self._extra)


def parse_python(python):
    """Return which Python to use; raises :class:`InvalidError`."""
    if python not in PYTHONS:
        raise InvalidError.of_value("python", ", ".join(PYTHONS), python)
    return python


def open_session(api, name, master, store, python=AUTO):
    """
    Return (a :class:`lxdapi.salt_inside.session.Session`, a function that closes it).

    store
        A :class:`Store`.
    python
        ``inside``: the Python of the instance. ``carried``: that of this machine. ``auto``: the first that can run
        Salt.

    Raises :class:`UnfitError` with the reasons if no Python can run Salt.
    """
    ways = {AUTO: (_inside, _device, _copy), INSIDE: (_inside,), CARRIED: (_device, _copy)}[parse_python(python)]
    archive, reasons = store.thin(), []
    for way in ways:
        stack = ExitStack()
        try:
            return way(api, name, master, store, archive, stack), stack
        except UnfitError as exc:
            stack.close()
            reasons.append(str(exc))
        except BaseException:
            stack.close()
            raise
    hint = f"; use python: {AUTO} or {CARRIED}" if python == INSIDE else ""
    raise UnfitError("; ".join(reasons) + hint)


def _open(stack, *arguments):
    session = Session(*arguments)
    stack.callback(session.close)
    return session


def _inside(api, name, master, store, archive, stack):
    return _open(stack, api, name, master, launch_inside(archive))


def _device(api, name, master, store, archive, stack):
    """Return a session with Python and Salt of this machine on a device, which is detached after the session."""
    bundle_name, thin_name = store.bundle_name(), store.thin_name(archive)
    path = stack.enter_context(carried.attach(api, name, store.carried_folder))
    launch = launch_bundle(f"{path}/{bundle_name}", thin=archive, folder=f"{path}/{thin_name}")
    session = _open(stack, api, name, master, launch)
    session.holds_device = True
    return session


def _copy(api, name, master, store, archive, stack):
    """Return a session with a copy of the Python of this machine, which is copied unless the instance has it."""
    bundle_name = store.bundle_name()
    launch = launch_bundle(carried.copied_path(bundle_name), thin=archive, used=(bundle_name,))
    try:
        return _open(stack, api, name, master, launch)
    except UnfitError:
        pass
    try:
        carried.copy(api, name, store.carried_folder, bundle_name)
    except LxdapiError as exc:
        raise UnfitError(f"instance {name}: Python could not be copied: {exc.explain()}") from exc
    return _open(stack, api, name, master, launch)

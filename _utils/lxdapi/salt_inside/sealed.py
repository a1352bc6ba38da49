"""
The file server for an instance that may not see the whole file tree: it serves only what the called states name.
"""

import logging

from lxdapi.errors import InvalidError
from lxdapi.salt_inside.named_files import MOST_BYTES, NamedFiles

log = logging.getLogger(__name__)

# Functions that apply or show SLS files: the position of their names.
_STATES = {"state.sls": 0, "state.apply": 0, "state.show_sls": 0, "state.show_low_sls": 0, "state.sls_id": 1}
# Functions that read the top file, which names the states of other instances.
_TOP = ("highstate", "show_highstate", "show_lowstate", "show_top", "top")
_LISTS, _FOLDERS = ("_file_list",), ("_file_list_emptydirs", "_dir_list")
# The replies for a file that does not exist.
_MISSING = {"_serve_file": {"data": "", "dest": ""}, "_file_hash": "", "_file_hash_and_stat": ("", None)}


class SealedFiles:
    """
    Answers the requests for files of one instance.

    ask
        Called with a request, returns the reply of the file server.
    """

    def __init__(self, ask):
        self._ask, self._named = ask, NamedFiles(self._list, self._read)

    def begin(self, function, args, kwargs, saltenv):
        """
        Serve the files that this call names, and no others; raises :class:`InvalidError` if it needs the top file.

        saltenv
            The Salt environment of a call without one.
        """
        saltenv = kwargs.get("saltenv") or saltenv
        self._named = NamedFiles(self._list, self._read)
        if function in _STATES:
            place = _STATES[function]
            mods = kwargs.get("mods") or (args[place] if len(args) > place else None)
            if not mods:
                raise _needs_top(function)
            self._named.add_states(mods.split(",") if isinstance(mods, str) else list(filter(_is_text, mods)), saltenv)
        elif function.startswith("state.") and function.partition(".")[2] in _TOP:
            raise _needs_top(function)
        self._named.add_text(repr((args, kwargs)), saltenv)

    def answer(self, load):
        """Return the reply to a request."""
        command, saltenv, path = load["cmd"], load.get("saltenv"), load.get("path")
        if command == "_file_envs":
            return self._named.environments()
        if not _is_text(saltenv):
            return {}
        names = self._named.names(saltenv)
        if command in _LISTS:
            return [name for name in self._ask(load) if name in names]
        if command in _FOLDERS:
            folders = self._named.folders(saltenv)
            return [name for name in self._ask(load) if name in folders]
        if command == "_symlink_list":
            return {name: to for name, to in self._ask(load).items() if name in names}
        if _is_text(path) and path in names:
            return self._ask(load)
        log.info("lxdapi: the states name no file %s in %s, so the sealed instance does not get it", path, saltenv)
        return _MISSING.get(command, {"path": "", "rel": ""})

    def _list(self, saltenv):
        return self._ask({"cmd": "_file_list", "saltenv": saltenv, "prefix": ""})

    def _read(self, name, saltenv):
        data = b""
        while len(data) < MOST_BYTES:
            load = {"cmd": "_serve_file", "path": name, "saltenv": saltenv, "loc": len(data)}
            piece = self._ask(load).get("data")
            if not piece:
                break
            data += piece.encode() if isinstance(piece, str) else piece
        return data


def _needs_top(function):
    return InvalidError(f"sealed: {function} needs the top file, which names the states of others; name the SLS files")


def _is_text(value):
    return isinstance(value, str)

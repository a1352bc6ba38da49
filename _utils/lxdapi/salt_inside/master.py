"""
The master of an instance: answers the requests of the Salt inside with the file server and the pillar of this machine.
"""

import copy
import logging
import os
import threading

import salt.channel.client
import salt.fileserver
import salt.pillar
from salt.utils import dictupdate

from lxdapi.salt_inside.sealed import SealedFiles

log = logging.getLogger(__name__)

_FILES = (
    *("_file_list", "_file_list_emptydirs", "_file_hash", "_file_hash_and_stat", "_file_find", "_serve_file"),
    *("_dir_list", "_symlink_list", "_file_envs"),
)
# The options of this machine that the Salt inside gets: how states are found and rendered.
_OPTIONS = (
    *("renderer", "failhard", "state_top", "state_top_saltenv", "default_top", "env_order", "hash_type"),
    *("top_file_merging_strategy", "state_auto_order", "state_events", "state_aggregate", "jinja_env"),
    *("jinja_sls_env", "jinja_lstrip_blocks", "jinja_trim_blocks"),
)
# Salt's loaders and file servers are not made for threads: requests take milliseconds, one after the other.
_ANSWERING = threading.Lock()
# The file servers of this process, and the number of masters that use each: (id, cache folder): (server, number).
_SERVERS: dict = {}
_SHARING = threading.Lock()


class Master:
    """
    The master of one instance.

    opts
        The options of the minion on this machine. With ``file_client: remote`` its own master has the files, otherwise
        this machine has the files and the pillar.
    minion_id
        The id of the Salt inside. It gets the pillar of this id, and of no other.
    pillar
        More pillar for it. With a master it is the only one: a master compiles the pillar of the minion that asks,
        whatever id the request names (Salt 3006.28, 3007.15, 3008.3), and that one is not for instances.
    send_event
        Salt's ``event.send``, for the events of the instance. Default: they are dropped.
    sealed
        True: serve only the files that the calls name.
    """

    def __init__(self, opts, minion_id, pillar=None, send_event=None, sealed=False):
        self._opts, self.minion_id, self._send_event = dict(opts), minion_id, send_event
        self._is_local = self._opts.get("file_client") == "local"
        self._pillar, self._channel = pillar or {}, None
        self._sealed = SealedFiles(self._files) if sealed else None

    def begin(self, function, args, kwargs):
        """Prepare for a call; raises :class:`lxdapi.errors.InvalidError` if a sealed instance must not make it."""
        if self._sealed is not None:
            with _ANSWERING:
                self._sealed.begin(function, args, kwargs, self._opts.get("saltenv") or "base")

    def options(self):
        """Return the options that the Salt inside starts with."""
        return {name: self._opts[name] for name in ("saltenv", "pillarenv", "hash_type") if self._opts.get(name)}

    def answer(self, load):
        """Return the reply to a request of the Salt inside; other requests than those of a minion get an empty one."""
        with _ANSWERING:
            command = load.get("cmd") if isinstance(load, dict) else None
            if command == "_pillar":
                return self._merge_pillar(load)
            if command == "_minion_event":
                return self._event(load)
            if command in _FILES:
                return self._sealed.answer(load) if self._sealed is not None else self._files(load)
            if command == "_master_opts":
                return self._master_options(load)
            return {}

    def _merge_pillar(self, load):
        compiled = self._compile_pillar(load) if self._is_local and _may_have_pillar(self._opts) else {}
        for more in (self._pillar, load.get("pillar_override") or {}):
            compiled = dictupdate.update(compiled, copy.deepcopy(more))
        return compiled

    def _compile_pillar(self, load):
        # Salt would merge the pillar of this machine into it, as salt-ssh needs it (ssh_merge_pillar)
        opts = {**self._opts, "pillar": {}, "id": self.minion_id, "grains": load["grains"]}
        return salt.pillar.get_pillar(
            opts, load["grains"], self.minion_id, load.get("saltenv"), pillarenv=load.get("pillarenv")
        ).compile_pillar()

    def _files(self, load):
        if self._channel is None:
            self._channel = (_share_server if self._is_local else salt.channel.client.ReqChannel.factory)(self._opts)
        if self._is_local:
            return self._channel.send(load)
        # the master knows the minion on this machine, not the instance
        load = {key: value for key, value in load.items() if key != "tok"}
        return self._channel.send({**load, "id": self._opts["id"]})

    def _master_options(self, load):
        if not self._is_local:
            reply = self._files(load)
            return {**reply, "nodegroups": {}} if self._sealed is not None else reply
        return {**{key: self._opts[key] for key in _OPTIONS if key in self._opts}, "file_roots": {}, "nodegroups": {}}

    def _event(self, load):
        if self._send_event is not None and isinstance(load.get("tag"), str):
            try:
                return self._send_event(load["tag"], load.get("data"))
            except Exception as exc:  # any error of an event bus: the function inside continues
                log.warning("lxdapi: could not send an event of %s: %s", self.minion_id, exc)
        return True

    def close(self):
        """Close the connection to the master, or leave the file server to the other masters."""
        channel, self._channel = self._channel, None
        if channel is not None:
            _leave_server(self._opts) if self._is_local else channel.close()


def _share_server(opts):
    """
    Return the file server of this machine. Masters at the same time share one: a new one visits all files, or asks a
    repository for its news.
    """
    key = (opts["id"], opts["cachedir"])
    with _SHARING:
        server, users = _SERVERS.get(key) or (salt.fileserver.FSChan(dict(opts)), 0)
        _SERVERS[key] = (server, users + 1)
    return server


def _leave_server(opts):
    key = (opts["id"], opts["cachedir"])
    with _SHARING:
        server, users = _SERVERS.pop(key)
        if users > 1:
            _SERVERS[key] = (server, users - 1)


def _may_have_pillar(opts):
    """Return False if there is no pillar to compile, which saves the time that Salt needs to find no pillar."""
    if opts.get("ext_pillar") or opts.get("pillar_opts") or "__env__" in opts["pillar_roots"]:
        return True
    folders = (folder for folders in opts["pillar_roots"].values() for folder in folders)
    return any(os.listdir(folder) for folder in folders if os.path.isdir(folder))

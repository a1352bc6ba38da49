"""
The program that runs inside an instance: Salt as a minion whose master is the other end of its standard input and
output. It is sent over standard input, so it imports nothing of lxdapi, and only the standard library before it has
found Salt.

Both directions consist of frames: four bytes with the length, then the data. Until the agent is ready, the data is
JSON, afterwards it is Salt's own serialization (msgpack), because files are bytes.
"""

import fcntl
import functools
import hashlib
import importlib.machinery
import json
import os
import select
import shutil
import signal
import stat
import struct
import sys
import tarfile
import tempfile
import threading
import time
import types

BLOCK = 1 << 16
# The agent ends if it hears nothing for so long: the machine of the other end may have lost its power.
IDLE_SECONDS = 600
# Copies of Salt and Python that were not used for so long are deleted.
OLD_SECONDS = 30 * 24 * 3600
INCOMPLETE_SECONDS = 3600
WHOLE = ".whole"
# Folders that remain between runs, besides the copies: files from the file server, and synced modules.
SHARED = ("files", "extrn_files", "extmods")
LOCK = "lock"
PROBE = bytes(BLOCK)
# Modules that Salt imports and seldom uses: on Salt 3008, their code needs a fifth of the time of a run.
POSTPONED = ("requests", "salt.cli.daemons", "salt.client.ssh", "salt.runner", "salt.utils.http", "salt.wheel")
POSTPONING = threading.RLock()


class Unfit(Exception):
    """This Python cannot run Salt, or cannot write its files; another Python may be able to."""


class Pipe:
    """Frames to and from the other end; whatever else the program prints cannot break them."""

    def __init__(self):
        self.source, self._target = os.dup(0), os.dup(1)
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 0)
        os.dup2(2, 1)
        self._null = null
        self.dumps = lambda data: json.dumps(data).encode()
        self.loads = json.loads

    def silence(self):
        """Discard all other output from now on: a process that Salt starts may keep it open."""
        os.dup2(self._null, 1)
        os.dup2(self._null, 2)

    def read(self, count):
        """Return this number of bytes; ends the program at the end of the input."""
        pieces = []
        while count:
            piece = os.read(self.source, min(count, BLOCK))
            if not piece:
                os._exit(0)
            pieces.append(piece)
            count -= len(piece)
        return b"".join(pieces)

    def receive(self):
        """Return the data of the next frame."""
        return self.loads(self.read(struct.unpack(">I", self.read(4))[0]))

    def send(self, data):
        """Send a frame."""
        packed = self.dumps(data)
        left = memoryview(struct.pack(">I", len(packed)) + packed)
        while left:
            left = left[os.write(self._target, left[: 16 * BLOCK]) :]

    def wait(self):
        """Wait for the next frame; returns False if none arrives in time."""
        return bool(select.select([self.source], [], [], IDLE_SECONDS)[0])


class Archive:
    """The archive of Salt in the input; it counts and hashes what is read."""

    def __init__(self, pipe, size):
        self._pipe, self._left, self._hash = pipe, size, hashlib.sha256()

    def read(self, count=-1):
        """Return at most this number of bytes, all of them if it is negative."""
        data = self._pipe.read(min(self._left, BLOCK if count < 0 else count))
        self._left -= len(data)
        self._hash.update(data)
        return data

    def digest(self):
        """Return the digest of everything, after the rest is read."""
        while self._left:
            self.read()
        return self._hash.hexdigest()


def private_folder(path):
    """Create a folder for root alone; raises OSError if somebody else owns it."""
    os.makedirs(path, 0o700, exist_ok=True)
    found = os.lstat(path)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise PermissionError(f"{path} belongs to another user: delete it")
    os.chmod(path, 0o700)
    return path


def unpack(pipe, folder, size, digest):
    """Write the archive of Salt from the input to a folder, which appears only when it is complete."""
    temporary = f"{folder}.{os.getpid()}"
    archive = Archive(pipe, size)
    try:
        os.makedirs(temporary)
        with tarfile.open(fileobj=archive, mode="r|gz") as tar:  # type: ignore[call-overload]  # it only reads
            for member in tar:
                tar.extract(member, temporary)
    except (OSError, tarfile.TarError) as exc:
        shutil.rmtree(temporary, ignore_errors=True)
        archive.digest()
        raise Unfit(f"cannot write Salt to {folder}: {exc}") from None
    if archive.digest() != digest:
        shutil.rmtree(temporary, ignore_errors=True)
        raise Unfit("Salt arrived damaged (its checksum differs): repeat the call")
    with open(os.path.join(temporary, WHOLE), "w", encoding="ascii"):
        pass
    try:
        os.rename(temporary, folder)
    except OSError:  # somebody else was faster
        shutil.rmtree(temporary, ignore_errors=True)


def sweep(base, used):
    """Delete copies that nobody has used for long, and what an interrupted run left."""
    for name in os.listdir(base):
        path = os.path.join(base, name)
        if name not in used and name.startswith(("thin-", "python-")) and is_old(path):
            shutil.rmtree(path, ignore_errors=True)


def is_old(path):
    """Return True if a copy has not been used for long, or is an incomplete one that nobody writes any more."""
    try:
        return time.time() - os.stat(os.path.join(path, WHOLE)).st_mtime > OLD_SECONDS
    except OSError:
        return time.time() - os.lstat(path).st_mtime > INCOMPLETE_SECONDS


def find_salt(pipe, settings):
    """Return the folder of Salt's code; asks for it if the instance does not have it."""
    if settings["folder"]:
        return settings["folder"]
    base, name = settings["base"], f"thin-{settings['digest']}"
    folder = os.path.join(base, name)
    try:
        private_folder(base)
    except OSError as exc:
        raise Unfit(f"cannot write to {base}: {exc}") from None
    if not os.path.exists(os.path.join(folder, WHOLE)):
        pipe.send({"need": "thin"})
        unpack(pipe, folder, settings["size"], settings["digest"])
        sweep(base, {name, *settings["used"]})
    for used in (name, *settings["used"]):
        mark_used(os.path.join(base, used))
    return folder


def mark_used(folder):
    """Record that a copy is used now."""
    try:
        os.utime(os.path.join(folder, WHOLE))
    except OSError:
        pass  # it is not there, or nothing can be written


def run_folder(settings):
    """Return a new folder for this run, below one that keeps what runs share."""
    for base in (settings["base"], "/run/lxdapi", f"{tempfile.gettempdir()}/lxdapi-{os.geteuid()}"):
        try:
            private_folder(base)
            home = private_folder(os.path.join(base, f"salt-{settings['version']}"))
            for name in SHARED:
                private_folder(os.path.join(home, name))
            remove_dead_runs(home)
            return make_run_folder(home)
        except OSError as exc:
            error = exc
    raise Unfit(f"found no folder for the files of Salt that can be written: {error}")


def make_run_folder(home):
    """Return a folder that only this run uses; the shared ones are links in it."""
    folder = os.path.join(home, f"run-{os.getpid()}")
    private_folder(folder)
    try:
        for name in SHARED:
            os.symlink(os.path.join("..", name), os.path.join(folder, name))
        with open(os.path.join(folder, LOCK), "wb") as file:
            file.write(PROBE)  # on a full disk, the folders can be made
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder


def remove_dead_runs(home):
    """Delete the folders of runs that were killed."""
    for name in os.listdir(home):
        pid = name.partition("run-")[2]
        if pid and (pid == str(os.getpid()) or not os.path.exists(f"/proc/{pid}")):
            shutil.rmtree(os.path.join(home, name), ignore_errors=True)


def run_in_child():
    """
    Continue in a child; the parent waits for it and ends with its exit code.

    The daemon kills the parent when the other end goes away. The child sees that its input has ended, and ends
    together with what it has started.
    """
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        os._exit(1 if status else 0)
    os.setsid()


def end_with_input(descriptor):
    """Kill this program and what it has started as soon as the input ends."""
    poll = select.poll()
    poll.register(descriptor, 0)
    poll.poll()
    os.killpg(0, signal.SIGKILL)


class Auth:
    """Stands in for the authentication with a master."""

    def __init__(self, opts=None):
        self.creds = {}

    def gen_token(self, clear):
        """Return a token: the other end needs none."""
        return b""


class Channel:
    """Stands in for the connection to a master: each request goes through the pipe."""

    auth, ttype = Auth(), "lxdapi"
    pipe: Pipe
    lock: int

    def send(self, load, tries=None, timeout=None, raw=None):
        """Return the reply of the master to a request."""
        # states with "parallel: true" are processes of their own, which flock() would not keep apart
        fcntl.lockf(self.lock, fcntl.LOCK_EX)
        try:
            self.pipe.send({"channel": load})
            return self.pipe.receive()["reply"]
        finally:
            fcntl.lockf(self.lock, fcntl.LOCK_UN)

    def crypted_transfer_decode_dictentry(self, load, dictkey=None, tries=None, timeout=None):
        """Return the reply of the master to a request for secrets."""
        return self.send(load)

    def close(self):
        """Close nothing: the pipe is still needed."""

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        pass


class PostponedModule(types.ModuleType):
    """A module whose code runs as soon as somebody uses it."""

    def __getattr__(self, name):
        with POSTPONING:
            loader = self.__dict__.pop("__postponed__", None)
            if loader is not None:
                loader.exec_module(self)
        return types.ModuleType.__getattribute__(self, name)


class Postpone:
    """
    The finder of the modules in :data:`POSTPONED`.

    Not :class:`importlib.util.LazyLoader`, which takes a second import of a module for its first use.
    """

    @staticmethod
    def find_spec(name, path=None, target=None):
        """Return the usual spec of such a module, whose loader does not run its code at once."""
        spec = importlib.machinery.PathFinder.find_spec(name, path) if name in POSTPONED else None
        if spec is not None:
            vars(spec.loader)["exec_module"] = functools.partial(postpone, spec.loader)
        return spec


def postpone(loader, module):
    """Let the loader of a module run its code later."""
    del vars(loader)["exec_module"]
    module.__postponed__ = loader
    module.__class__ = PostponedModule


def import_salt(folder):
    """Import Salt from its folder, with our channel in place of the connection to a master."""
    sys.path.insert(0, folder)
    sys.meta_path.insert(0, Postpone)
    import salt.channel.client
    import salt.config
    import salt.crypt
    import salt.loader
    import salt.minion
    import salt.payload

    salt.channel.client.ReqChannel.factory = staticmethod(lambda *args, **kwargs: Channel())
    salt.crypt.SAuth = Auth
    return salt


def create_minion(salt, opts):
    """Return a minion that looks for no master."""

    class Minion(salt.minion.SMinion):  # type: ignore[name-defined]
        def __init__(self, opts):
            salt.minion.MinionBase.__init__(self, opts)
            grains = salt.loader.grains(self.opts)
            if hasattr(self.opts, "mutate_key"):  # Salt 3008
                self.opts.mutate_key("grains", grains)
            else:
                self.opts["grains"] = grains
            self.gen_modules(initial_load=True)

    return Minion(opts)


def minion_options(opts, settings, home):
    """Return the options of the minion: everything that it writes is below its own folder."""
    modules = os.path.join(home, "extmods")
    opts.update(settings["options"])
    opts.update(
        {
            "id": settings["id"],
            "file_client": "remote",
            "master_uri": "tcp://127.0.0.1:4506",
            "root_dir": home,
            "conf_file": os.path.join(home, "minion"),
            "cachedir": home,
            "pki_dir": os.path.join(home, "pki"),
            "sock_dir": os.path.join(home, "sock"),
            "extension_modules": modules,
            "utils_dirs": [os.path.join(modules, "utils")],
            "log_level": "quiet",
            "__cli": "salt-call",
        }
    )
    return opts


def answer(minion, settings, request):
    """Return the result of a function."""
    import salt.minion

    function, args, kwargs = request["function"], request["args"], request["kwargs"]
    if function not in minion.functions:
        return {"error": minion.functions.missing_fun_string(function)}
    context = minion.functions.pack["__context__"]
    context.pop("retcode", None)
    facts = {"jid": request["jid"], "fun": function, "arg": args, "tgt": settings["id"], "tgt_type": "glob"}
    try:
        words = [*args, {"__kwarg__": True, **kwargs}] if kwargs else args
        # with the facts of a job: without them cmd.run has no shell
        args, kwargs = salt.minion.load_args_and_kwargs(
            minion.functions[function], words, {**facts, "user": "root", "ret": ""}
        )
        return {"return": minion.functions[function](*args, **kwargs), "retcode": context.get("retcode", 0)}
    except SystemExit as exc:
        return {"error": f"{function} ended with {exc.code}"}
    except Exception as exc:
        return {"error": f"{type(exc).__name__}: {exc}"}


def serve(pipe, minion, settings, home):
    """Answer requests until the other end asks for the end."""
    pipe.send({"ready": True})
    pipe.silence()
    while pipe.wait():
        request = pipe.receive()
        if "end" in request:
            break
        reply = answer(minion, settings, request)
        try:
            pipe.send(reply)
        except (TypeError, ValueError) as exc:
            pipe.send({"error": f"the result of {request['function']} cannot be sent: {exc}"})
    shutil.rmtree(home, ignore_errors=True)


def prepare(pipe, settings):
    """Return (Salt, the folder of this run); raises :class:`Unfit`."""
    folder = find_salt(pipe, settings)
    home = run_folder(settings)
    try:
        return import_salt(folder), home
    except Exception as exc:
        shutil.rmtree(home, ignore_errors=True)
        version = ".".join(map(str, sys.version_info[:3]))
        raise Unfit(f"Python {version} cannot run Salt: {type(exc).__name__}: {exc}") from None


def main():
    """Run the agent."""
    os.umask(0o022)
    pipe = Pipe()
    settings = pipe.receive()
    run_in_child()
    threading.Thread(target=end_with_input, args=(pipe.source,), daemon=True).start()
    try:
        salt, home = prepare(pipe, settings)
    except Unfit as exc:
        pipe.send({"unfit": str(exc)})
        os._exit(0)
    pipe.send({"started": True})
    pipe.dumps, pipe.loads = salt.payload.dumps, salt.payload.loads
    Channel.pipe, Channel.lock = pipe, os.open(os.path.join(home, LOCK), os.O_RDWR)
    try:
        minion = create_minion(salt, minion_options(salt.config.minion_config(None), settings, home))
    except Exception as exc:
        pipe.send({"failed": f"{type(exc).__name__}: {exc}"})
        os._exit(1)
    serve(pipe, minion, settings, home)
    os._exit(0)


if __name__ == "__main__":
    main()

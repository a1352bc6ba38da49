"""
The programs ``ssh`` and ``scp`` in front of the real ones: they reach instances through the daemon.

They understand the command lines of salt-ssh, ``ssh HOST [OPTION]... COMMAND`` and ``scp [OPTION]... FILE HOST:FILE``.
Every other command line goes on to the next program of that name on PATH.
"""

import os
import shutil
import sys
from functools import partial

from lxdapi.salt_ssh import hosts

# The options that have a value.
_WITH_VALUE = {"ssh": "BbcDEeFIiJLlmOopQRSWw", "scp": "cDFiJloPSX"}
_FAILED, _INTERRUPTED = 255, 130
# Salt insists on an scp inside. The shell reads the command from standard input, because the daemon reports the
# arguments of its commands as events.
_SHELL = """command -v scp >/dev/null || {
mkdir -p /run/lxdapi/bin && ln -sf /bin/sh /run/lxdapi/bin/scp
PATH=$PATH:/run/lxdapi/bin
}
command=$(dd bs=1 count="$0" 2>/dev/null)
eval "$command"
"""
_RECEIVE = 'umask 077; cat >"$0.part" && [ "$(wc -c <"$0.part")" -eq "$1" ] && mv "$0.part" "$0"'
_BLOCK = 32768


def main():
    """Run the program; the arguments of this process are its path and its command line."""
    path, *arguments = sys.argv[1:]
    name = os.path.basename(path)
    act = {"ssh": _parse_ssh, "scp": _parse_scp}[name](skip_options(arguments, _WITH_VALUE[name]))
    if act is None:
        run_next(path, arguments)
    code = _FAILED
    try:
        code = act()
    except KeyboardInterrupt:
        code = _INTERRUPTED
    except Exception as exc:  # salt-ssh recognizes an error of ssh by its name
        print(f"{name}: {exc}", file=sys.stderr, flush=True)
    os._exit(code)  # a thread may still wait for standard input


def skip_options(arguments, with_value):
    """Return the arguments after the options; ``with_value`` has the letters of those that have a value."""
    rest = list(arguments)
    while rest and rest[0].startswith("-"):
        option = rest.pop(0)
        if option == "--":
            break
        length = next((at for at, letter in enumerate(option[1:], 2) if letter in with_value), 0)
        if length == len(option):  # the value is the next argument
            rest = rest[1:]
    return rest


def _parse_ssh(words):
    """Return the function that runs a command in an instance, None for another host."""
    host, command = words[:1], skip_options(words[1:], _WITH_VALUE["ssh"])
    if not command or not hosts.is_instance(host[0]):
        return None
    return lambda: _run(host[0], " ".join(command))


def _parse_scp(words):
    """Return the function that sends a file to an instance, None for another host."""
    host, _, path = words[-1].partition(":") if len(words) == 2 else ("", "", "")
    return (lambda: _send(words[0], host, path)) if hosts.is_instance(host) else None


def _run(host, command):
    """Run a command of a shell and return its exit code."""
    data = command.encode("utf-8", "surrogateescape")
    return _pass_through(host, [_SHELL, str(len(data))], _read_pieces(data))


def _send(path, host, target):
    """Write a file of this machine to a path in the instance and return an exit code."""
    file = open(path, "rb")  # it stays open: a thread may still read it when the command has ended
    size = os.fstat(file.fileno()).st_size
    return _pass_through(host, [_RECEIVE, target, str(size)], iter(partial(file.read, _BLOCK), b""))


def _read_pieces(data):
    """Yield bytes, then standard input."""
    while data:
        yield data
        data = os.read(0, _BLOCK)


def _pass_through(host, arguments, pieces):
    # imported only here: other hosts need not wait for it
    from lxdapi.api import API
    from lxdapi.instances import exec as execs

    name, settings = hosts.parse_host(host)
    return execs.pass_through(API.factory(**settings), name, ["/bin/sh", "-c", *arguments], pieces, _write)


def _write(piece):
    stream, data = piece
    while data:
        data = data[os.write(int(stream), data) :]


def run_next(path, arguments):
    """Become the next program of this name on PATH."""
    own, name = os.path.split(os.path.realpath(path))
    folders = os.get_exec_path()
    places = [at for at, folder in enumerate(folders, 1) if os.path.realpath(folder) == own]
    program = shutil.which(name, path=os.pathsep.join(folders[places[-1] if places else 0 :]))
    if program is None:
        sys.exit(f"{name}: PATH has no other {name}, which hosts other than instances need")
    os.execv(program, [name, *arguments])

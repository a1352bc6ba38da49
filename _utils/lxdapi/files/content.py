"""
Declared content on the minion: the content of a file and the files of a tree.
"""

import fnmatch
import hashlib
import io
import os
import tempfile
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple, Optional

from lxdapi import local_files, validation
from lxdapi.errors import InvalidError, LxdapiError

_BLOCK = 256 * 1024
# The largest size of a text whose difference is shown.
LONGEST_SHOWN = 1024 * 1024
_SALT = "salt://"


class Content:
    """
    The content of a file: bytes in memory, or a local file that is never read at once.

    data
        The bytes.
    path
        Or the file.
    """

    def __init__(self, data=None, path=None):
        self._data, self._path, self._digests = data, path, {}

    @contextmanager
    def open(self):
        """Open the content for reading within the block; raises :class:`InvalidError`."""
        with _CheckedFile(io.BytesIO(self._data) if self._path is None else _open(self._path)) as file:
            yield file

    @property
    def size(self):
        """Return the size in bytes."""
        if self._path is None:
            return len(self._data)
        with _open(self._path) as file:
            return os.fstat(file.fileno()).st_size

    @property
    def sha256(self):
        """Return the hash, computed once."""
        return self.digest("sha256")

    def digest(self, name):
        """Return the hash of this name; raises :class:`InvalidError` for an unknown one."""
        if name not in self._digests:
            self._digests[name] = self._digest(name)
        return self._digests[name]

    def _digest(self, name):
        try:
            digest = hashlib.new(name)
        except (ValueError, TypeError) as exc:
            raise InvalidError(f"unknown hash {name!r}; choose one of hashlib, such as sha256") from exc
        with self.open() as file:
            while block := file.read(_BLOCK):
                digest.update(block)
        return digest.hexdigest()

    def text(self):
        """Return the content as text, None if it is not text or too long."""
        if self.size > LONGEST_SHOWN:
            return None
        with self.open() as file:
            return decode_text(file.read(LONGEST_SHOWN + 1))


class _CheckedFile:
    """A file whose read errors are errors of lxdapi."""

    def __init__(self, file):
        self._file = file

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()

    def read(self, count):
        """Return that many bytes, fewer only at the end."""
        try:
            return self._file.read(count)
        except OSError as exc:
            raise InvalidError(f"cannot read {getattr(self._file, 'name', '')}: {exc.strerror}") from exc


def decode_text(data):
    """Return bytes as text, None if they are not text."""
    try:
        return None if b"\0" in data else data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _open(path):
    """Open a regular local file for reading."""
    try:
        # without O_NONBLOCK, opening a pipe could wait forever
        file = open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb")
    except (OSError, ValueError) as exc:
        raise InvalidError(f"cannot read {path}: {getattr(exc, 'strerror', exc)}") from exc
    return file


def from_file(path):
    """Return the :class:`Content` of a local file; raises :class:`InvalidError` if it does not exist."""
    if not os.path.isfile(validation.absolute_path("path", path)):
        raise InvalidError(f"{path} is not a regular file" if os.path.exists(path) else f"{path} does not exist")
    return Content(path=path)


def from_text(contents, newline=True):
    """
    Return the :class:`Content` of a text or a list of lines.

    newline
        True: end it with a newline.
    """
    if isinstance(contents, (list, tuple)):
        for number, line in enumerate(contents, 1):
            if not isinstance(line, str):
                raise InvalidError.of_value(f"line {number} of contents", "text (quote the value)", line, secret=True)
        contents = "\n".join(contents)
    if not isinstance(contents, str):
        raise InvalidError.of_value("contents", "text or a list of lines (quote numbers)", contents, secret=True)
    ending = "\n" if newline and contents and not contents.endswith("\n") else ""
    try:
        return Content((contents + ending).encode("utf-8"))
    except UnicodeEncodeError as exc:
        raise InvalidError("contents: invalid text: it contains an unpaired surrogate") from exc


class Template(NamedTuple):
    """
    How a template is rendered.

    engine
        ``jinja`` or another engine of Salt. Default: not a template.
    context, defaults
        Variables; ``context`` overrides ``defaults``.
    """

    engine: Optional[str] = None
    context: Optional[dict] = None
    defaults: Optional[dict] = None


class ExpectedHash(NamedTuple):
    """The expected hash of a downloaded file, or that it is not checked."""

    hash: Optional[str] = None
    skip: bool = False


PLAIN, UNCHECKED = Template(), ExpectedHash()


def from_source(functions, name, source, saltenv="base", template=PLAIN, checked=UNCHECKED):
    """
    Return the :class:`Content` of a source, fetched, verified and rendered as by Salt's ``file.managed``.

    functions
        Salt's ``__salt__``.
    name
        The name of the file in the instance.
    source
        A path, ``salt://`` or ``http(s)://``.
    """
    if not isinstance(source, str) or not source or "\0" in source:
        raise InvalidError.of_value("source", "a path, salt:// or https://", source)
    if "://" not in source and not template.engine and not checked.hash:
        return from_file(source)
    path, expected = _get_managed(functions, name, source, saltenv, template, checked, source)
    if template.engine:
        return _read_rendered(path)
    content = from_file(path or local_files.local_file(functions["cp.cache_file"], source, saltenv))
    if expected and not checked.skip and content.digest(expected["hash_type"]) != expected["hsum"]:
        digest = content.digest(expected["hash_type"])
        raise InvalidError(f"{source}: expected the {expected['hash_type']} {expected['hsum']}, got {digest}")
    return content


class ContentSpec(NamedTuple):
    """The declared content: a source with its expected hash, or a :class:`Content`, or neither."""

    source: Optional[str] = None
    checked: ExpectedHash = UNCHECKED
    content: Optional[Content] = None


def resolve(functions, name, spec, saltenv, template):
    """Return the :class:`Content` of a :class:`ContentSpec`, None without one; see :func:`from_source`."""
    if spec.source is not None and spec.content is not None:
        raise InvalidError("source and contents are both declared: expected only one of them")
    if spec.source is not None:
        return from_source(functions, name, spec.source, saltenv, template, spec.checked)
    return None if spec.content is None else render(functions, name, spec.content, saltenv, template)


def render(functions, name, content, saltenv, template):
    """Return the :class:`Content` of a rendered template."""
    if not template.engine:
        return content
    with tempfile.TemporaryDirectory() as folder:  # mode 0700
        path = os.path.join(folder, "template")
        with (
            open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file,
            content.open() as template_file,
        ):
            file.write(template_file.read(content.size))
        return _read_rendered(_get_managed(functions, name, path, saltenv, template, UNCHECKED, "contents")[0])


def _get_managed(functions, name, source, saltenv, template, checked, what):
    """Return (path or "", {hash_type, hsum} or {}) from Salt's ``file.get_managed``."""
    for each in (template.context, template.defaults):
        validation.mapping("context and defaults", each)
    defaults = validation.mapping("defaults", template.defaults)
    arguments = (name, template.engine, source, checked.hash, None, None, None, None, None, saltenv)
    get_managed = partial(
        functions["file.get_managed"], *arguments, template.context, defaults, skip_verify=checked.skip
    )
    path, expected, comment = local_files.call_salt(f"Salt cannot fetch or render {what}", get_managed)
    if comment:
        raise InvalidError(f"Salt cannot fetch or render {what}: {comment}")
    return path, expected


def _read_rendered(path):
    """Return the content of a file that Salt rendered, and delete the file: it may contain secrets."""
    try:
        with open(path, "rb") as file:
            return Content(file.read())
    finally:
        os.unlink(path)


class LocalEntry(NamedTuple):
    """An entry of a local tree: a file with its path, a directory, or a link with its target."""

    type: str
    path: str = ""
    target: str = ""


def read_tree(functions, source, saltenv="base", keep_symlinks=False):
    """
    Return {relative path: :class:`LocalEntry`} of everything below a local or fileserver directory.

    keep_symlinks
        True: keep symbolic links. False: follow them.
    """
    if isinstance(source, str) and source.startswith(_SALT):
        return _read_fileserver_tree(functions, source, saltenv, keep_symlinks)
    if not os.path.isdir(validation.absolute_path("source (or salt://)", source)):
        raise InvalidError(f"{source} is not a directory" if os.path.exists(source) else f"{source} does not exist")
    return _walk(source, keep_symlinks)


def _walk(source, keep_symlinks):
    tree, inside = {}, [("", (os.path.realpath(source),))]
    while inside:
        relative, parents = inside.pop()
        for entry in _scan(os.path.join(source, relative)):
            name = f"{relative}/{entry.name}".lstrip("/")
            tree[name] = _local_entry(entry, keep_symlinks)
            real = os.path.realpath(entry.path)
            if tree[name].type == "directory":
                if real in parents:
                    raise InvalidError(
                        f"{entry.path} links to one of its parent directories; declare keep_symlinks: true"
                    )
                inside.append((name, (*parents, real)))
    return tree


def _scan(folder):
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError as exc:
        raise LxdapiError(f"cannot read {folder}: {exc.strerror}") from exc


def _local_entry(entry, keep_symlinks):
    if keep_symlinks and entry.is_symlink():
        return LocalEntry("symlink", target=os.readlink(entry.path))
    if entry.is_dir():
        return LocalEntry("directory")
    if not entry.is_file():
        raise InvalidError(f"{entry.path} is neither a regular file nor a directory; exclude it")
    return LocalEntry("file", path=entry.path)


def _read_fileserver_tree(functions, source, saltenv, keep_symlinks):
    """Return the tree of a fileserver directory; its files are fetched into the minion's cache."""
    prefix = source[len(_SALT) :].strip("/") + "/"
    links = functions["cp.list_master_symlinks"](saltenv, prefix) if keep_symlinks else {}
    tree = {name: LocalEntry("symlink", target=to) for name, to in links.items()}
    tree.update(
        (name.rstrip("/"), LocalEntry("directory")) for name in functions["cp.list_master_dirs"](saltenv, prefix)
    )
    for name in functions["cp.list_master"](saltenv, prefix):
        if name not in tree and not any(name.startswith(f"{link}/") for link in links):
            tree[name] = LocalEntry(
                "file", path=local_files.local_file(functions["cp.cache_file"], _SALT + name, saltenv)
            )
    tree = {name[len(prefix) :]: each for name, each in tree.items() if name.startswith(prefix) and name != prefix}
    for name in list(tree):
        tree.update({each: LocalEntry("directory") for each in parent_folders(name) if each not in tree})
    if not tree:
        raise InvalidError(f"{source} does not exist, or is empty")
    return tree


def parent_folders(name):
    """Return the parent directories of a relative path, topmost first."""
    parts = name.split("/")[:-1]
    return ["/".join(parts[: count + 1]) for count in range(len(parts))]


def select(tree, include=None, exclude=None):
    """
    Return the entries of a tree that match ``include`` and do not match ``exclude``.

    A pattern matches the relative path or the name alone. With ``include``, only the parent directories of matching
    entries remain; everything below an excluded directory is excluded too.
    """
    if include is None:
        return {name: each for name, each in tree.items() if is_selected(name, None, exclude)}
    selected = {n for n, each in tree.items() if each.type != "directory" and is_selected(n, include, exclude)}
    selected |= {each for name in selected for each in parent_folders(name)}
    return {name: each for name, each in tree.items() if name in selected}


def is_selected(name, include, exclude):
    """Return True if the patterns select this relative path; see :func:`select`."""
    if exclude is not None and any(_matches(each, exclude) for each in [name, *parent_folders(name)]):
        return False
    return include is None or _matches(name, include)


def _matches(name, pattern):
    return fnmatch.fnmatchcase(name, pattern) or fnmatch.fnmatchcase(name.rpartition("/")[2], pattern)

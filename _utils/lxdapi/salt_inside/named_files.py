"""
The files that states name, for an instance that may see no others.

They are found in the text of the states, which is never rendered here: the grains and the answers of the instance
decide nothing. So a name in any branch of a template counts, also one in a comment, but no name that a template puts
together, except from the folder of the file itself.
"""

import os
import posixpath
import re
from fnmatch import fnmatchcase

MOST_BYTES = 1 << 20
_URL = "salt://"
_QUOTES = "'\""
# The end of a URL without quotes, unless it has blanks.
_END = re.compile(r"[\s'\",\])}\\]")
_TEMPLATED = ("{{", "{%")
_IMPORT = re.compile(r"\{%-?\s*(?:import|from|include|extends|import_yaml|import_json|import_text)\s+(['\"])(.+?)\1")
_INCLUDE = re.compile(r"^include:[ \t]*(.*)\n((?:[ \t]*(?:-|\{%|\{#|#).*\n|[ \t]*\n)*)", re.MULTILINE)
_ITEM = re.compile(r"^[ \t]*-[ \t]+(.+)$", re.MULTILINE)
_VARIABLE = re.compile(r"\{\{-?\s*(\w+)\s*-?\}\}")
_JOINED = re.compile(r"\b(\w+)\s*[~+]\s*(['\"])")


class NamedFiles:
    """
    The files that states name; each name is followed into its file.

    list_files
        Called with a Salt environment, returns the names of its files.
    read
        Called with a name and a Salt environment, returns the first :data:`MOST_BYTES` of the file.
    """

    def __init__(self, list_files, read):
        self._list_files, self._read, self._lists, self._named = list_files, read, {}, {}

    def environments(self):
        """Return the Salt environments that have such files."""
        return sorted(self._named)

    def names(self, saltenv):
        """Return the names of the files in a Salt environment."""
        return self._named.get(saltenv, set())

    def folders(self, saltenv):
        """Return the folders of these files, and the folders above them."""
        found = set()
        for name in self.names(saltenv):
            while "/" in name:
                name = posixpath.dirname(name)
                found.add(name)
        return found

    def add_states(self, mods, saltenv):
        """Add the files of SLS names, which may be patterns."""
        self._named.setdefault(saltenv, set())
        for name in self._files(saltenv):
            if name.endswith(".sls") and any(fnmatchcase(sls_name(name), each) for each in mods):
                self._add_file(name, saltenv)

    def add_text(self, text, saltenv, path=""):
        """
        Add the files that a text names.

        path
            The file that has the text. Default: none.
        """
        text = _with_values(text, path)
        for name, environment in _urls(text):
            self._add_path(name, environment or saltenv)
        for match in _IMPORT.finditer(text):
            self._add_path(_relative(match[2], path), saltenv)
        if path.endswith(".sls"):
            for name, environment in _includes(text, path):
                self.add_states([name], environment or saltenv)

    def _files(self, saltenv):
        if saltenv not in self._lists:
            # the file server reads a name with ? as one with options
            self._lists[saltenv] = {name for name in self._list_files(saltenv) if "?" not in name}
        return self._lists[saltenv]

    def _add_path(self, path, saltenv):
        """Add a file, or the files in a folder."""
        path = path.strip("/")
        if path in self._files(saltenv):
            self._add_file(path, saltenv)
        elif path:
            below = {name for name in self._files(saltenv) if name.startswith(f"{path}/")}
            self._named.setdefault(saltenv, set()).update(below)

    def _add_file(self, name, saltenv):
        if name in self.names(saltenv):
            return
        self._named.setdefault(saltenv, set()).add(name)
        data = self._read(name, saltenv)
        if b"\0" not in data:
            self.add_text(data.decode("utf-8", "replace"), saltenv, name)


def sls_name(path):
    """Return the name of an SLS file in states."""
    return path[: -len(".sls")].replace("/", ".").removesuffix(".init")


def _with_values(text, path):
    """Return the text with the variables that depend only on the place of its file."""
    folder = posixpath.dirname(path)
    values = {"slspath": folder, "tpldir": folder, "tplroot": folder.partition("/")[0], "tplfile": path}
    values.update(slsdotpath=folder.replace("/", "."), tpldot=folder.replace("/", "."))
    text = _VARIABLE.sub(lambda match: values.get(match[1], match[0]), text)
    return _JOINED.sub(lambda match: match[2] + values[match[1]] if match[1] in values else match[0], text)


def _urls(text):
    """Yield (path, Salt environment or "") of the URLs in a text."""
    for match in re.finditer(_URL, text):
        rest = text[match.end() :].partition("\n")[0]
        quote = text[match.start() - 1 : match.start()]
        quoted = quote and quote in _QUOTES
        shapes = [rest.partition(quote)[0]] if quoted else [rest.strip(), _END.split(rest)[0]]
        for each in dict.fromkeys(shapes):
            path, _, query = each.partition("?")
            if not any(mark in path for mark in _TEMPLATED):
                yield path, query.partition("saltenv=")[2]


def _relative(name, path):
    """Return the path of a template that another one imports."""
    return os.path.normpath(posixpath.join(posixpath.dirname(path), name)) if name.startswith(".") else name


def _includes(text, path):
    """Yield (SLS name, Salt environment or "") of the includes in an SLS file."""
    for inline, block in _INCLUDE.findall(f"{text}\n"):
        listed = inline.strip().strip("[]").split(",") if inline.strip().startswith("[") else []
        for item in [*listed, *_ITEM.findall(block)]:
            environment, _, name = item.partition(" #")[0].rpartition(":")
            name, environment = name.strip().strip(_QUOTES), environment.strip().strip(_QUOTES)
            if name and not any(mark in item for mark in _TEMPLATED):
                yield _absolute(name, path), environment


def _absolute(name, path):
    """Return the SLS name of an include, which may be relative."""
    levels = len(name) - len(name.lstrip("."))
    if not levels:
        return name
    parts = posixpath.splitext(path)[0].split("/")
    return ".".join([*parts[:-levels], name[levels:]])

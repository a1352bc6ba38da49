"""
The declaration of a file, directory, link or tree in an instance, parsed and validated once, before any request.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lxdapi import validation
from lxdapi.errors import InvalidError

KEEP = "keep"


@dataclass(frozen=True)
class FileSpec:
    """
    The declaration of a path without its content; :meth:`parse` validates it.

    user, group
        Names or numbers. Default: unchanged; root for a new one.
    mode
        The permission bits. Default: unchanged.
    makedirs
        True: create missing parent directories.
    force
        True: replace an existing path of another type.
    replace
        False: keep the content of an existing file.
    follow
        True: follow a symbolic link. False: replace the link with a file.
    show
        False: do not show the content in the changes.
    """

    user: str | int | None = None
    group: str | int | None = None
    mode: int | None = None
    makedirs: bool = False
    force: bool = False
    replace: bool = True
    follow: bool = True
    show: bool = True

    @classmethod
    def parse(
        cls, user=None, group=None, mode=None, makedirs=False, force=False, replace=True, follow=True, show=True
    ) -> FileSpec:
        """
        Return the spec; raises :class:`InvalidError` for an invalid owner or mode.

        mode
            See :func:`parse_mode`.
        """
        return cls(
            user=validation.user_or_group("user", user),
            group=validation.user_or_group("group", group),
            mode=parse_mode(mode),
            makedirs=validation.flag("makedirs", makedirs),
            force=validation.flag("force", force),
            replace=validation.flag("replace", replace),
            follow=validation.flag("follow_symlinks", follow),
            show=validation.flag("show_changes", show),
        )


@dataclass(frozen=True)
class TreeSpec:
    """
    The declaration of a directory that mirrors a tree; :meth:`parse` validates it.

    directory
        The spec of all its directories; user, group and ``force`` also apply to the files.
    file_mode
        The permission bits of the files. Default: unchanged.
    keep_file_modes
        True: give each file the mode of the local one.
    clean
        True: delete paths that the source does not have.
    include, exclude
        Patterns; an excluded path is neither written nor deleted.
    """

    directory: FileSpec
    file_mode: int | None = None
    keep_file_modes: bool = False
    clean: bool = False
    include: str | None = None
    exclude: str | None = None

    @classmethod
    def parse(cls, directory: FileSpec, file_mode=None, clean=False, include=None, exclude=None) -> TreeSpec:
        """
        Return the spec; raises :class:`InvalidError` for an invalid mode or pattern.

        file_mode
            A mode, or ``keep`` for that of each local file.
        """
        for parameter, pattern in (("include", include), ("exclude", exclude)):
            if pattern is not None and not isinstance(pattern, str):
                raise InvalidError.of_value(parameter, "a pattern such as '*.conf'", pattern)
        keep = file_mode == KEEP
        clean = validation.flag("clean", clean)
        return cls(directory, None if keep else parse_mode(file_mode), keep, clean, include, exclude)


def parse_mode(mode: str | int | None) -> int | None:
    """
    Return a mode as a number, None for None; its digits are octal, as everywhere in Salt.

    Salt's YAML reads ``0640`` as the number 640, so the digits of a number count. Raises :class:`InvalidError`.
    """
    if mode is None:
        return None
    text = str(mode) if not isinstance(mode, bool) and isinstance(mode, (int, str)) else ""
    if not re.fullmatch(r"(0o)?0*[0-7]{1,4}", text):
        raise InvalidError.of_value("mode", "three or four octal digits such as '0640'", mode)
    return int(text.replace("0o", ""), 8)

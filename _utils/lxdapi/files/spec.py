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
        False: leave the content of an existing file as it is.
    follow
        True: of a symbolic link, the file that it leads to is meant. False: a file replaces the link.
    show
        False: nothing of the content is in the changes.
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
            makedirs=makedirs,
            force=force,
            replace=replace,
            follow=follow,
            show=show,
        )


@dataclass(frozen=True)
class TreeSpec:
    """
    The declaration of a directory that mirrors a tree; :meth:`parse` validates it.

    directory
        Of all its directories; user, group and ``force`` are those of the files too.
    file_mode
        The permission bits of the files. Default: unchanged.
    keep_file_modes
        True: a file has the mode of the local one.
    clean
        True: delete what the source does not have.
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
                raise InvalidError(f"{parameter}: a pattern such as '*.conf' is needed, not {pattern!r}")
        keep = file_mode == KEEP
        return cls(directory, None if keep else parse_mode(file_mode), keep, clean, include, exclude)


def parse_mode(mode: str | int | None) -> int | None:
    """
    Return a mode as a number, None for None; its digits are octal, as everywhere in Salt.

    Salt's YAML makes the number 640 of ``0640``, so a number stands for its digits. Raises :class:`InvalidError`.
    """
    if mode is None:
        return None
    text = str(mode) if not isinstance(mode, bool) and isinstance(mode, (int, str)) else ""
    if not re.fullmatch(r"(0o)?0*[0-7]{1,4}", text):
        raise InvalidError(f"mode: three or four octal digits such as '0640' are needed, not {mode!r}")
    return int(text.replace("0o", ""), 8)

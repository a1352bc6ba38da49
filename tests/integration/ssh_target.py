"""
What salt-ssh needs on the master, per Salt version, for our modules to work on the target.
"""

from salt_commands import REPO

HTTP = ("requests", "requests_unixsocket", "urllib3", "idna", "certifi", "charset_normalizer", "websocket")


def settings(version):
    """Return the master's settings for this version of Salt."""
    return {"thin_extra_mods": ",".join(_extra_modules(_release(version)))}


def needs_the_package(version):
    """Return True if the package has to be installed by pip beside salt-ssh."""
    return _release(version) < 3007


def _release(version):
    return int(version.split(".")[0])


def _extra_modules(release):
    if release >= 3008:
        return ("requests_unixsocket", "websocket")
    if release == 3007:
        return HTTP
    # This one does not send _utils to the target by itself.
    return (*HTTP, *(path.stem for path in sorted((REPO / "_utils").glob("lxdapi_*.py"))))

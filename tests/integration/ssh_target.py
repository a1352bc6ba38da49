"""
What salt-ssh needs on the master, per Salt version, for our modules to work on the target.
"""

HTTP = ("requests", "requests_unixsocket", "urllib3", "idna", "certifi", "charset_normalizer", "websocket")


def settings(version):
    """Return the master's settings for this version of Salt; the package is installed by pip beside it."""
    return {"thin_extra_mods": ",".join(_extra_modules(int(version.split(".")[0])))}


def _extra_modules(release):
    # Salt 3008 ships extensions, requests and what that needs by itself.
    return ("requests_unixsocket", "websocket") if release >= 3008 else ("lxdapi", *HTTP)

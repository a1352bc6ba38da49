"""
What the library needs of other projects, imported in one place, so that a missing package is named in one sentence.
"""

try:
    import certifi
    import requests
    import urllib3
    from requests.adapters import DEFAULT_POOLBLOCK, HTTPAdapter
    from requests_unixsocket.adapters import UnixAdapter, UnixHTTPConnection, UnixHTTPConnectionPool
    from urllib3.fields import RequestField
except ImportError as exc:
    raise ImportError(
        f"{exc}: lxdapi needs requests and requests-unixsocket; install them for Salt's Python (salt-pip install "
        "requests-unixsocket), over salt-ssh add them to thin_extra_mods and run salt-ssh -t",
        name=exc.name,
    ) from exc

__all__ = [
    "DEFAULT_POOLBLOCK",
    "HTTPAdapter",
    "RequestField",
    "UnixAdapter",
    "UnixHTTPConnection",
    "UnixHTTPConnectionPool",
    "certifi",
    "requests",
    "urllib3",
]

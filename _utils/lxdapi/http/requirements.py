"""
The imports from other projects, in one place, so that one sentence names a missing package.
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
        f"{exc}: lxdapi requires requests and requests-unixsocket: install them for Salt's Python (salt-pip install "
        "requests-unixsocket), or for salt-ssh add them to thin_extra_mods and run salt-ssh -t",
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

"""
The session of requests for an endpoint. Proxies and CA bundles from the environment are ignored.
"""

from __future__ import annotations

import logging

from lxdapi.http import unix_socket
from lxdapi.http.endpoints import UNIX
from lxdapi.http.requirements import requests, urllib3

log = logging.getLogger(__name__)


def create_session(
    url: str, cert: str | None = None, key: str | None = None, fingerprint: str | None = None, verify: bool | str = True
) -> requests.Session:
    """
    Return the :class:`requests.Session` for a base URL of :func:`lxdapi.http.endpoints.find`.

    cert, key
        The client certificate and its key, paths or inline PEM.
    fingerprint
        The sha256 of the server's certificate, or the path of its file; only this certificate is then trusted, for any
        host name.
    verify
        True: the system's certificate authorities; a path: this CA file; False: any server, with a warning. See
        :func:`lxdapi.http.tls.context`.
    """
    new_session = requests.Session()
    new_session.trust_env = False
    if url.startswith(UNIX):
        new_session.mount(UNIX, unix_socket.SocketAdapter())
        return new_session
    # imported here, because only remote daemons need it
    from lxdapi.http import tls

    if verify is False and not fingerprint:
        log.warning("lxdapi: does not verify the certificate of %s (verify: False)", url)
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    new_session.mount("https://", tls.TLSAdapter(cert, key, fingerprint, False if fingerprint else verify))
    return new_session

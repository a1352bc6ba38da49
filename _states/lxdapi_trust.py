"""
Trust between this client and remote servers, over HTTPS.

:depends: requests, requests-unixsocket; cryptography for a new key

This is the client side. On the server, use :py:func:`lxdapi_trust.token_create` and ``lxdapi_certificate``.
"""

from lxdapi.minion import remotes, state
from lxdapi.trust import tokens

__version__ = "0.1.0"


def _client(remote, token=None, password=None, client_name=None):
    settings = remotes.settings_of(__salt__["config.get"], remote)
    return tokens.Client(remote, settings, token, password, client_name or __opts__.get("id") or "salt")


def present(name, token=None, password=None, client_name=None):
    """
    Ensure that a remote is usable: the client has a key pair and the certificate of the server, and the server trusts
    the client.

    .. code-block:: yaml

        far:
          lxdapi_trust.present:
            - token: __slot__:salt:config.get(far_token)

    name
        Name of the remote under ``lxdapi:remotes``, with ``endpoint``, ``cert`` and ``key``. If neither the ``cert``
        nor the ``key`` file exists, the state creates a key (ECDSA P-384) and a certificate that is valid for ten
        years. It never replaces existing files. If ``fingerprint`` is the path of a file that does not exist, the state
        writes the server certificate to it, after it has verified the certificate against the token; it never trusts a
        server just because it answered first.
    token
        Token that ``lxdapi_trust.token_create``, ``incus config trust add`` or ``lxc config trust add`` printed on the
        server. It works once; the state ignores it if the server already trusts the client. Default: none.
    password
        Trust password of the server, instead of a token; only LXD before 6.0 has one. The server certificate must be
        pinned or verified. Default: none.
    client_name
        Name of the client in a new certificate, and with a password also in the trust store of the server; a token
        defines that name itself. Default: the minion ID.

    The state sends the token only to a server whose certificate has the fingerprint in the token. The slot in the
    example keeps the token out of the SLS, which Salt logs at the level debug. ``config.get`` also reads the pillar;
    ``pillar.get`` would return asterisks (Salt 3008).
    """
    return state.run_plan(
        globals(), "client of", name, lambda: _client(name, token, password, client_name).plan_present()
    )


def absent(name):
    """
    Ensure that the server of a remote does not trust the client certificate. The local files stay.

    .. code-block:: yaml

        far:
          lxdapi_trust.absent

    name
        Name of the remote, as for :py:func:`lxdapi_trust.present`. A certificate that is restricted to projects cannot
        remove itself (LXD 5.0.2, Incus 7.0.2): use ``lxdapi_certificate.absent`` on the server.
    """
    return state.run_plan(globals(), "client of", name, lambda: _client(name).plan_absent())

"""
Remote servers that trust this client, reached over HTTPS.

:depends: requests, requests-unixsocket; cryptography for a new key

The other side of :py:func:`lxdapi_trust.token_create` and of ``lxdapi_certificate``, which are about the server.
"""

from lxdapi.minion import remotes, state
from lxdapi.trust import tokens


def _client(remote, token=None, password=None, client_name=None):
    settings = remotes.settings_of(__salt__["config.get"], remote)
    return tokens.Client(remote, settings, token, password, client_name or __opts__.get("id") or "salt")


def present(name, token=None, password=None, client_name=None):
    """
    Ensure that a remote can be used: it has a key pair, its server is known, and that server trusts us.

    .. code-block:: yaml

        far:
          lxdapi_trust.present:
            - token: __slot__:salt:config.get(far_token)

    name
        Of the remote below ``lxdapi:remotes``, with ``endpoint``, ``cert`` and ``key``. If neither ``cert`` nor
        ``key`` is there, a key (ECDSA P-384, for ten years) and its certificate are made; what is there is never
        replaced. If ``fingerprint`` is the path of a file that is not there, the server's certificate is written to
        it, once it has proved to be the one the token tells: nobody is trusted because he answered first.
    token
        What ``lxdapi_trust.token_create``, ``incus config trust add`` or ``lxc config trust add`` printed on the
        server. It is good once, and not looked at by the server any more once that trusts us.
    password
        The server's trust password instead, which only LXD before 6.0 has. Only for a server that is pinned or
        verified.
    client_name
        In a new certificate, and with a password in the server's list; a token has a name of its own. None: the
        minion's id.

    The token is sent after the server has shown the certificate whose fingerprint is in the token, and to no other.
    A slot, as above, keeps it out of the SLS, which Salt itself logs at the level debug; ``config.get`` looks into the
    pillar as well, and ``pillar.get`` would give asterisks (Salt 3008).
    """
    return state.run_plan(
        globals(), "client of", name, lambda: _client(name, token, password, client_name).plan_present()
    )


def absent(name):
    """
    Ensure that the server of a remote does not trust our certificate; the files stay where they are.

    .. code-block:: yaml

        far:
          lxdapi_trust.absent

    name
        Of the remote, as for :py:func:`lxdapi_trust.present`. A certificate that is restricted to projects may not
        do this (LXD 5.0.2, Incus 7.0.2): then it is ``lxdapi_certificate.absent`` on the server.
    """
    return state.run_plan(globals(), "client of", name, lambda: _client(name).plan_absent())

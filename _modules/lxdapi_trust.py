"""
Trust between clients and servers over HTTPS: key pairs and tokens.

:depends: requests, requests-unixsocket; cryptography for a new key

On the client ``key_create`` and ``redeem``, of which ``lxdapi_trust.present`` is the state; on the server
``token_create``, ``token_list`` and ``token_revoke``.
"""

from lxdapi.http import pem
from lxdapi.minion import connection, remotes
from lxdapi.plan import steps
from lxdapi.trust import keypair, tokens


def key_create(cert, key, client_name=None):
    """
    Make a client's key (ECDSA P-384, for ten years) and its certificate; returns the certificate's fingerprint.

    cert, key
        Paths of files that are not there: nothing is replaced. The key is its owner's alone (0600), and so are
        folders that are missing (0700).
    client_name
        In the certificate. None: the minion's id.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_trust.key_create /etc/salt/pki/lxdapi/client.crt /etc/salt/pki/lxdapi/client.key
    """
    keypair.create(cert, key, client_name or __opts__.get("id") or "salt")
    return pem.read(cert)[0]


def fingerprint(certificate):
    """
    Return the fingerprint of a certificate: the sha256 that pins a server, and that a client has at the server.

    certificate
        The path of a file, or PEM text.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_trust.fingerprint /etc/salt/pki/lxdapi/client.crt
    """
    return pem.read(certificate)[0]


def redeem(remote, token, client_name=None):
    """
    Make a remote usable with a token of its server, and return what changed: nothing if it is usable already.

    remote, token, client_name
        As for the state ``lxdapi_trust.present``. If the remote has no ``endpoint``, the addresses in the token are
        tried, and the one that is the server's is returned as ``endpoint``, to be put into the remote. Write
        ``token=`` before a token on the command line: Salt takes one that ends in ``=`` for a name otherwise.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_trust.redeem far token=eyJjbGllbnRfbmFtZSI6IndlYjEiLCJmaW5nZXJwcmludCI6...
    """
    settings = remotes.settings_of(__salt__["config.get"], remote)
    found = {} if settings.get("endpoint") else {"endpoint": tokens.address_of(token)}
    name = client_name or __opts__.get("id") or "salt"
    return {**steps.apply(tokens.Client(remote, {**settings, **found}, token, name=name).plan_present()), **found}


def token_create(client, restricted=None, projects=None, remote=None):
    """
    Return a new token, with which a client becomes trusted by the server, once.

    client
        The name that its certificate gets.
    restricted
        True: it may use only the ``projects``.
    projects
        A list of projects; they demand ``restricted=True``.

    It is good until ``core.remote_token_expiry`` of the server, or its next start. Needs the API extension
    certificate_token (LXD since 4.24, every Incus), and a server that listens (``core.https_address``).

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_trust.token_create web1 restricted=True projects='["default"]'
    """
    return tokens.make_token(connection.connect(globals(), remote), client, restricted, projects)


def token_list(remote=None):
    """
    Return the tokens of the server that can still be used: for whom, with what limits, until when. Not themselves:
    a token is shown once.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_trust.token_list
    """
    return list(tokens.list_tokens(connection.connect(globals(), remote)).values())


def token_revoke(client, remote=None):
    """
    Take back the tokens of a client that were not used. Returns what changed, nothing if there are none.

    client
        The name that was given to ``token_create``.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_trust.token_revoke web1
    """
    return tokens.revoke(connection.connect(globals(), remote), client)

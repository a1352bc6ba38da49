"""
Trust between clients and servers over HTTPS: key pairs and tokens.

:depends: requests, requests-unixsocket; cryptography for a new key

On the client, use ``key_create`` and ``redeem``, or the state ``lxdapi_trust.present``. On the server, use
``token_create``, ``token_list`` and ``token_revoke``.
"""

from lxdapi.http import pem
from lxdapi.minion import connection, remotes
from lxdapi.plan import steps
from lxdapi.trust import keypair, tokens

__version__ = "0.1.0"


def key_create(cert, key, client_name=None):
    """
    Create a key (ECDSA P-384) and a certificate for a client, valid for ten years. Returns the fingerprint of the
    certificate.

    cert, key
        Paths of the new files. Existing files are never replaced. Only the owner may read the key (0600) and missing
        directories, which are created (0700).
    client_name
        Name of the client in the certificate. Default: the minion ID.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_trust.key_create /etc/salt/pki/lxdapi/client.crt /etc/salt/pki/lxdapi/client.key
    """
    keypair.create(cert, key, client_name or __opts__.get("id") or "salt")
    return pem.read(cert)[0]


def fingerprint(certificate):
    """
    Return the fingerprint of a certificate: the SHA-256 that pins a server, and that identifies a client on the server.

    certificate
        Path of a file, or PEM text.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_trust.fingerprint /etc/salt/pki/lxdapi/client.crt
    """
    return pem.read(certificate)[0]


def redeem(remote, token, client_name=None):
    """
    Make a remote usable with a token of its server. Returns the changes, which are empty if the remote is already
    usable.

    remote, token, client_name
        See the state ``lxdapi_trust.present``. If the remote has no ``endpoint``, the addresses in the token are tried,
        and the address of the server is returned as ``endpoint``: add it to the remote. On the command line, write
        ``token=`` before a token: otherwise Salt takes a token that ends with ``=`` for a parameter name.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_trust.redeem far token=eyJjbGllbnRfbmFtZSI6IndlYjEiLCJmaW5nZXJwcmludCI6...
    """
    settings = remotes.settings_of(__salt__["config.get"], remote)
    new_settings = {} if settings.get("endpoint") else {"endpoint": tokens.address_of(token)}
    name = client_name or __opts__.get("id") or "salt"
    client = tokens.Client(remote, {**settings, **new_settings}, token, name=name)
    return {**steps.apply(client.plan_present()), **new_settings}


def token_create(client, restricted=None, projects=None, remote=None):
    """
    Create and return a token that lets one client become trusted by the server, once.

    client
        Name for the certificate of the client.
    restricted
        Whether to limit the client to ``projects``. Default: false.
    projects
        List of projects that the client may use; requires ``restricted=True``. Default: none.

    The token expires after ``core.remote_token_expiry`` of the server, or when the server restarts. Requires the API
    extension certificate_token (LXD 4.24 or newer, every Incus) and a server that listens on the network
    (``core.https_address``).

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_trust.token_create web1 restricted=True projects='["default"]'
    """
    return tokens.make_token(connection.connect(globals(), remote), client, restricted, projects)


def token_list(remote=None):
    """
    Return the unused tokens of the server, with their client names, restrictions and expiry times. The tokens
    themselves are shown only once, on creation.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_trust.token_list
    """
    return list(tokens.list_tokens(connection.connect(globals(), remote)).values())


def token_revoke(client, remote=None):
    """
    Revoke the unused tokens of a client. Returns the changes, which are empty if there are no such tokens.

    client
        Name that was given to ``token_create``.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi_trust.token_revoke web1
    """
    return tokens.revoke(connection.connect(globals(), remote), client)

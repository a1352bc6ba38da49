"""
Certificates in the trust store of LXD and Incus: clients that may use the daemon over HTTPS.

:depends: requests, requests-unixsocket
"""

from lxdapi import local_files
from lxdapi.minion import connection, state
from lxdapi.plan import converge, steps
from lxdapi.trust import certificates

__version__ = "0.1.0"


def present(name, certificate, type=None, restricted=None, projects=None, description=None, remote=None):
    """
    Ensure that the daemon trusts a client certificate, with the given restrictions.

    .. code-block:: yaml

        web team:
          lxdapi_certificate.present:
            - certificate: /etc/ssl/lxdapi/web-team.crt
            - restricted: true
            - projects:
              - default

    name
        Name of the entry in the trust store.
    certificate
        The certificate as PEM text, or the file that contains it: a path on the minion, ``salt://`` or ``https://``.
        The fingerprint of the certificate, not the name, identifies the entry in the trust store.
    type
        ``client``, or ``metrics`` for a client that may only read metrics. It cannot be changed later. Default:
        ``client``.
    restricted
        Whether to limit the client to ``projects``. Default: unchanged; a new client is not restricted.
    projects
        Complete list of the projects that the client may use; the order does not matter. Requires ``restricted: true``,
        because the list has no effect without it. Default: unchanged.
    description
        Description; an empty string clears it. Requires the API extension certificate_description (every Incus).
        Default: unchanged.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    """

    def plan():
        certificates.require_restriction(projects, restricted)
        digest, sent = _read(certificate)
        declared = {
            "name": name,
            "certificate": sent,
            "type": type,
            "restricted": restricted,
            "projects": projects,
            "description": description,
        }
        return converge.plan_present(connection.connect(globals(), remote), "certificate", digest, declared)

    return state.run_plan(globals(), "certificate", name, plan)


def _read(certificate):
    """Return (fingerprint, body) of the certificate; fetch it first if it is not on the minion."""
    if isinstance(certificate, str) and "-----BEGIN" not in certificate:
        certificates.require_secure_source(certificate)
        certificate = local_files.local_file(__salt__["cp.cache_file"], certificate)
    return certificates.read(certificate)


def absent(name, certificate=None, remote=None):
    """
    Ensure that the daemon does not trust a certificate.

    .. code-block:: yaml

        web team:
          lxdapi_certificate.absent

    name
        Name or fingerprint of the entry. If several entries have this name, ``certificate`` must identify one of them.
    certificate
        See :py:func:`lxdapi_certificate.present`. Default: ``name`` identifies the entry.
    remote
        Name of a remote under ``lxdapi:remotes`` (minion config, pillar or grains). Default: the local daemon.
    """

    def plan():
        api = connection.connect(globals(), remote)
        digest = _read(certificate)[0] if certificate else certificates.fingerprint_of(api, name)
        return converge.plan_absent(api, "certificate", digest) if digest else steps.Plan(summary="absent")

    return state.run_plan(globals(), "certificate", name, plan)

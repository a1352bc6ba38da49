"""
Certificates in the trust store of LXD and Incus as declared: who may use the daemon over HTTPS.

:depends: requests, requests-unixsocket
"""

from lxdapi import local_files
from lxdapi.minion import connection, state
from lxdapi.plan import converge, steps
from lxdapi.trust import certificates


def present(name, certificate, type=None, restricted=None, projects=None, description=None, remote=None):
    """
    Ensure that a client's certificate is trusted, with the given restrictions.

    .. code-block:: yaml

        web team:
          lxdapi_certificate.present:
            - certificate: /etc/ssl/lxdapi/web-team.crt
            - restricted: true
            - projects:
              - default

    name
        Of the entry in the trust store.
    certificate
        The certificate as PEM text, or the file that holds it: a path on the minion, ``salt://`` or ``https://``.
        Its fingerprint says which entry of the trust store is meant, whatever that is called.
    type
        ``client``, or ``metrics`` for one that may read metrics only. Fixed once it is trusted. None: ``client``.
    restricted
        True: it may use only the ``projects``.
    projects
        A list of projects, as a whole. Order does not count. They limit nothing unless ``restricted: true`` is
        declared as well, which is therefore demanded.
    description
        Text; "" clears it (API extension certificate_description: every Incus).
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
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
    """Return (fingerprint, what is sent) of the certificate, fetched where it is elsewhere."""
    if isinstance(certificate, str) and "-----BEGIN" not in certificate:
        certificates.require_secure_source(certificate)
        certificate = local_files.local_file(__salt__["cp.cache_file"], certificate)
    return certificates.read(certificate)


def absent(name, certificate=None, remote=None):
    """
    Ensure that a certificate is not trusted.

    .. code-block:: yaml

        web team:
          lxdapi_certificate.absent

    name
        Of the entry, or its fingerprint; if several have the name, they have to be told apart by ``certificate``.
    certificate
        As for :py:func:`lxdapi_certificate.present`; None: the name says which.
    remote
        A name under ``lxdapi:remotes`` in the minion's configuration, pillar or grains. Default: the local daemon.
    """

    def plan():
        api = connection.connect(globals(), remote)
        digest = _read(certificate)[0] if certificate else certificates.fingerprint_of(api, name)
        return converge.plan_absent(api, "certificate", digest) if digest else steps.Plan(summary="absent")

    return state.run_plan(globals(), "certificate", name, plan)

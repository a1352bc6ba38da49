"""
Profiles of LXD and Incus, under the names of the states that Salt 3008 removed.

:depends: lxdapi

``remote_addr``, ``cert``, ``key`` and ``verify_cert`` are those of the execution module ``lxd``.
"""

from lxdapi.dropin import inputs, objects, words
from lxdapi.minion import connection, state
from lxdapi.plan import converge

__version__ = "0.1.0"


def present(name, description=None, config=None, devices=None, remote_addr=None, cert=None, key=None, verify_cert=True):
    """
    Ensure that a profile exists with the given settings.

    .. code-block:: yaml

        web:
          lxd_profile.present:
            - description: web servers
            - config:
              - key: limits.memory
                value: 512MiB
            - devices:
                data:
                  type: disk
                  source: /srv/data
                  path: /data

    name
        Name of the profile.
    description
        Description. Default: unchanged.
    config
        Mapping of all config keys to their values, or a list of mappings with ``key`` and ``value``. Other keys are
        removed. Default: unchanged.
    devices
        Mapping of all device names to devices. Other devices, and other keys of a device, are removed, except for the
        root disk. Default: unchanged.
    """

    def plan():
        api = connection.connect_to(globals(), remote_addr, cert, key, verify_cert)
        declared = inputs.fields("profile", config, devices, {"description": description})
        result = objects.find(api, objects.PROFILE, name)
        whole = inputs.whole(declared, result.metadata) if result is not None else declared
        return converge.plan_present(api, "profile", name, whole)

    return state.run_for_dropin(globals(), "profile", name, plan, words.of_profile)


def absent(name, remote_addr=None, cert=None, key=None, verify_cert=True):
    """
    Ensure that a profile does not exist. The daemon does not delete a profile that is in use.

    .. code-block:: yaml

        web:
          lxd_profile.absent

    name
        Name of the profile.
    """

    def plan():
        api = connection.connect_to(globals(), remote_addr, cert, key, verify_cert)
        return converge.plan_absent(api, "profile", name)

    return state.run_for_dropin(globals(), "profile", name, plan, words.of_removal("Profile"))

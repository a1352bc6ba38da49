"""
Create and update of an object of any kind: by the functions of its kind where it has some of its own.
"""

from functools import partial

from lxdapi.cluster import per_member as clusters
from lxdapi.instances import plan as instances
from lxdapi.model.kinds import kind_of
from lxdapi.plan import converge
from lxdapi.trust import certificates

_MADE = {
    "certificate": certificates.made,
    "instance": instances.made,
    "network": partial(clusters.made, kind_name="network"),
    "storage_pool": partial(clusters.made, kind_name="storage_pool"),
}
_UPDATED = {
    "instance": instances.updated,
    "network": partial(clusters.updated, kind_name="network"),
    "storage_pool": partial(clusters.updated, kind_name="storage_pool"),
}


def made(api, kind_name, name, settings):
    """
    Return the steps to a new object, whether there is one or not: the daemon refuses a second one.

    settings
        As the state ``lxdapi_<kind>.present`` takes them.
    """
    kind_of(kind_name)
    own = _MADE.get(kind_name)
    return own(api, name=name, settings=settings) if own else converge.made(api, kind_name, name, settings)


def updated(api, kind_name, name, settings, purge=False):
    """Return the steps that make an existing object as declared; raises if there is none."""
    kind_of(kind_name)
    own = _UPDATED.get(kind_name)
    return own(api, name=name, settings=settings) if own else converge.updated(api, kind_name, name, settings, purge)

"""
Create and update of an object of any kind: by the functions of its kind where it has some of its own.
"""

from functools import partial

import lxdapi_certificate as certificates
import lxdapi_cluster as clusters
import lxdapi_converge as converge
import lxdapi_instance as instances
from lxdapi_kinds import kind_of

_MADE = {
    "certificate": certificates.made,
    "instance": instances.made,
    "network": partial(clusters.made, word="network"),
    "storage_pool": partial(clusters.made, word="storage_pool"),
}
_UPDATED = {
    "instance": instances.updated,
    "network": partial(clusters.updated, word="network"),
    "storage_pool": partial(clusters.updated, word="storage_pool"),
}


def made(api, word, name, settings):
    """
    Return the steps to a new object, whether there is one or not: the daemon refuses a second one.

    settings
        As the state ``lxdapi_<kind>.present`` takes them.
    """
    kind_of(word)
    own = _MADE.get(word)
    return own(api, name=name, settings=settings) if own else converge.made(api, word, name, settings)


def updated(api, word, name, settings, purge=False):
    """Return the steps that make an existing object as declared; raises if there is none."""
    kind_of(word)
    own = _UPDATED.get(word)
    return own(api, name=name, settings=settings) if own else converge.updated(api, word, name, settings, purge)

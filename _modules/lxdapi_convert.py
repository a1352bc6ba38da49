"""
Conversion of SLS files for other states, and of the daemons' own YAML, to SLS files for lxdapi.

:depends: requests, requests-unixsocket
"""

from lxdapi import local_files
from lxdapi.convert import document
from lxdapi.errors import InvalidError

__version__ = "0.1.0"
__virtualname__ = "lxdapi"
__outputter__ = {"convert_sls": "lxdapi_text"}


def __virtual__():
    """Add this function to those of ``lxdapi``."""
    return __virtualname__


def convert_sls(path, name=None, saltenv="base"):
    """
    Return SLS text for lxdapi: the text of the file with new states, after a report in comments.

    path
        Path of a file, or its URL (``salt://``, ``https://``). It is one of these:

        - an SLS file with Salt's removed states ``lxd``, ``lxd_container``, ``lxd_image`` and ``lxd_profile``
        - an SLS file with the state ``incus`` of saltext-incus
        - an instance, as ``incus config show`` or ``lxc config show`` prints it
        - a preseed for ``incus admin init`` or ``lxd init``
    name
        Name of the instance, if the file is an instance and does not contain the name. Default: the name in the file.
    saltenv
        Environment of a ``salt://`` file. Default: ``base``.

    Comments, order and Jinja stay as they are. The report names each line that a person has to look at, and the remotes
    that the file declares, for the configuration of the minion. No request is sent.

    ``python -m lxdapi.convert FILE`` does the same without Salt's command line.

    Raises an error if the file is of another sort, or is not YAML without its Jinja.

    CLI Example:

    .. code-block:: bash

        salt-call lxdapi.convert_sls /srv/files/web.sls
        salt-call lxdapi.convert_sls /srv/files/web1.yaml name=web1
    """
    file = local_files.local_file(__salt__["cp.cache_file"], path, saltenv)
    try:
        with open(file, encoding="utf-8") as content:
            return document.convert(content.read(), name)
    except (OSError, ValueError) as exc:
        raise InvalidError(f"cannot read {path}: {exc}") from exc

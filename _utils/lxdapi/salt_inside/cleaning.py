"""
Removes what lxdapi keeps in an instance for Salt.
"""

from lxdapi.files import plan
from lxdapi.files.target import Target
from lxdapi.model import objects
from lxdapi.model.kinds import KINDS
from lxdapi.plan import steps
from lxdapi.salt_inside import carried
from lxdapi.salt_inside.session import BASE

# The second and the third are for an instance that cannot write to the first.
FOLDERS = (BASE, "/run/lxdapi", "/tmp/lxdapi-0", carried.MOUNTS)


def remove_all(api, name):
    """Remove the devices and the folders, and return them as a list; the instance may be stopped."""
    devices = api.get(objects.path_of(KINDS["instance"], name)).metadata["devices"]
    removed = [device for device in devices if device.startswith(f"{carried.DEVICE}-")]
    for device in removed:
        carried.detach(api, name, device)
    for folder in FOLDERS:
        if steps.apply(plan.plan_absent(Target.parse(lambda: api, name, folder))):
            removed.append(folder)
    return removed

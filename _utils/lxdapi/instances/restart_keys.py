"""
The keys of an instance that a running one adopts only at its next start.
"""

# Keys without live update according to the documentation of Incus 6.0.4 (/1.0/metadata/configuration). For
# security.nesting it says the contrary, but on both daemons that takes effect only at a start.
NEEDS_RESTART = (
    "agent.nic_config",
    "limits.memory.hugepages",
    "linux.sysctl.",
    "nvidia.",
    "raw.idmap",
    "raw.lxc",
    "raw.qemu",
    "raw.seccomp",
    "security.agent.metrics",
    "security.csm",
    "security.devlxd",
    "security.guestapi",
    "security.idmap.",
    "security.iommu",
    "security.nesting",
    "security.privileged",
    "security.secureboot",
    "security.sev",
    "security.syscalls.",
)


def keys_needing_restart(result, changes):
    """Return the changed keys that a running instance adopts only at its next start."""
    config = [key for key in changes.get("config", ()) if key.startswith(NEEDS_RESTART)]
    if result.metadata["type"] == "virtual-machine":
        config += [key for key in changes.get("config", ()) if key.startswith("limits.")]
        config += changes.get("devices", ())
    return sorted(config)

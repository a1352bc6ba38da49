"""
The installation of a minion in an instance: its package, and its start.
"""

import os
from functools import partial

from lxdapi.errors import LxdapiError
from lxdapi.files import content, plan, queries
from lxdapi.files.spec import FileSpec
from lxdapi.files.target import Target
from lxdapi.instances import exec as execs
from lxdapi.plan import steps
from lxdapi.plan.steps import Step

PROGRAM = "salt-minion"
_PLACES = ("/usr/bin", "/usr/local/bin", "/opt/saltstack/salt")
# A package that is copied to the instance for its installation.
_FOLDER = "/var/cache/lxdapi/packages"
_MOST_OUTPUT_BYTES = 1000
# $0 is the name of a package, or the path of a file.
_INSTALL = """export DEBIAN_FRONTEND=noninteractive
has() { command -v "$1" >/dev/null 2>&1; }
if has apt-get; then
  case "$0" in /*) ;; *) apt-get update || exit ;; esac
  exec apt-get install -y --no-install-recommends "$0"
fi
has dnf && exec dnf install -y "$0"
has zypper && exec zypper --non-interactive install --allow-unsigned-rpm "$0"
has yum && exec yum install -y "$0"
has pacman && case "$0" in /*) exec pacman -U --noconfirm "$0" ;; *) exec pacman -Sy --noconfirm "$0" ;; esac
has apk && exec apk add --allow-untrusted "$0"
case "$0" in /*)
  has dpkg && exec dpkg -i "$0"
  has rpm && exec rpm -U "$0"
esac
echo "the instance has no package manager that lxdapi knows" >&2
exit 1
"""
_START = """has() { command -v "$1" >/dev/null 2>&1; }
if [ -d /run/systemd/system ]; then
  systemctl enable salt-minion && exec systemctl restart salt-minion
elif has rc-service; then
  rc-update add salt-minion && exec rc-service salt-minion restart
fi
pid=$(cat /var/run/salt-minion.pid 2>/dev/null) && kill "$pid" 2>/dev/null && while kill -0 "$pid" 2>/dev/null; do
  sleep 0.2
done
PATH=$PATH:/opt/saltstack/salt exec salt-minion -d
"""


def plan_install(api, name, package, seconds) -> list[Step]:
    """
    Return the steps that install the package of the minion, unless the instance has its program.

    package
        The name of a package in the repositories of the instance, or the path of a file of this machine.
    """
    places = (Target.parse(lambda: api, name, f"{folder}/{PROGRAM}") for folder in _PLACES)
    if any(queries.stat(place) for place in places):
        return []
    file = content.Content(path=package) if package.startswith("/") else None
    if file:
        _ = file.size  # raises an error unless it can be read
    return [
        Step(
            "installed",
            {"package": {"old": None, "new": package}},
            partial(_install, api, name, package, file, seconds),
        )
    ]


def _install(api, name, package, file, seconds):
    if file is None:
        _run(api, name, _INSTALL, package, seconds, f"the package {package} was not installed")
        return
    target = Target.parse(lambda: api, name, f"{_FOLDER}/{os.path.basename(package)}")
    steps.apply(plan.plan_file(target, file, FileSpec.parse(mode="0644", makedirs=True)))
    try:
        _run(api, name, _INSTALL, target.path, seconds, f"the file {package} was not installed")
    finally:
        steps.apply(plan.plan_absent(Target.parse(lambda: api, name, _FOLDER)))


def start(api, name, seconds):
    """Start the minion, again if it runs, also after each start of the instance if it has systemd or OpenRC."""
    _run(api, name, _START, PROGRAM, seconds, "the minion was not started")


def _run(api, name, script, argument, seconds, failure):
    outcome = execs.run(api, name, execs.make_command(["/bin/sh", "-c", script, argument], timeout=seconds))
    if outcome.retcode:
        output = outcome.output.decode("utf-8", "replace")[-_MOST_OUTPUT_BYTES:].strip()
        reason = f"killed after {seconds} s" if outcome.killed else f"exit code {outcome.retcode}"
        raise LxdapiError(f"{failure} in instance {name}: {reason}{f': {output}' if output else ''}")

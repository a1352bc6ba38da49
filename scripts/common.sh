# Bash functions that install what the tests, the demo and the benchmarks need.
# They are sourced with `set -euo pipefail` in effect, and need only bash, python3 and apt of Debian 12.

# The PATH of root can lack sshd, ip and the like (`su` keeps the user's PATH).
export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
export DEBIAN_FRONTEND=noninteractive

BACKPORTS=/etc/apt/sources.list.d/lxdapi-backports.sources
POLICY=/usr/sbin/policy-rc.d
CACHE="${XDG_CACHE_HOME:-$HOME/.cache}/lxdapi"
APT_UPDATED=

# Progress goes to stderr, because stdout is for results.
step() {
    printf '==> %s\n' "$*" >&2
}

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

need_root() {
    [ "$(id -u)" = 0 ] || die "must run as root: containers, network namespaces and packages require it"
}

# Does this command (a bare word) or file (with a slash) exist?
have() {
    case $1 in
        */*) [ -e "$1" ] ;;
        *) command -v "$1" >/dev/null ;;
    esac
}

# Run a command and print its output only if it fails.
quietly() {
    local output
    output=$("$@" 2>&1) || {
        printf '%s\n' "$output" >&2
        die "$1 failed"
    }
}

apt_update() {
    [ -z "$APT_UPDATED" ] || return 0
    step "updating the package lists"
    quietly apt-get update
    APT_UPDATED=yes
}

# The services of packages (lxd, incus, sshd) are not started, because the tests start their own daemons elsewhere.
# The body is a subshell, so that the trap ends with it.
apt_install() (
    if ! have "$POLICY"; then
        trap 'rm -f "$POLICY"' EXIT
        printf '#!/bin/sh\nexit 101\n' >"$POLICY"
        chmod 755 "$POLICY"
    fi
    quietly apt-get install -y --no-install-recommends -o Dpkg::Use-Pty=0 "$@"
)

# apt_need COMMAND_OR_FILE PACKAGE...: install the packages unless the command or file exists.
apt_need() {
    local wanted=$1
    shift
    have "$wanted" && return 0
    apt_update
    step "apt-get install $*"
    apt_install "$@"
    have "$wanted" || die "$wanted is missing although $* is installed"
}

# The first URI that apt knows for the main component of a codename: empty before the first update.
debian_mirror() {
    apt-get indextargets --format '$(REPO_URI)' "Codename: $1" 'Component: main' 'Created-By: Packages' | head -n 1
}

# Incus for Debian 12 is in the backports; use the mirror that the machine already uses.
add_backports() {
    local mirror keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    [ -n "$(debian_mirror bookworm)" ] || apt_update
    [ -z "$(debian_mirror bookworm-backports)" ] || return 0
    mirror=$(debian_mirror bookworm)
    [ -n "$mirror" ] || die "apt knows no Debian 12 (bookworm) mirror; only Debian 12 is supported here"
    printf '%s\n' "Types: deb" "URIs: $mirror" "Suites: bookworm-backports" "Components: main" >"$BACKPORTS"
    [ ! -e "$keyring" ] || printf 'Signed-By: %s\n' "$keyring" >>"$BACKPORTS"
    APT_UPDATED=
}

# Programs that the daemons call: dnsmasq and nft for bridges, mksquashfs for split images, busybox for the test image.
install_helpers() {
    apt_need ip iproute2
    apt_need dnsmasq dnsmasq-base
    apt_need nft nftables
    apt_need newuidmap uidmap
    apt_need mksquashfs squashfs-tools
    apt_need busybox busybox-static
}

install_lxd() {
    install_helpers
    apt_need /usr/bin/lxd lxd lxd-client
}

install_incus() {
    install_helpers
    have /usr/libexec/incus/incusd && return 0
    add_backports
    apt_need /usr/libexec/incus/incusd -t bookworm-backports incus-base
}

# Programs that the daemons require for virtual machines, and the compiler for tests/support/vmshim.c.
install_vm_tools() {
    apt_need qemu-system-x86_64 qemu-system-x86
    apt_need qemu-img qemu-utils
    apt_need /usr/share/OVMF/OVMF_CODE.fd ovmf
    apt_need genisoimage genisoimage
    apt_need sgdisk gdisk
    apt_need gcc gcc libc6-dev
}

# Open vSwitch and OVN, for tests/support/ovn.py, and what tests of their data path use.
install_ovn() {
    apt_need ethtool ethtool
    apt_need ovs-vswitchd openvswitch-switch
    apt_need ovn-northd ovn-central
    apt_need ovn-controller ovn-host
    apt_need ovn-ic ovn-ic
    apt_need /usr/share/ovn/ovn-ic-nb.ovsschema ovn-ic-db
}

install_daemons() {
    install_lxd
    install_incus
}

# Debian 12 has no package of Incus 7 and of a newer LXD, so these run in their own root file system:
# scripts/enter-root. Nothing changes one that is there, because the daemons of other checkouts may run in it: each
# version of the script that builds it has a folder of its own.
make_debian13() {
    [ ! -e "$1" ] || return 0
    apt_need debootstrap debootstrap
    # Its mounts must end with it.
    unshare --mount --propagation private scripts/make-debian13-root "$1" || exit 1
}

# The folder of that root file system; tests/support/daemons.py uses the same.
debian13_root() {
    printf '%s/debian13-root-%s\n' "$CACHE" "$(sha256sum scripts/make-debian13-root | cut -c -8)"
}

# Install the daemons of Debian 13. If they cannot run, the status is 1, and LXDAPI_WITHOUT_DEBIAN13 has the reason for
# pytest.
install_debian13() {
    local root
    root=$(debian13_root)
    install_helpers
    mkdir -p "$CACHE"
    if ! (flock 9 && make_debian13 "$root") 9>"$root.lock"; then
        LXDAPI_WITHOUT_DEBIAN13="its root file system could not be built: is the Debian mirror reachable?"
    elif ! scripts/isolated /usr/bin/python3 -m tests.support.daemons probe --daemon incus7; then
        LXDAPI_WITHOUT_DEBIAN13="Incus 7 does not start on this machine"
    else
        return 0
    fi
    export LXDAPI_WITHOUT_DEBIAN13
    step "no Incus 7 and no LXD of Debian 13: $LXDAPI_WITHOUT_DEBIAN13"
    return 1
}

requirements() {
    printf '%s\n' "salt==$1" requests 'requests-unixsocket>=0.4' tqdm websocket-client pytest pytest-salt-factories \
        hypothesis cryptography pytest-timeout ruff 'sphinx>=7.4' 'setuptools>=70.1' build twine \
        mypy types-requests types-PyYAML furo codespell towncrier check-jsonschema
}

# Make the folder $2 a virtual environment with salt $1. The file with the requirements is written last, so that an
# interrupted environment is built again.
make_venv() {
    local version=$1 folder=$2
    [ ! -e "$folder/requirements" ] || return 0
    # Salt needs timelib, which exists only as source.
    apt_need gcc gcc libc6-dev
    apt_need /usr/include/python3.11/Python.h python3-dev
    step "creating the Python environment with Salt $version (about 30 s)"
    rm -rf "$folder"
    /usr/bin/python3 -m venv "$folder"
    requirements "$version" >"$folder/wanted"
    quietly "$folder/bin/python" -m pip install --root-user-action ignore -r "$folder/wanted"
    mv "$folder/wanted" "$folder/requirements"
}

# venv VERSION: print the path of a virtual environment with that version of Salt and the test tools.
# The lock keeps two runs from building it at the same time. Each set of requirements has an environment of its own, so
# that two checkouts do not rebuild one under each other.
venv() {
    local folder
    folder="$CACHE/salt-$1-$(requirements "$1" | cksum | cut -d ' ' -f 1)"
    apt_need /usr/lib/python3.11/ensurepip/__main__.py python3-venv
    mkdir -p "$CACHE"
    (flock 9 && make_venv "$1" "$folder") 9>"$folder.lock" || exit 1
    printf '%s\n' "$folder"
}

# install_pylxd VENV: install pylxd, which the lxd modules of Salt 3007 need, into a folder of its own.
# The virtual environment VENV has Salt 3007 and what pylxd needs besides.
install_pylxd() {
    local folder="$CACHE/pylxd"
    [ ! -e "$folder" ] || return 0
    step "installing pylxd"
    rm -rf "$folder.new"
    quietly "$1/bin/python" -m pip install --root-user-action ignore --no-deps --target "$folder.new" \
        pylxd==2.4.2 ws4py==0.6.0 requests-toolbelt==1.0.0
    # Another run can have been faster.
    mv -T "$folder.new" "$folder" || [ -e "$folder" ]
}

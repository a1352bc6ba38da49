# Bash functions that put on this machine what the tests, the demo and the benchmarks need.
# Sourced by them, with `set -euo pipefail` in effect. Works on a bare Debian 12: bash, python3 and apt.

# sshd, ip and the like are not on every root's PATH (`su` keeps the user's).
export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
export DEBIAN_FRONTEND=noninteractive

BACKPORTS=/etc/apt/sources.list.d/lxdapi-backports.sources
POLICY=/usr/sbin/policy-rc.d
CACHE="${XDG_CACHE_HOME:-$HOME/.cache}/lxdapi"
APT_UPDATED=

# Says on stderr what begins now; stdout stays free for results.
step() {
    printf '==> %s\n' "$*" >&2
}

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

need_root() {
    [ "$(id -u)" = 0 ] || die "needs root: containers, network namespaces and packages are root's business"
}

# Is this command (a bare word) or file (with a slash) here?
have() {
    case $1 in
        */*) [ -e "$1" ] ;;
        *) command -v "$1" >/dev/null ;;
    esac
}

# Runs a command that is heard only when it fails.
quietly() {
    local output
    output=$("$@" 2>&1) || {
        printf '%s\n' "$output" >&2
        die "$1 failed"
    }
}

apt_update() {
    [ -z "$APT_UPDATED" ] || return 0
    step "package lists"
    quietly apt-get update
    APT_UPDATED=yes
}

# A package's own service (lxd, incus, sshd) is not started: the tests start daemons of their own, elsewhere.
# The body is a subshell, so that the trap is its own.
apt_install() (
    if ! have "$POLICY"; then
        trap 'rm -f "$POLICY"' EXIT
        printf '#!/bin/sh\nexit 101\n' >"$POLICY"
        chmod 755 "$POLICY"
    fi
    quietly apt-get install -y --no-install-recommends -o Dpkg::Use-Pty=0 "$@"
)

# apt_need COMMAND_OR_FILE PACKAGE...: after this the command or file is there.
apt_need() {
    local wanted=$1
    shift
    have "$wanted" && return 0
    apt_update
    step "apt-get install $*"
    apt_install "$@"
    have "$wanted" || die "$wanted is missing although $* is installed"
}

# The first URI that apt knows for this codename's main component. apt knows none before its first update.
debian_mirror() {
    apt-get indextargets --format '$(REPO_URI)' "Codename: $1" 'Component: main' 'Created-By: Packages' | head -n 1
}

# Incus for Debian 12 is in its backports, which come from the mirror that the machine uses anyway.
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

# What the daemons call: dnsmasq and nft for bridges, mksquashfs for split images, busybox for the test image.
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

# What the daemons look for before they manage virtual machines, and what compiles tests/support/vmshim.c.
install_vm_tools() {
    apt_need qemu-system-x86_64 qemu-system-x86
    apt_need qemu-img qemu-utils
    apt_need /usr/share/OVMF/OVMF_CODE.fd ovmf
    apt_need genisoimage genisoimage
    apt_need sgdisk gdisk
    apt_need gcc gcc libc6-dev
}

install_daemons() {
    install_lxd
    install_incus
}

# Debian 12 has no package of Incus 7, so it runs in a root file system of its own: scripts/enter-root.
# Its maker leaves a copy of itself in it as the last thing, so that an outdated one is made anew.
make_incus7() {
    local maker=scripts/make-incus7-root
    ! cmp -s "$maker" "$1/made-by" || return 0
    apt_need debootstrap debootstrap
    # What it mounts must not outlive it.
    unshare --mount --propagation private "$maker" "$1" || exit 1
}

# After this Incus 7 can run, or the status is 1, a word says why, and LXDAPI_WITHOUT_INCUS7 has it for pytest.
install_incus7() {
    local root="$CACHE/incus7-root"
    install_helpers
    mkdir -p "$CACHE"
    if ! (flock 9 && make_incus7 "$root") 9>"$root.lock"; then
        LXDAPI_WITHOUT_INCUS7="its root file system could not be made, for which the Debian mirror is needed"
    elif ! scripts/isolated /usr/bin/python3 -m tests.support.daemons probe --daemon incus7; then
        LXDAPI_WITHOUT_INCUS7="it does not start on this machine"
    else
        return 0
    fi
    export LXDAPI_WITHOUT_INCUS7
    step "no Incus 7: $LXDAPI_WITHOUT_INCUS7"
    return 1
}

requirements() {
    printf '%s\n' "salt==$1" requests 'requests-unixsocket>=0.4' tqdm websocket-client pytest pytest-salt-factories \
        hypothesis cryptography pytest-timeout ruff 'sphinx>=7.4' 'setuptools>=70.1' build twine \
        mypy types-requests types-PyYAML
}

# Makes the folder $2 a virtual environment with salt $1. The stamp is written last and holds what was asked for,
# so that an interrupted or outdated environment is made anew.
make_venv() {
    local version=$1 folder=$2
    [ "$(cat "$folder/requirements" 2>/dev/null)" != "$(requirements "$version")" ] || return 0
    # Salt needs timelib, which there is as source only.
    apt_need gcc gcc libc6-dev
    apt_need /usr/include/python3.11/Python.h python3-dev
    step "Python environment with Salt $version (about 30 s)"
    rm -rf "$folder"
    /usr/bin/python3 -m venv "$folder"
    requirements "$version" >"$folder/wanted"
    quietly "$folder/bin/python" -m pip install --root-user-action ignore -r "$folder/wanted"
    mv "$folder/wanted" "$folder/requirements"
}

# venv VERSION: prints the path of a virtual environment with that version of Salt and the test tools.
# The lock keeps two runs at once from making it under each other's feet.
venv() {
    local folder="$CACHE/salt-$1"
    apt_need /usr/lib/python3.11/ensurepip/__main__.py python3-venv
    mkdir -p "$CACHE"
    (flock 9 && make_venv "$1" "$folder") 9>"$folder.lock" || exit 1
    printf '%s\n' "$folder"
}

# Bash functions for scripts that run commands in a bare Debian; they are sourced after common.sh.

# The folder of the roots, and the process that runs in one.
work= running=

# The processes in the namespaces end with the first of them.
finish() {
    [ -z "$running" ] || kill -KILL "$running" 2>/dev/null || true
    wait
    [ -z "$work" ] || rm -rf --one-file-system "$work"
}

make_work() {
    need_root
    apt_need debootstrap debootstrap
    trap finish EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    work=$(mktemp -d /var/tmp/lxbare.XXXXXX)
}

# make_base CODENAME: make $work/base a Debian with only bash, python3 and apt, and this repository in /srv/lxdapi.
make_base() {
    local mirror each
    mirror=$(debian_mirror bookworm)
    [ -n "$mirror" ] || { apt_update; mirror=$(debian_mirror bookworm); }
    step "a bare Debian ($1) in $work"
    quietly debootstrap --variant=minbase --include=ca-certificates,python3 "$1" "$work/base" "${mirror%/}"
    # The access of this machine to the mirror and PyPI: proxies, certificates and the like.
    apt-config dump | grep '^Acquire::' >"$work/base/etc/apt/apt.conf.d/99machine"
    for each in /etc/hosts /etc/pip.conf /etc/resolv.conf /etc/ssl/certs/ca-certificates.crt; do
        [ ! -e "$each" ] || cp -L "$each" "$work/base$each"
    done
    cp -a . "$work/base/srv/lxdapi"
}

# in_root ROOT COMMAND...: run a command with its own processes and mounts, and with the machine's network.
in_root() {
    local began=$SECONDS
    step "in a bare root: ${*:2}"
    # OUTSIDE is a command that runs it, such as scripts/isolated.
    ${OUTSIDE:-} unshare --mount --propagation private --pid --fork --kill-child sh -euc '
        mount --bind "$1" "$1"
        cd "$1"
        shift
        mount -t proc proc proc
        mount --rbind /sys sys
        mount --rbind /dev dev
        mount -t tmpfs tmpfs run
        pivot_root . .
        umount -l .
        cd /srv/lxdapi
        exec env -u XDG_CACHE_HOME HOME=/root "$@"
    ' in-root "$@" &
    running=$!
    wait "$running" || die "${*:2} failed in a bare root"
    running=
    step "in a bare root: ${*:2}: $((SECONDS - began)) s"
}

"""
Additional files of a busybox image that stands in for Debian: tests reach no server with packages. The container asks
for its address by DHCP, and its ``apt-get`` installs a web server.
"""

from tests.support.images import FILES, INIT

_LEASE = """#!/bin/sh
[ "$1" = bound ] || exit 0
ip address add "$ip/$mask" dev "$interface"
ip route add default via "$router" dev "$interface"
"""
_APT_GET = """#!/bin/sh
[ "$*" = "install -y nginx" ] || exit 0
mkdir -p /usr/sbin /var/www/html
printf '#!/bin/sh\\n' >/usr/sbin/nginx
chmod 755 /usr/sbin/nginx
httpd -h /var/www/html
"""
_DHCP = "[ ! -e /sys/class/net/eth0 ] || (ip link set eth0 up; udhcpc -i eth0 -b -s /etc/udhcpc.script) &\n"
PROGRAMS = {
    "sbin/init": INIT.format(on_sigpwr="exit 0").replace("\n", f"\n{_DHCP}", 1),
    "usr/bin/apt-get": _APT_GET,
    "etc/debian_version": "12\n",
    "etc/passwd": FILES["etc/passwd"] + "www-data:x:33:33:www-data:/var/www:/bin/false\n",
    "etc/udhcpc.script": _LEASE,
    "srv/index.html": "",
}

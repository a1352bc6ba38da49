"""
Reads the index of a simplestreams image server: its images by alias, with their fingerprints.

``streams/v1/index.json`` names files of products, each product has versions, each version files. lxdapi chooses as LXD
and Incus do (products.go and sort.go of both): the newest version, and for a container squashfs before root.tar.xz. The
server is not trusted: lxdapi ignores invalid entries, and limits the size and the time of each reply.
"""

import json
import re
from urllib.parse import quote, urlsplit

from lxdapi import masking, validation
from lxdapi.errors import APIException, APIProtocolException, InvalidError
from lxdapi.http import pem, transport
from lxdapi.http.session import create_session
from lxdapi.images import servers

SECONDS = 30
# The largest known files (cloud-images.ubuntu.com) have 5 MB.
_LONGEST = 64 * 1024 * 1024
CONTAINER, MACHINE = "container", "virtual-machine"
# {type of the root file: (type of the image, key of its fingerprint beside the metadata)}, the preferred ones first
_ROOTS = {
    "squashfs": (CONTAINER, ("combined_squashfs_sha256",)),
    "root.tar.xz": (CONTAINER, ("combined_rootxz_sha256", "combined_sha256")),
    "disk-kvm.img": (MACHINE, ("combined_disk-kvm-img_sha256",)),
    "uefi1.img": (MACHINE, ("combined_uefi1-img_sha256",)),
    "disk1.img": (MACHINE, ("combined_disk1-img_sha256",)),
}
# LXD reads only the first of each pair, Incus only the second.
_METADATA, _WHOLE = ("lxd.tar.xz", "incus.tar.xz"), ("lxd_combined.tar.gz", "incus_combined.tar.gz")
# The valid characters of a URL: urlsplit drops some of the others, and requests rejects the rest.
_PRINTED = r"[^\s\\\x00-\x20\x7f\ud800-\udfff]+"
# {name of an architecture in Debian and simplestreams: name in the daemons}
ARCHITECTURES = {
    "amd64": "x86_64",
    "arm64": "aarch64",
    "armhf": "armv7l",
    "i386": "i686",
    "ppc64el": "ppc64le",
}


class Server:
    """
    An image server whose index is read once.

    url
        ``https://HOST[:PORT][/PATH]``.
    certificate
        The server's certificate, the only one that is trusted: PEM text or the path of a file. Default: the system's
        certificate authorities.
    seconds
        The time limit for each reply. Default: 30.
    """

    def __init__(self, url, certificate=None, seconds=SECONDS):
        self.url = parse_url(url)
        pin = pem.read(certificate)[0] if certificate else None
        self._session, self._seconds = create_session(self.url, fingerprint=pin), seconds
        self._images = None

    def images(self):
        """
        Return the offered images, newest first: mappings of ``aliases``, ``architecture``, ``fingerprint``,
        ``product``, ``size``, ``type``, ``version`` and ``ftype``, the type of the root file.
        """
        if self._images is None:
            index = self._json("streams/v1/index.json")
            images = [each for path in _paths(index) for each in _images_of_products(self._json(path))]
            order = list(_ROOTS).index
            images.sort(key=lambda each: order(each["ftype"]) if each["ftype"] in _ROOTS else len(_ROOTS))
            images.sort(key=lambda each: each["version"], reverse=True)
            self._images = images
        return self._images

    def find(self, alias, architecture=None, image_type=None):
        """
        Return the newest image of an alias, or the image of a fingerprint; see :meth:`images`.

        alias
            An alias such as ``debian/12``, or ``debian/12/arm64`` for another architecture.
        architecture
            The daemon's name for it, ``x86_64``. Default: any.
        image_type
            ``container`` or ``virtual-machine``. Default: a container if possible.

        Raises :class:`InvalidError` if the server lacks it.
        """
        if not isinstance(alias, str) or not alias:
            raise InvalidError.of_value("alias", "text", alias)
        images = [each for each in self.images() if _is_named(each, alias, architecture)]
        images = [each for each in images if image_type in (None, each["type"])]
        images.sort(key=lambda each: each["type"] != CONTAINER)
        if not images:
            what = " ".join(filter(None, [image_type or "image", alias, architecture and f"for {architecture}"]))
            raise InvalidError(f"{self.url} does not offer {what}; {servers.EXPECTED}")
        return images[0]

    def newest(self, alias=None, architecture=None):
        """Return the newest image of each product and type, only of this alias and architecture if given."""
        newest = {}
        for each in self.images():
            fits = (
                architecture in (None, each["architecture"]) if alias is None else _is_named(each, alias, architecture)
            )
            if fits:
                newest.setdefault((each["product"], each["type"]), each)
        return [newest[key] for key in sorted(newest)]

    def _json(self, path):
        """Return the JSON object in a file; raises one of :mod:`lxdapi.errors` for anything else."""
        url = f"{self.url}/{quote(path)}"
        reply = transport.fetch(self._session, url, self._seconds, _LONGEST)
        if reply.status != 200:
            raise APIException(error=f"HTTP {reply.status}", method="GET", url=url)
        try:
            parsed = json.loads(reply.body)
        except (ValueError, RecursionError) as exc:
            raise _error(f"expected an index of images: {str(exc)[:200]}", url) from exc
        if not isinstance(parsed, dict):
            raise _error("expected an index of images", url)
        return parsed


def parse_url(url):
    """Return the URL of an image server without a trailing slash; raises :class:`InvalidError` for an invalid one."""
    try:
        parts = urlsplit(url if isinstance(url, str) and re.fullmatch(_PRINTED, url) else "")
        is_valid = parts.scheme == "https" and parts.hostname and parts.port != 0
    except ValueError:  # brackets, a port
        is_valid = False
    if not is_valid or "@" in parts.netloc or parts.query or parts.fragment:
        raise InvalidError.of_value(
            "server", "the https:// URL of an image server", masking.mask_login(url) if isinstance(url, str) else url
        )
    return url.rstrip("/")


def _error(message, url):
    return APIProtocolException(error=message, method="GET", url=url)


def _mapping(value):
    return value if isinstance(value, dict) else {}


def _text(value):
    return value if isinstance(value, str) else ""


def _paths(index):
    """Return the safe paths of the product files that an index names."""
    entries = [_mapping(entry) for entry in _mapping(index.get("index")).values()]
    paths = [_text(each.get("path")) for each in entries if each.get("datatype") == "image-downloads"]
    return [path for path in dict.fromkeys(paths) if re.fullmatch(r"(?!.*\.\.)\w[\w./-]*", path)]


def _images_of_products(products):
    """Return the images in a file of products."""
    return [
        {**image, "product": name, "version": version}
        for name, product in _mapping(products.get("products")).items()
        for version, content in _mapping(_mapping(product).get("versions")).items()
        # the daemons ignore a version that does not begin with a date
        if re.match(r"\d{8}", version)
        for image in _images_of_version(_mapping(product), _mapping(_mapping(content).get("items")))
    ]


def _images_of_version(product, items):
    """Yield the images of one version, one for each root file with a fingerprint."""
    aliases = [each for each in _text(product.get("aliases")).split(",") if each]
    arch = _text(product.get("arch"))
    common = {"aliases": aliases, "architecture": ARCHITECTURES.get(arch, arch)}
    files = {_text(_mapping(item).get("ftype")): _mapping(item) for item in items.values()}
    for file_name in _WHOLE:
        if validation.is_fingerprint(files.get(file_name, {}).get("sha256")):
            image = {"fingerprint": files[file_name]["sha256"], "ftype": "tar.gz", "type": CONTAINER}
            yield {**common, **image, "size": _size(files[file_name])}
    for metadata in (files[each] for each in _METADATA if each in files):
        for root, (kind, keys) in _ROOTS.items():
            digest = next((metadata[key] for key in keys if validation.is_fingerprint(metadata.get(key))), None)
            if root in files and digest:
                size = _size(metadata) + _size(files[root])
                yield {**common, "fingerprint": digest, "ftype": root, "type": kind, "size": size}


def _size(item):
    size = item.get("size")
    return size if isinstance(size, int) and not isinstance(size, bool) else 0


def _is_named(image, alias, architecture):
    """Return True if the image has this alias, perhaps followed by its architecture, or this fingerprint."""
    if image["fingerprint"] == alias.lower():
        return True
    suffixes = {image["architecture"]}
    suffixes |= {alias for alias, name in ARCHITECTURES.items() if name == image["architecture"]}
    if any(f"{name}/{suffix}" == alias for name in image["aliases"] for suffix in suffixes):
        return True
    return alias in image["aliases"] and architecture in (None, image["architecture"])

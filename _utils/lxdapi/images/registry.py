"""
Reads the manifest of an image in an OCI registry, to find the fingerprint that the daemon gives the image.

Incus hashes the digests of the layers (computeFingerprint in client/oci_images.go), so images that differ only in their
configuration have the same fingerprint. The registry is not trusted: lxdapi limits the size and the time of each reply.
"""

import hashlib
import json
import re
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

from lxdapi.errors import APIException, APIProtocolException, InvalidError
from lxdapi.http import pem, transport
from lxdapi.http.session import create_session
from lxdapi.images import servers, simplestreams

# Registries refuse manifests of more than 4 MiB.
_LONGEST = 4 * 1024 * 1024
_ACCEPT = ", ".join(
    f"application/vnd.{each}+json"
    for each in ("oci.image.index.v1", "oci.image.manifest.v1")
    + ("docker.distribution.manifest.list.v2", "docker.distribution.manifest.v2")
)
_DIGEST = "sha256:[0-9a-f]{64}"
_PART = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_ALIAS = f"({_PART}(?:/{_PART})*)(?::([A-Za-z0-9_][A-Za-z0-9_.-]*))?(?:@({_DIGEST}))?"
# The registry of Docker has another host than its images.
_DOCKER, _DOCKER_HOST = "docker.io", "registry-1.docker.io"
# {name of an architecture in the daemons: name in a manifest}, for those that differ
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "armv8l": "arm", "i686": "386"}


class Found(NamedTuple):
    """An image: the fingerprint that the daemon gives it, and an alias that always means this image."""

    fingerprint: str
    alias: str


def find(server, alias, architecture, certificate=None):
    """
    Return the :class:`Found` image of an alias; it is read from the registry.

    server
        ``https://HOST[:PORT][/PATH]``.
    alias
        ``REPOSITORY[:TAG]`` or ``REPOSITORY@sha256:DIGEST``.
    architecture
        The daemon's name for it, ``x86_64``.
    certificate
        The registry's certificate, the only one that is trusted: PEM text or the path of a file. Default: the system's
        certificate authorities.

    Raises :class:`InvalidError` if the registry does not offer the image, one of :mod:`lxdapi.errors` if it does not
    answer.
    """
    repository, reference = parse_alias(alias)
    registry = _Registry(server, repository, alias, certificate)
    body, manifest = registry.manifest(reference)
    if "manifests" in manifest:
        _, manifest = registry.manifest(_choose(manifest["manifests"], architecture, registry.missing))
    layers = [_digest(each, registry.url(reference)) for each in _list(manifest.get("layers"))]
    fingerprint = hashlib.sha256("".join(layers).encode("ascii")).hexdigest()
    return Found(fingerprint, f"{repository}@sha256:{hashlib.sha256(body).hexdigest()}")


def parse_alias(alias):
    """Return (repository, tag or digest) of an alias; raises :class:`InvalidError` for an invalid one."""
    match = re.fullmatch(_ALIAS, alias) if isinstance(alias, str) else None
    if match is None:
        raise InvalidError(f"invalid name of an OCI image: {alias!r}; {servers.EXPECTED_OCI}")
    return match[1], match[3] or match[2] or "latest"


class _Registry:
    """The manifests of one repository."""

    def __init__(self, server, repository, alias, certificate):
        parts = urlsplit(simplestreams.parse_url(server))
        if parts.hostname == _DOCKER:
            parts = parts._replace(netloc=_DOCKER_HOST)
            repository = repository if "/" in repository else f"library/{repository}"
        path = f"{parts.path.strip('/')}/{repository}".lstrip("/")
        self._url = f"https://{parts.netloc}/v2/{path}/manifests"
        self._scope = f"repository:{path}:pull"
        self.missing = f"{server} does not offer image {alias}"
        self._pin = pem.read(certificate)[0] if certificate else None
        self._headers = {"Accept": _ACCEPT}

    def url(self, reference):
        """Return the URL of a manifest."""
        return f"{self._url}/{reference}"

    def _needs_account(self, status):
        return (
            f"{self.missing} without an account (HTTP {status}), and lxdapi uses no account: choose another image, or "
            "omit image_changed"
        )

    def manifest(self, reference):
        """Return (bytes, content) of a manifest."""
        url = self.url(reference)
        reply = self._get(url, self._headers)
        if reply.status == 401 and "Authorization" not in self._headers:
            self._headers["Authorization"] = f"Bearer {self._token(reply.headers.get('WWW-Authenticate', ''), url)}"
            reply = self._get(url, self._headers)
        if reply.status in (401, 403):
            raise InvalidError(self._needs_account(reply.status))
        if reply.status == 404:
            raise InvalidError(f"{self.missing}; {servers.EXPECTED_OCI}")
        return reply.body, _parse(reply, url)

    def _token(self, challenge, url):
        """Return the token for anonymous reads that a registry asks for."""
        wanted = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
        if not challenge.lower().startswith("bearer ") or not wanted.get("realm", "").startswith("https://"):
            raise InvalidError(self._needs_account(401))
        query = {"scope": self._scope, **({"service": wanted["service"]} if "service" in wanted else {})}
        reply = self._get(f"{wanted['realm']}?{urlencode(query)}", {})
        content = _parse(reply, wanted["realm"])
        token = content.get("token") or content.get("access_token")
        if not isinstance(token, str) or not re.fullmatch(r"[\x21-\x7e]+", token):
            raise _error("expected a token in the reply", wanted["realm"])
        return token

    def _get(self, url, headers):
        is_own = urlsplit(url).netloc == urlsplit(self._url).netloc
        session = create_session(url, fingerprint=self._pin if is_own else None)
        return transport.fetch(session, url, simplestreams.SECONDS, _LONGEST, headers)


def _parse(reply, url):
    """Return the JSON object in a reply; raises one of :mod:`lxdapi.errors` for anything else."""
    if reply.status != 200:
        raise APIException(error=f"HTTP {reply.status}", method="GET", url=url)
    try:
        content = json.loads(reply.body)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise _error("expected a JSON object", url)
    return content


def _choose(manifests, architecture, missing):
    """Return the digest of the manifest for Linux on this architecture; without a variant, otherwise the newest one."""
    name = _ARCHITECTURES.get(architecture, architecture)
    fitting = []
    for each in _list(manifests):
        platform = each.get("platform") if isinstance(each.get("platform"), dict) else {}
        if (platform.get("os"), platform.get("architecture")) == ("linux", name):
            variant = str(platform.get("variant") or "")
            fitting.append((not variant, variant, each))
    if not fitting:
        raise InvalidError(f"{missing} for {architecture}")
    return _digest(max(fitting, key=lambda each: each[:2])[2], "an index of manifests")


def _list(value):
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _digest(descriptor, url):
    digest = descriptor.get("digest")
    if not isinstance(digest, str) or not re.fullmatch(_DIGEST, digest):
        raise _error("expected the digest of a layer or of a manifest", url)
    return digest


def _error(message, url):
    return APIProtocolException(error=message, method="GET", url=url)

"""
Trust between a client and a server over HTTPS: tokens, and the steps that make a remote usable.
"""

import datetime
import re
from functools import partial
from typing import NamedTuple, Optional

from lxdapi import validation
from lxdapi.api import API
from lxdapi.errors import APIException, APINotTrustedException, InvalidError, LxdapiError
from lxdapi.http import endpoints, pem, tls
from lxdapi.plan.steps import Plan, Step
from lxdapi.trust import certificates, keypair, token_codec

# Go's zero time: the token does not expire.
_NO_END = "0001-01-01T00:00:00Z"
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d)")
# A server with the first extension and without the second accepts a token as a password: LXD before 5.21.
_OLD, _FIELD_FOR_TOKENS = "macaroon_authentication", "explicit_trust_token"


class Token(NamedTuple):
    """A token of a server; ``end``: when it expires, None for never."""

    text: str
    secret: str
    fingerprint: str
    addresses: tuple
    end: Optional[datetime.datetime]


def decode(text):
    """
    Return the :class:`Token` of its text.

    Raises :class:`InvalidError`, which does not quote the text, for anything else.
    """
    joined, data = token_codec.decode(text)
    try:
        addresses = tuple(data.get("addresses") or ())
        token = Token(joined, data["secret"], data["fingerprint"].lower(), addresses, _end(data))
        whole = isinstance(token.secret, str) and token.secret and validation.is_fingerprint(token.fingerprint)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
        whole = False
    if not whole or not all(isinstance(each, str) for each in token.addresses):
        raise InvalidError("invalid token: paste the complete token that the server printed")
    return token


def _end(data):
    text = data.get("expires_at") or _NO_END
    if text.startswith(_NO_END[:4]):
        return None
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(text)
    end = datetime.datetime.strptime("".join(match.groups()), "%Y-%m-%dT%H:%M:%S%z")
    return end.astimezone(datetime.timezone.utc)


def encode(client, operation):
    """Return the text of a token; ``operation``: the server's reply to the request for a token."""
    facts = operation["metadata"]
    data = {
        "client_name": client,
        "fingerprint": facts["fingerprint"],
        "addresses": facts["addresses"],
        "secret": facts["secret"],
        "expires_at": facts.get("expiresAt") or _NO_END,
    }
    return token_codec.encode(data)


def address_of(token):
    """
    Return the URL of the first address in a token at which its server answers.

    Raises :class:`InvalidError` with the reason for each address if there is no such address.
    """
    token, tried = decode(token), []
    for address in token.addresses:
        try:
            url = endpoints.base_url(f"https://{address}")
            if pem.read(tls.read_certificate(url))[0] == token.fingerprint:
                return url
            tried.append(f"{url}: another server")
        except LxdapiError as exc:
            tried.append(f"{address}: {exc.explain()}")
    raise InvalidError(
        f"token: its server does not answer at any address in it; is it up, and reachable from here? Tried: "
        f"{'; '.join(tried) or 'none, because the token has no address'}"
    )


class Client:
    """
    The client of a remote: its key pair, the pinned server, and the server's trust.

    remote, settings
        The name, and the result of :func:`lxdapi.minion.remotes.settings_of`.
    token, password
        A token or the password of the server, or empty text.
    name
        The name of the client, in a new certificate and in the server's list.
    """

    def __init__(self, remote, settings, token=None, password=None, name="salt"):
        self.settings = settings
        self.token = decode(token) if token else None
        self.password = _require_text("password", password)
        self.name = validation.check("any", "client", name)
        self.cert, self.key = settings.get("cert"), settings.get("key")
        if not str(settings.get("endpoint") or "").startswith("https://"):
            raise InvalidError(f"remote {remote!r} has no https:// endpoint; trust applies to https remotes only")
        if not isinstance(self.cert, str) or not isinstance(self.key, (str, type(None))):
            raise InvalidError(
                f"remote {remote!r} has no paths of cert and key: declare them, the files may not exist yet"
            )
        if password and not settings.get("fingerprint") and settings.get("verify", True) is False:
            raise InvalidError(
                "password: lxdapi does not send it to an unverified server; pin the server (fingerprint)"
            )
        self.has_keypair = keypair.exists(self.cert, self.key)
        self.pin, self.unpinned = self._read_pin()

    def _read_pin(self):
        """Return (the server's fingerprint, whether its file is missing); raises if the token has another one."""
        declared, token = self.settings.get("fingerprint"), self.token
        if not declared:
            return None, False
        if pem.is_path(declared) and not pem.exists(declared):
            if token is None:
                raise InvalidError(
                    f"fingerprint: {declared} does not exist, and there is no token with the server's fingerprint: "
                    "declare a token, or save the server's certificate there"
                )
            return token.fingerprint, True
        pin = tls.parse_pin(declared)
        if token and token.fingerprint != pin:
            raise InvalidError(
                f"token: expected one of the server with the certificate {pin}, got one of {token.fingerprint}: create "
                "it on that server, or correct fingerprint"
            )
        return pin, False

    def api(self, pin=None, known=True):
        """Return an API without checking the server's trust; known: False for an API without the client certificate."""
        kept = {key: value for key, value in self.settings.items() if known or key not in ("cert", "key")}
        pin = pin or self.pin
        return API.factory(**{**kept, **({"fingerprint": pin} if pin else {})})

    def plan_present(self) -> list[Step]:
        """Return the steps that create the key pair, pin the server, and make it trust the client."""
        trusted = is_trusted(self.api(known=self.has_keypair))
        steps = [] if self.has_keypair else [self._plan_keypair()]
        steps += [self._plan_pin()] if self.unpinned else []
        if trusted:
            return steps
        self._require_valid_proof()
        return [*steps, Step("trusted", _change("trusted", False, True), self._trust, missing=self._missing_proof)]

    def plan_absent(self) -> Plan:
        """Return the step that removes the client certificate from the server's trust store; the files stay."""
        if not self.has_keypair or not is_trusted(self.api()):
            return Plan(summary="not trusted")
        path = validation.path("certificates/{name}", name=pem.read(self.cert)[0])
        return Plan.of([Step("distrusted", _change("trusted", True, False), lambda: self.api().delete(path) and None)])

    def _plan_keypair(self) -> Step:
        changes = {**_change("key", None, self.key), **_change("cert", None, self.cert)}
        return Step("given a key pair", changes, partial(keypair.create, self.cert, self.key, self.name))

    def _plan_pin(self) -> Step:
        return Step("pinned to its server", _change("fingerprint", None, self.pin), self._save_server_certificate)

    def _save_server_certificate(self):
        """Read the server's certificate and save it if it has the fingerprint in the token."""
        text = tls.read_certificate(endpoints.base_url(self.settings["endpoint"]))
        fingerprint = pem.read(text)[0]
        if fingerprint != self.pin:
            raise InvalidError(
                f"the server shows the certificate {fingerprint}, but the token names {self.pin}: is endpoint the "
                "right server?"
            )
        keypair.save(self.settings["fingerprint"], text)

    def _require_valid_proof(self):
        """Raise if the client certificate or the token has expired."""
        expiry = pem.expiry_reason(self.cert) if self.has_keypair else ""
        if expiry:
            raise InvalidError(
                f"the client certificate {pem.read(self.cert)[0]} {expiry}; remove it and its key to create new ones"
            )
        if self.token and self.token.end and self.token.end < datetime.datetime.now(datetime.timezone.utc):
            raise InvalidError(
                f"token: it expired on {self.token.end:%Y-%m-%d %H:%M} UTC; create a new one on the server"
            )

    def _missing_proof(self):
        return "" if self.token or self.password else "no token or password is declared"

    def _trust(self):
        """Send the client certificate with the token or password; return {} if the server already trusts it."""
        api = self.api(self.token and self.token.fingerprint)
        server = read_server(api)
        if server.get("auth") == "trusted":
            return {}
        if self._missing_proof():
            raise InvalidError(
                f"the server does not trust the client certificate {pem.read(self.cert)[0]}: declare a token"
            )
        api.secret_values |= {self.token.secret} if self.token else set()
        body = {"type": "client", "name": self.name, **self._proof(server.get("api_extensions") or ())}
        try:
            api.post("certificates", json=body)
        except APIException:
            if not is_trusted(api):
                raise
        return None

    def _proof(self, extensions):
        """Return the field of the request that holds the token or the password."""
        old = _OLD in extensions and _FIELD_FOR_TOKENS not in extensions
        if self.token:
            return {"password" if old else "trust_token": self.token.text}
        if _OLD not in extensions:  # Incus 7.0.2 shows strangers no extensions at all
            raise InvalidError("password: the server accepts only tokens; declare token instead")
        return {"password": self.password}


def _require_text(label, value):
    if value and not isinstance(value, str):
        raise InvalidError.of_value(label, "text", value, secret=True)
    return value


def _change(key, old, new):
    return {key: {"old": old, "new": new}}


def read_server(api):
    """Return the server's metadata, as far as it shows it to this client."""
    try:
        return api.server
    except APINotTrustedException as exc:
        return exc.result.metadata


def is_trusted(api):
    """Return True if the server trusts the certificate of this API."""
    return read_server(api).get("auth") == "trusted"


def make_token(api, client, restricted=None, projects=None):
    """
    Return the text of a new token, with which one client becomes trusted.

    client
        The name that the client's certificate gets.
    restricted, projects
        As for a certificate.
    """
    validation.check("any", "client", client)
    certificates.require_restriction(projects, restricted)
    if not api.has("certificate_token"):
        raise InvalidError("the server cannot create tokens: it lacks the API extension certificate_token")
    api.forget()  # it may have begun to listen
    if not api.server["environment"].get("addresses"):
        raise InvalidError(
            "the server does not listen on an address, so nobody could use a token: set core.https_address"
        )
    limits = {"restricted": restricted, "projects": projects}
    body = {"type": "client", "name": client, "token": True, **{k: v for k, v in limits.items() if v is not None}}
    return encode(client, api.post("certificates", json=body).metadata)


def list_tokens(api):
    """Return {path of its operation: token} of the usable tokens, without their secrets."""
    operations = api.get("operations", params={"recursion": 1}).metadata or {}
    running = {each["id"]: each for each in operations.get("running") or () if each["class"] == "token"}
    # join tokens and tokens of images have no request
    return {
        f"operations/{key}": _public_facts(each["metadata"]) for key, each in running.items() if _request_token(each)
    }


def _request_token(operation):
    return (operation.get("metadata") or {}).get("request")


def _public_facts(facts):
    request = facts["request"]
    fields = {key: request.get(key) for key in ("name", "restricted", "projects")}
    return {**fields, "addresses": facts.get("addresses"), "expires_at": facts.get("expiresAt")}


def revoke(api, client):
    """Revoke every unused token of a client; returns the changes."""
    paths = [path for path, token in list_tokens(api).items() if token["name"] == client]
    for path in paths:
        api.delete(path)
    return {"deleted": client} if paths else {}

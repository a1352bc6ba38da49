"""
Trust between a client and a server over HTTPS: tokens, made and used up, and what a remote needs to be usable.
"""

import datetime
import re
from functools import partial
from typing import NamedTuple, Optional

from lxdapi import validation
from lxdapi.api import API
from lxdapi.errors import APIException, APINotTrustedException, InvalidError, LxdapiError
from lxdapi.http import endpoints, pem, tls
from lxdapi.plan import steps as plans
from lxdapi.plan.steps import Step
from lxdapi.trust import certificates, keypair, token_codec

# What Go's zero time is written as: a token that has no end.
_NO_END = "0001-01-01T00:00:00Z"
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d)")
# Who announces this and not the field for tokens takes a token as the password: LXD before 5.21.
_OLD, _FIELD_FOR_TOKENS = "macaroon_authentication", "explicit_trust_token"


class Token(NamedTuple):
    """A token as a server gave it out; ``end``: when it expires, None for never."""

    text: str
    secret: str
    fingerprint: str
    addresses: tuple
    end: Optional[datetime.datetime]


def decode(text):
    """
    Return the :class:`Token` of its text.

    Raises :class:`InvalidError`, which does not quote it, for what is none.
    """
    joined, data = token_codec.decode(text)
    try:
        addresses = tuple(data.get("addresses") or ())
        found = Token(joined, data["secret"], data["fingerprint"].lower(), addresses, _end(data))
        whole = isinstance(found.secret, str) and found.secret and validation.is_fingerprint(found.fingerprint)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
        whole = False
    if not whole or not all(isinstance(each, str) for each in found.addresses):
        raise InvalidError("token: this is none; what the server printed is needed, in full")
    return found


def _end(data):
    given = data.get("expires_at") or _NO_END
    if given.startswith(_NO_END[:4]):
        return None
    end = datetime.datetime.strptime("".join(_TIME.fullmatch(given).groups()), "%Y-%m-%dT%H:%M:%S%z")
    return end.astimezone(datetime.timezone.utc)


def encode(client, operation):
    """Return the text of a token; operation: what the server answered to its making."""
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

    Raises :class:`InvalidError` with what was found at each, if at none.
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
    raise InvalidError(f"token: its server is at none of its addresses: {'; '.join(tried) or 'there are none'}")


class Client:
    """
    A remote as its client is to be: with a key pair, knowing its server, and trusted by it.

    remote, settings
        The name, and what :func:`lxdapi.minion.connection.settings_of` returns.
    token, password
        What the server gave out, or text that is empty.
    name
        Of the client, in a new certificate and in the server's list.
    """

    def __init__(self, remote, settings, token=None, password=None, name="salt"):
        self.settings = settings
        self.token = decode(token) if token else None
        self.password = _text("password", password)
        self.name = validation.check("any", "client", name)
        self.cert, self.key = settings.get("cert"), settings.get("key")
        if not str(settings.get("endpoint") or "").startswith("https://"):
            raise InvalidError(
                f"remote {remote!r} has no endpoint https://...; over a unix socket nobody is asked who he is"
            )
        if not isinstance(self.cert, str) or not isinstance(self.key, (str, type(None))):
            raise InvalidError(f"remote {remote!r} has no cert and key: paths, at which they are or are to be")
        if password and not settings.get("fingerprint") and settings.get("verify", True) is False:
            raise InvalidError("password: not to a server that is not verified; pin it (fingerprint)")
        self.there = keypair.exists(self.cert, self.key)
        self.pin, self.unpinned = self._pin()

    def _pin(self):
        """Return (the server's fingerprint, whether its file is missing); what the token says has to agree."""
        declared, token = self.settings.get("fingerprint"), self.token
        if not declared:
            return None, False
        missing = pem.is_path(declared) and not pem.exists(declared)
        if missing and not token:
            raise InvalidError(
                f"fingerprint: {declared} is not there, and no token tells the server's; bring the server's certificate"
            )
        pin = token.fingerprint if missing else pem.parse_pin(declared)
        if token and token.fingerprint != pin:
            raise InvalidError(
                f"token: it is of the server with the certificate {token.fingerprint}, the remote's is {pin}"
            )
        return pin, missing

    def api(self, pin=None, known=True):
        """Return an API that a stranger may use as well; known: False for one without our certificate."""
        kept = {key: value for key, value in self.settings.items() if known or key not in ("cert", "key")}
        pin = pin or self.pin
        return API.factory(**{**kept, **({"fingerprint": pin} if pin else {})})

    def plan_present(self):
        """Return the steps to a key pair, a server that is known, and its trust."""
        trusted = is_trusted(self.api(known=self.there))
        steps = [] if self.there else [self._plan_keypair()]
        steps += [self._plan_pin()] if self.unpinned else []
        if trusted:
            return steps
        self._require_usable()
        return [*steps, Step("trusted", _change("trusted", False, True), self._trust, missing=self._missing)]

    def plan_absent(self):
        """Return the step after which the server does not trust our certificate; the files stay."""
        if not self.there or not is_trusted(self.api()):
            return plans.Plan(summary="not trusted")
        path = validation.path("certificates/{name}", name=pem.read(self.cert)[0])
        return [Step("distrusted", _change("trusted", True, False), lambda: self.api().delete(path) and None)]

    def _plan_keypair(self):
        changes = {**_change("key", None, self.key), **_change("cert", None, self.cert)}
        return Step("given a key pair", changes, partial(keypair.make, self.cert, self.key, self.name))

    def _plan_pin(self):
        return Step("told its server", _change("fingerprint", None, self.pin), self._save)

    def _save(self):
        """Write the server's certificate, which has just been shown, where it is the one the token tells."""
        text = tls.read_certificate(endpoints.base_url(self.settings["endpoint"]))
        found = pem.read(text)[0]
        if found != self.pin:
            raise InvalidError(f"the server shows another certificate: {found}, the token's is {self.pin}")
        keypair.save(self.settings["fingerprint"], text)

    def _require_usable(self):
        """Raise for what cannot make us trusted, whatever the server says."""
        when = pem.expiry_reason(self.cert) if self.there else ""
        if when:
            raise InvalidError(
                f"our certificate {pem.read(self.cert)[0]} {when}; remove {self.cert} and its key for new ones"
            )
        if self.token and self.token.end and self.token.end < datetime.datetime.now(datetime.timezone.utc):
            raise InvalidError(f"token: it expired on {self.token.end:%Y-%m-%d %H:%M} UTC; a new one is needed")

    def _missing(self):
        return "" if self.token or self.password else "neither token nor password is given"

    def _trust(self):
        """Show the server our certificate and what it gave out for it; returns {} if it trusts us meanwhile."""
        api = self.api(self.token and self.token.fingerprint)
        shown = read_server(api)
        if shown.get("auth") == "trusted":
            return {}
        if self._missing():
            raise InvalidError(f"the server does not trust our certificate {pem.read(self.cert)[0]}")
        api.secret_values |= {self.token.secret} if self.token else set()
        body = {"type": "client", "name": self.name, **self._proof(shown.get("api_extensions") or ())}
        try:
            api.post("certificates", json=body)
        except APIException:
            if not is_trusted(api):
                raise
        return None

    def _proof(self, extensions):
        """Return the field of the request that shows the server what it gave out."""
        old = _OLD in extensions and _FIELD_FOR_TOKENS not in extensions
        if self.token:
            return {"password" if old else "trust_token": self.token.text}
        if _OLD not in extensions:  # Incus 7.0.2 shows strangers no extensions at all
            raise InvalidError("password: the server takes none, but a token")
        return {"password": self.password}


def _text(what, given):
    if given and not isinstance(given, str):
        raise InvalidError(f"{what}: text is needed")
    return given


def _change(key, old, new):
    return {key: {"old": old, "new": new}}


def read_server(api):
    """Return what a server says of itself to whoever asks."""
    try:
        return api.server
    except APINotTrustedException as exc:
        return exc.result.metadata


def is_trusted(api):
    """Return True if the server trusts the certificate of this API."""
    return read_server(api).get("auth") == "trusted"


def make_token(api, client, restricted=None, projects=None):
    """
    Return the text of a new token, with which a client becomes trusted once.

    client
        The name that the client's certificate gets.
    restricted, projects
        As for a certificate.
    """
    validation.check("any", "client", client)
    certificates.require_restriction(projects, restricted)
    if not api.has("certificate_token"):
        raise InvalidError("the server makes no tokens: it lacks the API extension certificate_token")
    api.forget()  # it may listen since it was asked
    if not api.server["environment"].get("addresses"):
        raise InvalidError("the server listens on no address (core.https_address): nobody could use a token")
    limits = {"restricted": restricted, "projects": projects}
    body = {"type": "client", "name": client, "token": True, **{k: v for k, v in limits.items() if v is not None}}
    return encode(client, api.post("certificates", json=body).metadata)


def list_tokens(api):
    """Return {path of its operation: token} of those that can be used, without their secrets."""
    found = api.get("operations", params={"recursion": 1}).metadata or {}
    running = {each["id"]: each for each in found.get("running") or () if each["class"] == "token"}
    # those by which members join a cluster, and those of images, are without a request
    return {
        f"operations/{key}": _public_facts(each["metadata"]) for key, each in running.items() if _request_token(each)
    }


def _request_token(operation):
    return (operation.get("metadata") or {}).get("request")


def _public_facts(facts):
    asked = facts["request"]
    shown = {key: asked.get(key) for key in ("name", "restricted", "projects")}
    return {**shown, "addresses": facts.get("addresses"), "expires_at": facts.get("expiresAt")}


def revoke(api, client):
    """Take back every token of a client that was not used; returns what changed."""
    paths = [path for path, token in list_tokens(api).items() if token["name"] == client]
    for path in paths:
        api.delete(path)
    return {"deleted": client} if paths else {}

"""
Secrets that are easy to find, SLS files that contain them, and the places where a run of Salt can leave them.
"""

import datetime
import os
import threading
import uuid
from contextlib import contextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

RECORD, NAME = "\x1e", "\x1f"
# Each record begins with the name of its logger.
LOG_FORMAT = f"{RECORD}%(name)s{NAME}%(message)s"
# Keys whose names do not suggest a secret.
MARKED = ["user.db_*", "cloud-init.vendor-data", "nic0.user.note", "limits.processes"]


class Canaries:
    """Unique words by their purpose; only ``shown`` may be visible."""

    def __init__(self):
        self.words = {}

    def __getitem__(self, what):
        return self.words.setdefault(what, f"cAnaRy{uuid.uuid4().hex}")

    def found(self, text):
        """Return the purposes of the canaries in a text."""
        return sorted(what for what, word in self.words.items() if word in text)


def key_pair(canaries):
    """Return (certificate, key) as PEM text; one line of the key is a canary."""
    key = ec.generate_private_key(ec.SECP384R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "canary")])
    now, day = datetime.datetime.now(datetime.timezone.utc), datetime.timedelta(days=1)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(x509.random_serial_number()).not_valid_before(now - day).not_valid_after(now + day)
    pem = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    text = key.private_bytes(*pem).decode("ascii")
    canaries.words["private key"] = text.splitlines()[2]
    return made.sign(key, hashes.SHA384()).public_bytes(serialization.Encoding.PEM).decode("ascii"), text


def config(canaries, turn, key=""):
    """Return the config of a profile or instance with secrets of all kinds, different in each turn."""
    return {
        "user.shown": f"{turn} {canaries['shown']}",
        "user.db_login": canaries[f"marked {turn}{key}"],
        "user.api_token": canaries[f"token {turn}{key}"],
        "cloud-init.user-data": f"#cloud-config\nhostname: {turn}\npassword: {canaries[f'cloud-init {turn}{key}']}\n",
        "cloud-init.vendor-data": f"#cloud-config\nhostname: {canaries[f'marked cloud-init {turn}{key}']}\n",
    }


def profile(canaries, kind, turn):
    """Return the SLS data of a profile with canaries."""
    note = {"type": "nic", "nictype": "p2p", "user.note": canaries[f"device {turn}"], "user.shown": canaries["shown"]}
    return _state(kind, "profile", "web", config=config(canaries, turn), devices={"nic0": note})


def planted(canaries, kind, turn):
    """Return the SLS data that puts canaries into a daemon of this kind."""
    server = {"user.db_login": canaries[f"server {turn}"]}
    if kind == "lxd" and turn == "first":
        server["core.trust_password"] = canaries["trust password"]
    instance = {"source": "none", "config": config(canaries, turn, " c1"), "profiles": ["default", "web"]}
    return {
        **_state(kind, "server", "server", config=server),
        **profile(canaries, kind, turn),
        **_state(kind, "instance", "c1", **instance),
        # only Incus 7 can create these here
        **_state(kind, "storage_bucket", "default/media"),
        **_state(kind, "storage_bucket_key", "default/media/k", secret_key=canaries[f"bucket {turn}"]),
    }


def refused(canaries, kind):
    """Return the SLS data of states that fail; the daemon quotes the value that it rejects."""
    wrong = {"limits.processes": canaries["refused"]}
    return {
        **_state(kind, "profile", "bad", config=wrong),
        **_state(kind, "instance", "bad", source="none", config=wrong),
        **_state("broken", "project", f"of {kind}"),
        **_state("unusable", "project", f"of {kind}"),
    }


def _state(remote, word, name, **parameters):
    marks = {"sensitive": MARKED} if "config" in parameters else {}
    parameters = {"name": name, "remote": remote, **marks, **parameters}
    return {f"{remote} {word} {name}": {f"lxdapi_{word}.present": [{k: v} for k, v in parameters.items()]}}


def read(remote):
    """Return the SLS data that calls the functions that show objects."""
    calls = {
        "lxdapi.export": {},
        "lxdapi.list": {"kind": "profile", "full": True},
        "lxdapi.get": {"kind": "profile", "name": "web"},
        "lxdapi.effective": {"kind": "instance", "name": "c1"},
    }
    return {
        f"{remote} {function}": {"module.run": [{function: [{"remote": remote}, *({k: v} for k, v in given.items())]}]}
        for function, given in calls.items()
    }


def records(text):
    """Yield (logger, message) of a log."""
    for record in text.split(RECORD)[1:]:
        logger, _, message = record.partition(NAME)
        yield logger, message


@contextmanager
def watched():
    """Collect the command lines of all processes that run within the block."""
    commands, done = set(), threading.Event()

    def watch():
        while not done.wait(0.01):
            commands.update(_command(number) for number in os.listdir("/proc") if number.isdigit())

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield commands
    finally:
        done.set()
        thread.join()


def _command(number):
    try:
        return Path(f"/proc/{number}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:  # the process has ended
        return ""


def left(folder):
    """Return {relative path: content} of each file in a folder."""
    files = [path for path in sorted(Path(folder).rglob("*")) if path.is_file() and not path.is_symlink()]
    return {str(path.relative_to(folder)): path.read_bytes().decode(errors="replace") for path in files}

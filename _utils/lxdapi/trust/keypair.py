"""
The files of a client: its key, which nobody else may read, and its certificate.

Files are made whole or not at all, and never in the place of one that is there.
"""

import datetime
import os

from lxdapi import atomic_file, validation
from lxdapi.errors import InvalidError
from lxdapi.http import pem

DAYS = 3650
# A daemon whose clock is late refuses what is "not valid yet" (LXD 5.0.2, Incus 6.0.4).
_EARLIER = datetime.timedelta(days=1)
# More is no common name (X.509).
_LONGEST_NAME = 64
_PRIVATE, _PUBLIC, _FOLDER = 0o600, 0o644, 0o700


def exists(cert, key):
    """
    Return True if the client certificate and its key are there, False if neither is.

    cert, key
        Paths or inline PEM, which is always there. No key: it is in the file of the certificate.

    Raises :class:`InvalidError` if one is there without the other.
    """
    parts = {"certificate": cert, "key": key or cert}
    there = {what: "-----BEGIN" in part or pem.exists(part) for what, part in parts.items()}
    if all(there.values()):
        return True
    if any(there.values()):
        lone, other = sorted(there, key=there.get, reverse=True)
        raise InvalidError(
            f"client {lone} {_part_label(parts[lone])} is there without its {other} {_part_label(parts[other])}: "
            "bring that one back, or remove this one"
        )
    return False


def _part_label(part):
    return "(inline PEM)" if "-----BEGIN" in part else part


def make(cert, key, common_name):
    """
    Make a key pair for a client: ECDSA P-384, self-signed, for ten years.

    cert, key
        Paths of files that are not there. Folders that are missing are made, for their owner only.
    common_name
        In the certificate, for people; 64 characters of it.

    Raises :class:`InvalidError` if a file is there, or cannot be made: then neither is.
    """
    validation.check("any", "client", common_name)
    if not pem.is_path(cert) or not pem.is_path(key):
        raise InvalidError("cert and key: the whole paths of two files are needed (/... or ~/...)")
    if os.path.realpath(os.path.expanduser(key)) == os.path.realpath(os.path.expanduser(cert)):
        raise InvalidError("cert and key: a new key needs a file of its own")
    private, public = _generate(common_name)
    write([(key, private, _PRIVATE), (cert, public, _PUBLIC)])


def save(cert, text):
    """Make the file of a certificate; raises :class:`InvalidError` if it is there or cannot be made."""
    write([(cert, text, _PUBLIC)])


def write(files):
    """
    Make files, all or none.

    files
        [(path, text, mode)]; none of them may be there.

    Raises :class:`InvalidError` with the reason.
    """
    staged = []
    try:
        for path, text, mode in files:
            path = os.path.expanduser(path)
            _make_folder(os.path.dirname(path))
            staged.append((atomic_file.stage(os.path.dirname(path), text, mode), path))
        _place(staged)
    except OSError as exc:
        raise InvalidError(f"{exc.filename2 or path} cannot be made: {exc.strerror}") from exc
    except ValueError as exc:
        raise InvalidError(f"{path!r} is no path: {exc}") from exc
    finally:
        for temporary, _ in staged:
            os.unlink(temporary)


def _make_folder(folder):
    if folder and not os.path.isdir(folder):
        _make_folder(os.path.dirname(folder))
        os.mkdir(folder, _FOLDER)


def _place(staged):
    """Give each file its name: unlike a rename, a link never replaces what is there."""
    done = []
    try:
        for temporary, path in staged:
            os.link(temporary, path)
            done.append(path)
    except BaseException:
        for path in done:
            os.unlink(path)
        raise


def _generate(common_name):
    """Return (key, certificate) as PEM; cryptography is there where Salt is, but salt-ssh does not ship it."""
    try:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec
    except ImportError as exc:
        raise InvalidError(f"a key is made by the library cryptography, which is not there: {exc}") from exc
    key = ec.generate_private_key(ec.SECP384R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name[:_LONGEST_NAME])])
    begin = datetime.datetime.now(datetime.timezone.utc) - _EARLIER
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + datetime.timedelta(days=DAYS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .sign(key, hashes.SHA384())
    )
    forms = serialization
    private = key.private_bytes(forms.Encoding.PEM, forms.PrivateFormat.PKCS8, forms.NoEncryption())
    return private.decode("ascii"), made.public_bytes(forms.Encoding.PEM).decode("ascii")

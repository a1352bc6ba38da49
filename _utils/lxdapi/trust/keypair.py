"""
The key pair of a client: the file of its key, which only its owner may read, and the file of its certificate.

Files are created complete or not at all, and never replace an existing one.
"""

import datetime
import os

from lxdapi import atomic_file, validation
from lxdapi.errors import InvalidError
from lxdapi.http import pem

DAYS = 3650
# A daemon whose clock is slow refuses a certificate that is "not valid yet" (LXD 5.0.2, Incus 6.0.4).
_EARLIER = datetime.timedelta(days=1)
# The longest common name (X.509).
_LONGEST_NAME = 64
_PRIVATE, _PUBLIC, _FOLDER = 0o600, 0o644, 0o700


def exists(cert, key):
    """
    Return True if the client certificate and its key exist, False if neither does.

    cert, key
        Paths, or inline PEM, which always exists. No key: it is in the file of the certificate.

    Raises :class:`InvalidError` if only one of them exists.
    """
    parts = {"certificate": cert, "key": key or cert}
    existing = {label: "-----BEGIN" in part or pem.exists(part) for label, part in parts.items()}
    if all(existing.values()):
        return True
    if any(existing.values()):
        present, missing = sorted(existing, key=existing.get, reverse=True)
        raise InvalidError(
            f"client {present} {_part_label(parts[present])} exists without its "
            f"{missing} {_part_label(parts[missing])}: restore the missing file, or remove the other one"
        )
    return False


def _part_label(part):
    return "(inline PEM)" if "-----BEGIN" in part else part


def create(cert, key, common_name):
    """
    Create a key pair for a client: ECDSA P-384, self-signed, for ten years.

    cert, key
        Paths of files that do not exist yet. Missing folders are created for their owner only.
    common_name
        The name in the certificate, for people; cut to 64 characters.

    Raises :class:`InvalidError` if a file exists, or cannot be created; then neither is created.
    """
    validation.check("any", "client", common_name)
    if not pem.is_path(cert) or not pem.is_path(key):
        raise InvalidError("expected the absolute paths of two files (/... or ~/...) for cert and key")
    if os.path.realpath(os.path.expanduser(key)) == os.path.realpath(os.path.expanduser(cert)):
        raise InvalidError("cert and key: expected two different files for a new key pair")
    private, public = _generate(common_name)
    write([(key, private, _PRIVATE), (cert, public, _PUBLIC)])


def save(cert, text):
    """Create the file of a certificate; raises :class:`InvalidError` if it exists or cannot be created."""
    write([(cert, text, _PUBLIC)])


def write(files):
    """
    Create files, all or none.

    files
        [(path, text, mode)]; none of them may exist.

    Raises :class:`InvalidError` with the reason.
    """
    staged = []
    try:
        for path, text, mode in files:
            path = os.path.expanduser(path)
            _make_folder(os.path.dirname(path))
            staged.append((atomic_file.stage(os.path.dirname(path), text, mode), path))
        _link_all(staged)
    except OSError as exc:
        raise InvalidError(f"cannot create {exc.filename2 or path}: {exc.strerror}") from exc
    except ValueError as exc:
        raise InvalidError(f"invalid path {path!r}: {exc}") from exc
    finally:
        for temporary, _ in staged:
            os.unlink(temporary)


def _make_folder(folder):
    if folder and not os.path.isdir(folder):
        _make_folder(os.path.dirname(folder))
        os.mkdir(folder, _FOLDER)


def _link_all(staged):
    """Give each file its name: unlike a rename, a link never replaces an existing file."""
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
    """Return (key, certificate) as PEM; Salt brings the library cryptography, salt-ssh does not ship it."""
    try:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec
    except ImportError as exc:
        raise InvalidError(f"creating a key requires the Python library cryptography: {exc}") from exc
    key = ec.generate_private_key(ec.SECP384R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name[:_LONGEST_NAME])])
    begin = datetime.datetime.now(datetime.timezone.utc) - _EARLIER
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + datetime.timedelta(days=DAYS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .sign(key, hashes.SHA384())
    )
    forms = serialization
    private = key.private_bytes(forms.Encoding.PEM, forms.PrivateFormat.PKCS8, forms.NoEncryption())
    return private.decode("ascii"), certificate.public_bytes(forms.Encoding.PEM).decode("ascii")

"""
Certificates of clients, made for a test.
"""

import datetime
import hashlib
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

DAY = datetime.timedelta(days=1)


def pair(common_name="lxdapi test", begin=-DAY, end=DAY):
    """Return (certificate, key) as PEM text, valid between these times from now on."""
    key = ec.generate_private_key(ec.SECP384R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    building = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    building = building.serial_number(x509.random_serial_number())
    certificate = building.not_valid_before(now + begin).not_valid_after(now + end).sign(key, hashes.SHA384())
    forms = serialization
    private = key.private_bytes(forms.Encoding.PEM, forms.PrivateFormat.PKCS8, forms.NoEncryption())
    return certificate.public_bytes(forms.Encoding.PEM).decode("ascii"), private.decode("ascii")


def made(common_name="lxdapi test"):
    """Return (PEM text, fingerprint) of a new certificate."""
    pem, _ = pair(common_name)
    return pem, fingerprint(pem)


def fingerprint(pem):
    """Return the sha256 of a certificate."""
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()


def in_files(cert, key, **times):
    """Return the fingerprint of a new certificate in a file, with its key in another one."""
    texts = pair(**times)
    for path, text in zip((cert, key), texts):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(text)
    return fingerprint(texts[0])

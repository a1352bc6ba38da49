"""
Client certificates for the tests.
"""

import datetime
import hashlib
import ipaddress
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

DAY = datetime.timedelta(days=1)


def pair(common_name="lxdapi test", begin=-DAY, end=DAY):
    """Return (certificate, key) as PEM text, valid between these times from now on."""
    building, key = _begun(common_name, begin, end)
    certificate = building.issuer_name(_name(common_name)).sign(key, hashes.SHA384())
    return _pem(certificate), _private(key)


def _begun(common_name, begin=-DAY, end=DAY):
    """Return (an unsigned certificate builder, its key)."""
    key, now = ec.generate_private_key(ec.SECP384R1()), datetime.datetime.now(datetime.timezone.utc)
    building = x509.CertificateBuilder().subject_name(_name(common_name)).public_key(key.public_key())
    building = building.serial_number(x509.random_serial_number())
    return building.not_valid_before(now + begin).not_valid_after(now + end), key


def _name(common_name):
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])


def _pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")


def _private(key):
    forms = serialization
    return key.private_bytes(forms.Encoding.PEM, forms.PrivateFormat.PKCS8, forms.NoEncryption()).decode("ascii")


def authority(address):
    """Return PEM texts: the certificate of an authority, and (certificate, key) of a server that it signed."""
    issuer, (root, root_key), (own, own_key) = _name("authority"), _begun("authority"), _begun("server")
    root = root.issuer_name(issuer).add_extension(x509.BasicConstraints(True, None), critical=True)
    alternative = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
    own = own.issuer_name(issuer).add_extension(alternative, critical=False)
    return _pem(root.sign(root_key, hashes.SHA384())), (_pem(own.sign(root_key, hashes.SHA384())), _private(own_key))


def made(common_name="lxdapi test"):
    """Return (PEM text, fingerprint) of a new certificate."""
    pem, _ = pair(common_name)
    return pem, fingerprint(pem)


def fingerprint(pem):
    """Return the sha256 of a certificate."""
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()


def in_files(cert, key, **times):
    """Return the fingerprint of a new certificate, written to a file, with its key in another file."""
    texts = pair(**times)
    for path, text in zip((cert, key), texts):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(text)
    return fingerprint(texts[0])

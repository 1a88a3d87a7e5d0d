"""The ciphers of the User-based Security Model. Apart from the keys: only who encrypts loads it (4 MB)."""

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

try:
    from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
    from cryptography.hazmat.decrepit.ciphers.modes import CFB
except ImportError:  # cryptography before 47
    from cryptography.hazmat.primitives.ciphers.algorithms import TripleDES
    from cryptography.hazmat.primitives.ciphers.modes import CFB


class Aes:
    """AES in cipher feedback mode (RFC 3826), under one key."""

    def __init__(self, key: bytes) -> None:
        self._aes = AES(key)

    def cipher(self, start: bytes) -> Cipher[CFB]:
        """For one message; *start* is its initialisation vector."""
        return Cipher(self._aes, CFB(start))


class Des:
    """DES in cipher block chaining mode (RFC 3414 section 8), under one key: Triple-DES with three equal ones."""

    def __init__(self, key: bytes) -> None:
        self._des = TripleDES(key * 3)

    def cipher(self, start: bytes) -> Cipher[CBC]:
        """For one message; *start* is its initialisation vector."""
        return Cipher(self._des, CBC(start))

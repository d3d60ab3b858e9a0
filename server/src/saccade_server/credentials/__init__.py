"""Who may call: bearer tokens with roles, and the certificates of TLS.

Both are read from files, and again when the files change; files that turn wrong leave what was read
before in service.
"""

from saccade_server.credentials.certificates import Certificates, KeyPair
from saccade_server.credentials.tokens import ROLES, Tokens

__all__ = ["ROLES", "Certificates", "KeyPair", "Tokens"]

"""Masks cookies and credentials: in header fields of HTTP (RFC 9110, RFC 6265), in URLs (RFC 3986), and where they stand again.

The name of a field, cookie or parameter stays, and so does the scheme of Authorization: what was used is a fact that a reader
needs; its value lets one log in. A value that was masked once is masked in every text.
"""

import binascii
import re
from typing import Final
from urllib.parse import unquote

from analyzer.report.encoded_text import MASK
from analyzer.report.phrases import Phrases

COOKIE_FIELDS: Final = frozenset(("cookie", "cookie2", "set-cookie", "set-cookie2"))

CREDENTIAL_FIELDS: Final = frozenset(
    (
        "authorization", "proxy-authorization", "authentication-info", "proxy-authentication-info",
        "x-api-key", "api-key", "apikey", "x-auth-token", "x-access-token", "x-amz-security-token", "x-csrf-token",
        "x-xsrf-token", "x-session-token", "x-vault-token", "private-token", "dpop",
    )
)  # fmt: skip

SHORTEST_SECRET: Final = 6
"""Fewest characters of a part of a secret that is looked for in texts. A whole value is always looked for."""

_PARAMETER_NAMES = (
    r"(?:[\w.-]*(?:passw(?:or)?d|passwd|passphrase|secret|token|credential|api[_-]?key|private[_-]?key|signature)[\w.-]*"
    r"|pass|pwd|pw|pin|otp|auth|authorization|sid|session|session[_-]?id|sessid|phpsessid|jsessionid|jwt|sig|code|key|assertion)"
)
_PARAMETER = re.compile(rf"((?<![\w.-]){_PARAMETER_NAMES}=)([^&;#\s\"'<>]+)", re.IGNORECASE)
_USER_INFO = re.compile(r"((?:[A-Za-z][A-Za-z0-9+.-]*:)?//)([^/?#\s@\"'<>]+)@")
_FIELD = re.compile(
    r"((?<![\w-])(?:proxy-)?authorization\s*[:=]\s*)((?:[A-Za-z-]+\s+)?)([^\s\"'<>]+)", re.IGNORECASE
)  # fmt: skip
_COOKIE_LINE = re.compile(r"((?<![\w-])(?:set-)?cookie2?\s*:\s*)([^\r\n]+)", re.IGNORECASE)


class MaskedSecrets:
    """What was masked so far: its length is the number of values. cookies, credentials: which of the two are masked."""

    def __init__(self, cookies: bool, credentials: bool) -> None:
        self.cookies = cookies
        self.credentials = credentials
        self._phrases = Phrases()
        self._seen: set[str] = set()

    def __len__(self) -> int:
        return len(self._seen)

    def field(self, name: str, value: str) -> str:
        """Return the value of a header field of HTTP, masked where the field carries cookies or credentials."""
        lower = name.strip().lower()
        if self.cookies and lower in COOKIE_FIELDS:
            return self._cookies(value, lower.startswith("set-"))
        if self.credentials and lower in CREDENTIAL_FIELDS:
            return self._authorization(value) if lower.endswith("authorization") else self._mask(value)
        return self.replace(value)

    def replace(self, text: str) -> str:
        """Return the text without cookies and credentials: those in its URLs and fields, and those that were masked before."""
        if self.credentials:
            if "//" in text:
                text = _USER_INFO.sub(lambda found: f"{found[1]}{self._user_info(found[2])}@", text)
            if "=" in text:
                text = _PARAMETER.sub(lambda found: found[1] + self._mask(found[2]), text)
            if "uthorization" in text or "UTHORIZATION" in text:
                text = _FIELD.sub(lambda found: found[1] + found[2] + self._mask(found[3]), text)
        if self.cookies and ":" in text and "cookie" in text.lower():
            text = _COOKIE_LINE.sub(lambda found: found[1] + self._cookies(found[2], found[1].lower().startswith("set-")), text)
        return self._phrases.replace(text)

    def _mask(self, value: str) -> str:
        """Return the mask, and learn the value."""
        bare = value.strip()
        if not bare or bare == MASK:
            return value
        if bare not in self._seen:
            self._seen.add(bare)
            self._phrases.add(bare, MASK)
            decoded = unquote(bare)
            if decoded != bare:
                self._phrases.add(decoded, MASK)
        return MASK

    def _part(self, value: str) -> None:
        if len(value) >= SHORTEST_SECRET:
            self._phrases.add(value, MASK)

    def _authorization(self, value: str) -> str:
        scheme, space, rest = value.strip().partition(" ")
        if not space:
            return self._mask(value)
        if scheme.lower() == "basic":
            self._user_and_password(rest)
        return f"{scheme} {self._mask(rest)}"

    def _user_and_password(self, token: str) -> None:
        """Learn what a value of the scheme Basic (RFC 7617) says."""
        try:
            text = binascii.a2b_base64(token.strip() + "==").decode("utf-8", "replace")
        except binascii.Error:
            return  # the token itself is masked as it is
        self._user_info(text)

    def _user_info(self, text: str) -> str:
        for part in text.split(":", 1):
            self._part(part)
            self._part(unquote(part))
        return self._mask(text)

    def _cookies(self, value: str, attributes: bool) -> str:
        """Return a list of cookies with masked values. attributes: only the first is a cookie, what follows are attributes."""
        first, semicolon, rest = value.partition(";") if attributes else (value, "", "")
        if "=" not in first:
            return self._mask(first) + semicolon + rest
        masked: list[str] = []
        for pair in first.split(";"):
            name, equals, secret = pair.partition("=")
            if equals:
                self._part(secret.strip().strip('"'))
                masked.append(f"{name}={self._mask(secret)}" if secret.strip() else pair)
            else:
                masked.append(self._mask(pair) if pair.strip() else pair)
        return ";".join(masked) + semicolon + rest

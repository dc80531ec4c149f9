"""Basic credentials: how they are written, and which of several a request gets.

Credentials and URLs come in, values of ``Authorization`` go out.
"""

from __future__ import annotations

import base64
import binascii
import warnings
from typing import TYPE_CHECKING, NamedTuple, Self, cast

from windtunnel._base.typedefs import shown

if TYPE_CHECKING:
    from yarl import URL


def encode_basic_auth(login: str, password: str = "", encoding: str = "utf-8") -> str:
    """Write credentials as the value of an ``Authorization`` field.

    Raises:
        ValueError: The login has a colon, which would end it.
        UnicodeEncodeError: The encoding has no such character.

    Spec: RFC 7617 section 2.
    """
    if ":" in login:
        msg = 'A ":" is not allowed in login (RFC 7617 section 2)'
        raise ValueError(msg)
    data = f"{login}:{password}".encode(encoding)
    return f"Basic {base64.b64encode(data).decode('ascii')}"


class _Credentials(NamedTuple):
    login: str
    password: str = ""
    encoding: str = "latin1"


class BasicAuth(_Credentials):
    """Credentials for Basic authentication.

    Args:
        login: Name of the user, without colons.
        password: May be empty.
        encoding: How both become bytes.

    Raises:
        ValueError: The login is None or has a colon, or the password is None.

    Compat: aiohttp's named tuple, which warns that ``encode_basic_auth`` and a header
    are the way to go.
    """

    __slots__ = ()

    def __new__(cls, login: str, password: str = "", encoding: str = "latin1") -> Self:
        """Check, warn and make."""
        warnings.warn(
            "BasicAuth is deprecated, use encode_basic_auth() with the "
            "Authorization header",
            DeprecationWarning,
            stacklevel=2,
        )
        return cls._checked(login, password, encoding)

    @classmethod
    def _checked(cls, login: str | None, password: str | None, encoding: str) -> Self:
        if login is None:
            msg = "None is not allowed as login value"
            raise ValueError(msg)
        if password is None:
            msg = "None is not allowed as password value"
            raise ValueError(msg)
        if ":" in login:
            msg = 'A ":" is not allowed in login (RFC 7617 section 2)'
            raise ValueError(msg)
        return super().__new__(cls, login, password, encoding)

    @classmethod
    def decode(cls, auth_header: str, encoding: str = "latin1") -> Self:
        """Read the value of an ``Authorization`` field.

        Raises:
            ValueError: It is not one of the Basic scheme.

        Spec: RFC 7617 section 2.
        """
        scheme, _, encoded = auth_header.strip().partition(" ")
        if scheme.lower() != "basic":
            msg = f"authorization scheme {shown(scheme)} is not 'Basic'"
            raise ValueError(msg)
        try:
            data = base64.b64decode(encoded.strip().encode("ascii"), validate=True)
            login, colon, password = data.decode(encoding).partition(":")
        except (binascii.Error, UnicodeError) as exc:
            msg = f"credentials are not Base64 of {encoding} text: {exc}"
            raise ValueError(msg) from exc
        if not colon:
            msg = "credentials have no colon between login and password"
            raise ValueError(msg)
        return cls._checked(login, password, encoding)

    @classmethod
    def from_url(cls, url: URL, *, encoding: str = "latin1") -> Self | None:
        """Take the credentials of a URL, None if it has none.

        Raises:
            TypeError: It is not a URL.
        """
        from yarl import URL

        given = cast("object", url)
        if not isinstance(given, URL):
            msg = f"url {shown(given)} is a {type(given).__name__}, not a yarl.URL"
            raise TypeError(msg)
        if url.user is None and url.password is None:
            return None
        return cls._checked(url.user or "", url.password or "", encoding)

    def encode(self) -> str:
        """Write the value of an ``Authorization`` field."""
        return encode_basic_auth(self.login, self.password, self.encoding)


def checked_auth(auth: object, name: str) -> BasicAuth | None:
    """Check an argument that has to be credentials.

    Raises:
        TypeError: It is anything else.
    """
    if auth is None or isinstance(auth, BasicAuth):
        return auth
    msg = f"{name}={shown(auth)} is a {type(auth).__name__}, not a BasicAuth"
    raise TypeError(msg)


def effective_authorization(
    argument: BasicAuth | None, from_url: str, of_session: str, has_field: bool
) -> str:
    """Choose among the credentials of a request.

    Args:
        argument: Those of the call.
        from_url: Those of its URL, as a field value; empty without.
        of_session: Those of the session, likewise.
        has_field: Whether the caller wrote an Authorization field.

    Returns:
        The field value, empty without.

    Raises:
        ValueError: There are those of the call and of the URL, or any and the field.
    """
    if argument is not None and from_url:
        msg = "Cannot combine AUTH argument with credentials encoded in URL"
        raise ValueError(msg)
    chosen = argument.encode() if argument is not None else from_url or of_session
    if chosen and has_field:
        msg = (
            "Cannot combine AUTHORIZATION header with AUTH argument or credentials "
            "encoded in URL"
        )
        raise ValueError(msg)
    return chosen

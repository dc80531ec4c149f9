"""What a request needs to know of its URL, worked out once for each URL.

A URL comes in, the end of the request line, the Host value and the host part of the
pool key go out. Parsing a URL costs more than sending a request, so sessions keep
these.
"""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

from windtunnel.errors import InvalidUrlClientError

if TYPE_CHECKING:
    from yarl import URL

    from windtunnel._exchange.request import Plan

_FORBIDDEN = re.compile(r"[\x00-\x20\x7f]")


class Target:
    """A URL in the forms in which requests use it.

    Attributes:
        url: Without fragment and credentials: what is asked for.
        real_url: The same with the fragment.
        host: Host name or address without brackets, to connect to.
        port: TCP port.
        is_ssl: Whether the scheme asks for TLS.
        line_end: What follows the method in the request line.
        plans: The last plan of each method without a body, for requests that follow;
            with a way of verifying TLS of its own, under its id, too.
        host_field: Value of the Host field.
        authorization: Value of Authorization from the URL's credentials, or empty.
    """

    __slots__ = (
        "authorization",
        "host",
        "host_field",
        "is_ssl",
        "line_end",
        "plans",
        "port",
        "real_url",
        "url",
    )

    def __init__(self, url: URL) -> None:
        self.plans: dict[str | tuple[str, int], Plan] = {}
        self.authorization = ""
        if url.raw_user or url.raw_password:
            self.authorization = basic_authorization(url.user, url.password)
            url = url.with_user(None)
        self.real_url = url
        self.url = url.with_fragment(None) if url.raw_fragment else url
        self.host = url.raw_host or ""
        self.port = url.port or 0
        self.is_ssl = url.scheme in ("https", "wss")
        path = url.raw_path_qs or "/"
        self.host_field = (url.host_port_subcomponent or "").partition("%")[0]
        if "%" in self.host:
            # A zone id means something on this machine only (RFC 6874 section 4).
            port = "" if url.is_default_port() else f":{url.port}"
            self.host_field = f"[{self.host.partition('%')[0]}]{port}"
        if _FORBIDDEN.search(path) or _FORBIDDEN.search(self.host_field):
            raise InvalidUrlClientError(
                url, "has a blank or control character that was not percent-encoded"
            )
        self.line_end = f" {path} HTTP/1.1\r\n"

    def absolute_line_end(self) -> str:
        """Say what follows the method in a request that a proxy passes on.

        Spec: RFC 9112 section 3.2.2.
        """
        return f" {self.url.scheme}://{self.host_field}{self.line_end[1:]}"


def basic_authorization(user: str | None, password: str | None) -> str:
    """Encode credentials of a URL for the Authorization field.

    Compat: aiohttp encodes them as Latin-1.

    Raises:
        ValueError: A character is not in Latin-1.
    """
    text = f"{user or ''}:{password or ''}"
    return "Basic " + base64.b64encode(text.encode("latin-1")).decode("ascii")

"""Digest authentication as a client middleware.

Requests pass through; one that is answered with a Digest challenge is sent again with
credentials, and the later ones carry them at once. What an answer is computed from is
decided in ``_policy.digest``; here is the memory: which nonce, how often, for whom.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from yarl import URL

from windtunnel._policy.digest import Question, answer, choose_challenge, next_nonce
from windtunnel._policy.redirect import origin_of

if TYPE_CHECKING:
    from windtunnel._exchange.client_request import ClientHandlerType, ClientRequest
    from windtunnel._exchange.response import ClientResponse
    from windtunnel._policy.digest import Challenge

# Without credentials, with an answer, and once more for a nonce that became too old.
_MAX_ATTEMPTS = 3
_CNONCE_BYTES = 8


class DigestAuthMiddleware:
    """Answers Digest challenges, for ``middlewares`` of a session or a request.

    The credentials go to the origin of the first request, and to what a challenge of
    that origin names as its ``domain``; other requests pass untouched.

    Args:
        login: Name of the user, without colons.
        password: May be empty.
        preemptive: Whether requests after the first carry credentials at once.

    Raises:
        ValueError: The login is None or has a colon, or the password is None.

    Spec: RFC 7616. Compat: aiohttp's DigestAuthMiddleware.
    """

    def __init__(
        self, login: str | None, password: str | None, preemptive: bool = True
    ) -> None:
        if login is None or password is None:
            name = "login" if login is None else "password"
            msg = f"None is not allowed as {name} value"
            raise ValueError(msg)
        if ":" in login:
            msg = 'A ":" is not allowed in login (RFC 7616 section 3.4)'
            raise ValueError(msg)
        self._login = login.encode()
        self._password = password.encode()
        self._preemptive = preemptive
        self._origin: URL | None = None
        self._spaces: list[URL] = []
        self._challenge: Challenge | None = None
        self._uses = 0

    async def __call__(
        self, request: ClientRequest, handler: ClientHandlerType
    ) -> ClientResponse:
        """Send a request, and again if it is challenged.

        Raises:
            ClientError: No challenge of the response can be answered.
        """
        url = request.url
        if self._origin is None:
            self._origin = url.origin()
        is_foreign = origin_of(url) != origin_of(self._origin)
        if is_foreign and not self._is_inside(url):
            return await handler(request)
        if self._preemptive and self._challenge is not None and self._is_inside(url):
            await self._sign(request, self._challenge)
        answered: Challenge | None = None
        attempts = 0
        while True:
            response = await handler(request)
            attempts += 1
            if response.status != 401:
                self._note_next_nonce(response)
                return response
            challenge = choose_challenge(
                response.headers.getall("WWW-Authenticate", ())
            )
            # An answer to a challenge of this very request was wrong, and would be
            # again, unless only the nonce had become too old.
            is_wrong = answered is not None and not (challenge and challenge.is_stale)
            if challenge is None or is_wrong or attempts == _MAX_ATTEMPTS:
                return response
            self._adopt(challenge)
            answered = challenge
            response.release()
            await self._sign(request, challenge)

    def _adopt(self, challenge: Challenge) -> None:
        """Remember a challenge, and where else it holds."""
        if self._challenge is None or self._challenge.nonce != challenge.nonce:
            self._uses = 0
        self._challenge = challenge
        assert self._origin is not None
        named = [self._origin.join(URL(uri)) for uri in challenge.domain.split()]
        self._spaces = named or [self._origin]

    def _is_inside(self, url: URL) -> bool:
        """Say whether a URL is in the protection space.

        Spec: RFC 7616 section 3.3, domain.
        """
        return any(
            origin_of(url) == origin_of(space)
            and _is_below(url.raw_path, space.raw_path)
            for space in self._spaces
        )

    async def _sign(self, request: ClientRequest, challenge: Challenge) -> None:
        body = b""
        if challenge.qop == "auth-int" and not isinstance(request.body, bytes):
            body = await request.body.as_bytes()
        self._uses += 1
        request.headers["Authorization"] = answer(
            challenge,
            self._login,
            self._password,
            Question(
                request.method,
                request.url.raw_path_qs,
                body,
                self._uses,
                os.urandom(_CNONCE_BYTES).hex(),
            ),
        )

    def _note_next_nonce(self, response: ClientResponse) -> None:
        if self._challenge is None:
            return
        nonce = next_nonce(response.headers.get("Authentication-Info", ""))
        if nonce and nonce != self._challenge.nonce:
            self._challenge = self._challenge._replace(nonce=nonce)
            self._uses = 0


def _is_below(path: str, space: str) -> bool:
    return path == space or path.startswith(space.rstrip("/") + "/")

"""Digest authentication: reading a challenge, and computing the answer to it.

Field values, credentials and facts about the request come in; the value of an
``Authorization`` field goes out. Randomness is an argument; hashlib is imported when
the first answer is computed.

Spec: RFC 7616, and RFC 2069 for challenges without qop.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from windtunnel._base.typedefs import shown
from windtunnel.errors import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

# Strongest first: what is chosen if a server offers several (RFC 7616 section 3.7).
_HASHES = {
    "SHA-512-256": "sha512_256",
    "SHA-512": "sha512",
    "SHA-256": "sha256",
    "SHA": "sha1",
    "MD5": "md5",
}
_SPELLINGS = {"SHA512-256": "SHA-512-256", "SHA512": "SHA-512", "SHA256": "SHA-256"}
_STRENGTH = {name: rank for rank, name in enumerate(_HASHES)}

_SCHEME = re.compile(r"[ \t,]*([!#$%&'*+\-.^_`|~0-9A-Za-z]+)(?:[ \t]+|(?=,|$))")
_PARAMETER = re.compile(
    r"[ \t,]*([!#$%&'*+\-.^_`|~0-9A-Za-z]+)[ \t]*=[ \t]*"
    r'(?:"((?:[^"\\]|\\.)*)"|([^\s,"=][^\s,"]*|))[ \t]*(?=,|$)'
)
_TOKEN68 = re.compile(r"[A-Za-z0-9\-._~+/]+=*[ \t]*(?=,|$)")
_ESCAPE = re.compile(r"\\(.)")


class Challenge(NamedTuple):
    """What a server asks for.

    Attributes:
        realm: Shown to users; part of the secret.
        nonce: The server's number; never empty.
        opaque: To be returned as it is, None without.
        algorithm: As the server spelled it, empty without.
        hash_name: Name of the hash in ``hashlib``.
        is_session: Whether the secret is bound to the first nonces.
        qop: "auth-int", "auth", or empty for the old way.
        is_stale: Whether only the nonce was too old.
        hides_user: Whether the name is sent as a hash.
        domain: The URIs of the protection space, separated by blanks; empty without.
        strength: Rank of the hash; 0 is the best.
    """

    realm: str
    nonce: str
    opaque: str | None
    algorithm: str
    hash_name: str
    is_session: bool
    qop: str
    is_stale: bool
    hides_user: bool
    domain: str
    strength: int


# --- reading ------------------------------------------------------------------------


def split_challenges(field: str) -> list[tuple[str, dict[str, str]]]:
    """Split one ``WWW-Authenticate`` value.

    Returns:
        Schemes in lower case, each with its parameters by name in lower case. What
        follows something unreadable is left out.

    Spec: RFC 9110 section 11.6.1.
    """
    found: list[tuple[str, dict[str, str]]] = []
    position = 0
    while position < len(field):
        parameter = _PARAMETER.match(field, position) if found else None
        if parameter is not None:
            name, quoted, plain = parameter.groups()
            value = plain if quoted is None else _ESCAPE.sub(r"\1", quoted)
            found[-1][1].setdefault(name.lower(), value)
            position = parameter.end()
            continue
        scheme = _SCHEME.match(field, position)
        if scheme is None:
            break
        found.append((scheme[1].lower(), {}))
        position = scheme.end()
        if _PARAMETER.match(field, position) is None:
            token = _TOKEN68.match(field, position)
            position = position if token is None else token.end()
    return found


def choose_challenge(fields: Iterable[str]) -> Challenge | None:
    """Find the best Digest challenge of a response.

    Args:
        fields: Its ``WWW-Authenticate`` values.

    Returns:
        That with the strongest hash, the first of equals; None if none is Digest.

    Raises:
        ClientError: There are some, but none that can be answered.

    Compat: aiohttp reads the first challenge only.
    """
    best: Challenge | None = None
    problem: ClientError | None = None
    for field in fields:
        for scheme, parameters in split_challenges(field):
            if scheme != "digest":
                continue
            try:
                challenge = _challenge(parameters)
            except ClientError as exc:
                problem = problem or exc
                continue
            if best is None or challenge.strength < best.strength:
                best = challenge
    if best is None and problem is not None:
        raise problem
    return best


def _challenge(parameters: dict[str, str]) -> Challenge:
    for name in ("realm", "nonce"):
        if name not in parameters:
            msg = f"digest challenge has no {name} (RFC 7616 section 3.3)"
            raise ClientError(msg)
    if not parameters["nonce"]:
        msg = "digest challenge has an empty nonce (RFC 7616 section 3.3)"
        raise ClientError(msg)
    algorithm = parameters.get("algorithm", "")
    base, dash, _ = (algorithm.upper() or "MD5").partition("-SESS")
    base = _SPELLINGS.get(base, base)
    if base not in _HASHES:
        msg = (
            f"digest algorithm {shown(algorithm)} is none of {', '.join(_HASHES)}, "
            "each with or without -sess"
        )
        raise ClientError(msg)
    return Challenge(
        parameters["realm"],
        parameters["nonce"],
        parameters.get("opaque"),
        algorithm,
        _HASHES[base],
        is_session=bool(dash),
        qop=_qop(parameters.get("qop", "")),
        is_stale=parameters.get("stale", "").lower() == "true",
        hides_user=parameters.get("userhash", "").lower() == "true",
        domain=parameters.get("domain", ""),
        strength=_STRENGTH[base],
    )


def _qop(offered: str) -> str:
    names = {name.strip().lower() for name in offered.split(",")} - {""}
    if not names:
        return ""
    for name in ("auth-int", "auth"):
        if name in names:
            return name
    msg = f"digest quality of protection {shown(offered)} is neither auth nor auth-int"
    raise ClientError(msg)


def next_nonce(field: str) -> str:
    """Read the nonce for the next request from ``Authentication-Info``.

    Returns:
        The nonce, empty if the field has none.

    Spec: RFC 7616 section 3.5.
    """
    for name, quoted, plain in _PARAMETER.findall(field):
        if name.lower() == "nextnonce":
            return _ESCAPE.sub(r"\1", quoted) or plain
    return ""


# --- answering ----------------------------------------------------------------------


class Question(NamedTuple):
    """The request that an answer is for.

    Attributes:
        method: As sent.
        uri: Target of the request, as it stands in the request line.
        body: The whole body; only looked at for auth-int.
        use: How often the nonce is used with this request, from 1.
        cnonce: A random text of the client's.
    """

    method: str
    uri: str
    body: bytes
    use: int
    cnonce: str


def answer(
    challenge: Challenge, login: bytes, password: bytes, question: Question
) -> str:
    """Compute the value of an ``Authorization`` field.

    Raises:
        ClientError: This Python has no such hash.

    Spec: RFC 7616 section 3.4.
    """
    digest = _hasher(challenge.hash_name)
    realm, nonce = challenge.realm.encode(), challenge.nonce.encode()
    cnonce, uri = question.cnonce.encode(), question.uri.encode()
    secret = digest(b":".join((login, realm, password)))
    if challenge.is_session:
        secret = digest(b":".join((secret, nonce, cnonce)))
    parts = [question.method.encode(), uri]
    if challenge.qop == "auth-int":
        parts.append(digest(question.body))
    asked = digest(b":".join(parts))
    count = f"{question.use:08x}"
    proof = [secret, nonce, asked]
    if challenge.qop:
        proof[2:2] = [count.encode(), cnonce, challenge.qop.encode()]
    name = digest(login + b":" + realm) if challenge.hides_user else login
    fields = [
        ("username", _quoted(name.decode())),
        ("realm", _quoted(challenge.realm)),
        ("nonce", _quoted(challenge.nonce)),
        ("uri", _quoted(question.uri)),
        ("response", _quoted(digest(b":".join(proof)).decode())),
    ]
    if challenge.algorithm:
        fields.append(("algorithm", challenge.algorithm))
    if challenge.opaque is not None:
        fields.append(("opaque", _quoted(challenge.opaque)))
    if challenge.qop:
        fields += [("qop", challenge.qop), ("nc", count)]
    if challenge.qop or challenge.is_session:
        fields.append(("cnonce", _quoted(question.cnonce)))
    if challenge.hides_user:
        fields.append(("userhash", "true"))
    return "Digest " + ", ".join([f"{key}={value}" for key, value in fields])


def _hasher(name: str) -> Callable[[bytes], bytes]:
    import hashlib

    def digest(data: bytes) -> bytes:
        try:
            made = hashlib.new(name, data, usedforsecurity=False)
        except ValueError as exc:
            msg = f"hash {name!r} of the digest challenge is not in this Python: {exc}"
            raise ClientError(msg) from exc
        return made.hexdigest().encode("ascii")

    return digest


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'

"""The whole corpus as one JSON file, for runners in any language.

Comes in: a ``Corpus``. Goes out: JSON text with every variant expanded and every byte
string as base64, so that a reader needs neither TOML nor generators. Must not know:
how cases are run.

``python -m windtunnel_conformance.compile [REVISION] > corpus.json`` checks and writes
the shipped corpus.
"""

from __future__ import annotations

import json
import math
import sys
from typing import TYPE_CHECKING, assert_never

from windtunnel_conformance.acceptable import (
    Absent,
    AnyOf,
    Capture,
    CaptureRef,
    Digest,
    Equal,
    EqualJson,
    Fields,
    Items,
    OptionalHeaders,
    Pattern,
    Prefix,
)
from windtunnel_conformance.actions import base64_object
from windtunnel_conformance.case import (
    FORMAT,
    Close,
    HalfClose,
    Pause,
    Read,
    Resume,
    Send,
    Signal,
    StartTls,
    Upgrade,
    Wait,
    WaitFor,
)
from windtunnel_conformance.lint import check_corpus, load_specs
from windtunnel_conformance.loader import Corpus, load_corpus

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from windtunnel_conformance.acceptable import (
        Alternative,
        BodyPart,
        Matcher,
        SentFrame,
        SentRequest,
    )
    from windtunnel_conformance.case import (
        Case,
        Json,
        Origin,
        PeerScript,
        Step,
        Variant,
    )


def compile_corpus(corpus: Corpus, revision: str = "") -> str:
    """Return the corpus as JSON text.

    Args:
        corpus: All of it.
        revision: Of the repository it comes from; empty: not said.

    Returns:
        One line a case, so that two compilations can be compared with a line diff.
    """
    cases = ",\n".join(
        json.dumps(case_json(case), ensure_ascii=True, sort_keys=True)
        for case in corpus.cases.values()
    )
    head = json.dumps({"format": FORMAT, "revision": revision})[:-1]
    return f'{head}, "cases": [\n{cases}\n]}}\n'


def case_json(case: Case) -> dict[str, Json]:
    """Return one case; keys as in its file, ``variants`` with all that varies."""
    clock: dict[str, Json] = {
        "mode": case.clock.mode,
        "start": case.clock.start,
        "wall": case.clock.wall,
        "gap": case.clock.gap,
    }
    return {
        "id": case.id,
        "title": case.title,
        "level": case.level.value,
        "spec": list(case.spec),
        "needs": list(case.needs),
        "depends": list(case.depends),
        "why": case.why,
        "clock": _without_nulls(clock),
        "session": dict(case.session),
        "variants": [_variant(variant) for variant in case.variants],
    }


def _without_nulls(table: Mapping[str, Json]) -> dict[str, Json]:
    return {key: value for key, value in table.items() if value is not None}


def _variant(variant: Variant) -> Json:
    return {
        "key": variant.key,
        "values": dict(variant.values),
        "origins": {name: _origin(one) for name, one in variant.origins.items()},
        "client": [action.to_json() for action in variant.actions],
        "peer": [_peer(peer) for peer in variant.peers],
        "expect": [_alternative(one) for one in variant.alternatives],
    }


def _origin(origin: Origin) -> Json:
    tls: Json = None
    if origin.tls is not None:
        tls = _without_nulls(
            {
                "names": list(origin.tls.names),
                "ca": origin.tls.ca,
                "common_name": origin.tls.common_name,
            }
        )
    return _without_nulls({"url": origin.url, "connect": origin.connect, "tls": tls})


def _peer(peer: PeerScript) -> Json:
    return {
        "on": peer.on,
        "optional": peer.optional,
        "end": peer.end,
        "steps": [_step(step) for step in peer.steps],
    }


def _step(step: Step) -> Json:
    match step:
        case Read(what, count):
            found: dict[str, Json] = {
                "read": f"bytes:{count}" if what == "bytes" else what
            }
        case Send(pieces):
            found = {"send": [base64_object(piece) for piece in pieces]}
        case Wait(seconds):
            found = {"wait": "forever" if math.isinf(seconds) else seconds}
        case WaitFor(name):
            found = {"wait_for": name}
        case Signal(name):
            found = {"signal": name}
        case Close(how):
            found = {"close": how}
        case Upgrade(answer):
            found = {"upgrade": base64_object(answer)}
        case _:
            found = {_bare(step): True}
    return found


def _bare(step: HalfClose | Pause | Resume | StartTls) -> str:
    match step:
        case HalfClose():
            return "half_close"
        case Pause():
            return "pause"
        case Resume():
            return "resume"
        case StartTls():
            return "tls"
        case _:
            assert_never(step)


def _alternative(one: Alternative) -> Json:
    found: dict[str, Json] = {
        "verdict": one.verdict.value,
        "note": one.note,
        "got": {
            name: {key: _matcher(value) for key, value in result.items()}
            for name, result in one.got.items()
        },
        "bytes_after": dict(one.bytes_after),
        "extra_connections": one.extra_connections,
        "at": one.at,
        "within": one.within if one.at is not None else None,
        "connections": one.connections,
        "reused": one.reused,
        "sent": None if one.sent is None else [_sent(sent) for sent in one.sent],
        "frames": None if one.frames is None else [_frame(each) for each in one.frames],
    }
    return _without_nulls(found)


def _frame(frame: SentFrame) -> Json:
    payload = None if frame.payload is None else _matcher(frame.payload)
    return _without_nulls(
        {
            "op": frame.op,
            "fin": frame.fin,
            "rsv": frame.rsv,
            "masked": frame.masked,
            "payload": payload,
        }
    )


def _sent(sent: SentRequest) -> Json:
    parts: dict[str, Matcher | None] = {
        "line": sent.line,
        "method": sent.method,
        "target": sent.target,
        "body": sent.body,
        "raw": sent.raw,
    }
    found: dict[str, Json] = {
        key: _matcher(value) for key, value in parts.items() if value is not None
    }
    if sent.peer is not None:
        found["peer"] = sent.peer
    if sent.headers:
        found["headers"] = {k: _matcher(v) for k, v in sent.headers.items()}
    if sent.once:
        found["once"] = {k: _matcher(v) for k, v in sent.once.items()}
    if sent.absent:
        found["absent"] = list(sent.absent)
    if sent.body_like:
        found["body_like"] = [_body_part(part) for part in sent.body_like]
    return found


def _body_part(part: BodyPart) -> Json:
    match part:
        case bytes():
            return base64_object(part)
        case CaptureRef(name):
            return {"captured": name}
        case OptionalHeaders(names):
            return {"optional_headers": list(names)}
        case Pattern(pattern):
            return {"re": pattern}
        case _:
            assert_never(part)


def _matcher(matcher: Matcher) -> Json:
    """Return an expected value; bytes and operators are tables, the rest is plain."""
    match matcher:
        case Equal(value):
            found: Json = base64_object(value) if isinstance(value, bytes) else value
        case EqualJson(value):
            found = {"json": value}
        case Fields(lines):
            found = {"fields": {k: _matcher(v) for k, v in lines.items()}}
        case Items(items):
            found = [_matcher(item) for item in items]
        case AnyOf(options):
            found = {"any_of": [_matcher(option) for option in options]}
        case _:
            found = _operator(matcher)
    return found


def _operator(matcher: Pattern | Prefix | Digest | Capture | Absent) -> Json:
    match matcher:
        case Pattern(pattern):
            return {"re": pattern}
        case Prefix(prefix):
            return {"prefix": base64_object(prefix)}
        case Digest(digest, length):
            return {"sha256": digest, "len": length}
        case Capture(name):
            return {"capture": name}
        case Absent():
            return {"absent": True}
        case _:
            assert_never(matcher)


def main(arguments: Sequence[str]) -> int:
    """Write the shipped corpus to standard output.

    Args:
        arguments: Nothing, or the revision of the repository.

    Raises:
        CorpusError: The corpus is not in order.
    """
    corpus = load_corpus()
    check_corpus(corpus, load_specs())
    sys.stdout.write(compile_corpus(corpus, "".join(arguments[:1])))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

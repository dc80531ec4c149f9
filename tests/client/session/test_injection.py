"""Nothing that a caller gives leaves its place in what is sent.

Each way in which a text gets into a request is tried with everything that could end a
line, a field or a string. Either the call fails before a connection is made, or what is
sent has the lines that it has with a harmless text.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from http.cookies import CookieError, Morsel
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given, settings, strategies as st
from yarl import URL

import windtunnel
from windtunnel_fakeserver import Tunnel

if TYPE_CHECKING:
    from windtunnel_fakeserver import Wire

HERE = "http://a.test/"
EVIL = "\r\nEvil: 1\r\n\r\n"

Way = Callable[[windtunnel.ClientSession, str], Awaitable[Any]]


def morsel(value: str) -> Morsel[str]:
    """Make one as nobody should, around its checks."""
    made: Morsel[str] = Morsel()
    state = {"key": "a", "value": value, "coded_value": value}
    cast("Any", made).__setstate__(state)
    return made


def form(text: str, **options: Any) -> windtunnel.FormData:
    made = windtunnel.FormData(quote_fields=options.pop("quote", True))
    made.add_field(options.pop("name", text), b"x", **{"filename": "f", **options})
    return made


def parts(headers: dict[str, str]) -> windtunnel.MultipartWriter:
    writer = windtunnel.MultipartWriter(boundary="B")
    writer.append("x", headers)
    return writer


def part_of(subtype: str = "mixed", boundary: str = "B") -> windtunnel.MultipartWriter:
    writer = windtunnel.MultipartWriter(subtype, boundary)
    writer.append("x")
    return writer


Change = Callable[[windtunnel.ClientRequest, str], object]


def through(change: Change, url: str = HERE) -> Way:
    """Have a middleware write the text into the request."""

    def way(session: windtunnel.ClientSession, text: str) -> Awaitable[Any]:
        async def middleware(
            request: windtunnel.ClientRequest, handler: windtunnel.ClientHandlerType
        ) -> windtunnel.ClientResponse:
            change(request, text)
            return await handler(request)

        return session.get(url, middlewares=[middleware])

    return way


def by_default(session: windtunnel.ClientSession, text: str) -> Awaitable[Any]:
    session.headers["X"] = f"1{text}"
    return session.get(HERE)


WAYS: dict[str, Way] = {
    "session-header": by_default,
    "middleware-header": through(lambda r, t: r.headers.update({"X": f"1{t}"})),
    "middleware-header-name": through(lambda r, t: r.headers.update({f"X{t}": "1"})),
    "middleware-method": through(lambda r, t: setattr(r, "method", f"X{t}")),
    "middleware-url": through(
        lambda r, t: setattr(r, "url", URL(f"{HERE}x{t}", encoded=True))
    ),
    "middleware-proxy-header": through(
        lambda r, t: r.update_proxy(URL(HERE), None, {"X": f"1{t}"}), "https://b.test/"
    ),
    "header-name": lambda s, t: s.get(HERE, headers={f"X{t}": "1"}),
    "header-value": lambda s, t: s.get(HERE, headers={"X": f"1{t}"}),
    "header-pairs": lambda s, t: s.get(HERE, headers=[("X", f"1{t}")]),
    "host": lambda s, t: s.get(HERE, headers={"Host": f"a{t}"}),
    "user-agent": lambda s, t: s.get(HERE, headers={"User-Agent": f"a{t}"}),
    "cookie-header": lambda s, t: s.get(HERE, headers={"Cookie": f"a=1{t}"}),
    "content-type": lambda s, t: s.post(
        HERE, data=b"x", headers={"Content-Type": f"text/plain{t}"}
    ),
    "method": lambda s, t: s.request(f"X{t}", HERE),
    "path": lambda s, t: s.get(f"{HERE}x{t}y"),
    "query": lambda s, t: s.get(f"{HERE}?x{t}y"),
    "encoded-path": lambda s, t: s.get(URL(f"{HERE}x{t}y", encoded=True)),
    "encoded-query": lambda s, t: s.get(URL(f"{HERE}?x{t}y", encoded=True)),
    "encoded-host": lambda s, t: s.get(URL(f"http://a.test{t}/", encoded=True)),
    "host-of-url": lambda s, t: s.get(f"http://a.test{t}/"),
    "fragment": lambda s, t: s.get(f"{HERE}#x{t}y"),
    "params-mapping": lambda s, t: s.get(HERE, params={f"a{t}": f"1{t}"}),
    "params-text": lambda s, t: s.get(HERE, params=f"a=1{t}"),
    "credentials": lambda s, t: s.get(URL(HERE).with_user(f"u{t}").with_password(t)),
    "cookie-name": lambda s, t: s.get(HERE, cookies={f"a{t}": "1"}),
    "cookie-value": lambda s, t: s.get(HERE, cookies={"a": f"1{t}"}),
    "cookie-morsel": lambda s, t: s.get(HERE, cookies={"a": morsel(f"1{t}")}),
    "form-fields": lambda s, t: s.post(HERE, data={f"a{t}": f"1{t}"}),
    "multipart-name": lambda s, t: s.post(HERE, data=form(f"a{t}")),
    "multipart-filename": lambda s, t: s.post(
        HERE, data=form("", name="a", filename=f"f{t}")
    ),
    "multipart-filename-unquoted": lambda s, t: s.post(
        HERE, data=form("", name="a", filename=f"f{t}", quote=False)
    ),
    "multipart-type": lambda s, t: s.post(
        HERE, data=form("", name="a", content_type=f"text/plain{t}")
    ),
    "part-header-value": lambda s, t: s.post(HERE, data=parts({"X": f"1{t}"})),
    "part-header-name": lambda s, t: s.post(HERE, data=parts({f"X{t}": "1"})),
    "multipart-subtype": lambda s, t: s.post(HERE, data=part_of(subtype=f"mixed{t}")),
    "multipart-boundary": lambda s, t: s.post(HERE, data=part_of(boundary=f"B{t}")),
    "payload-type": lambda s, t: s.post(
        HERE, data=windtunnel.payload.BytesPayload(b"x", content_type=f"a/b{t}")
    ),
    "compress": lambda s, t: s.post(HERE, data=b"x", compress=f"gzip{t}"),
    "proxy-header-name": lambda s, t: s.get(
        "https://b.test/", proxy=HERE, proxy_headers={f"X{t}": "1"}
    ),
    "proxy-header-value": lambda s, t: s.get(
        "https://b.test/", proxy=HERE, proxy_headers={"X": f"1{t}"}
    ),
    "proxy-credentials": lambda s, t: s.get(
        "https://b.test/", proxy=URL(HERE).with_user(f"u{t}").with_password(t)
    ),
    "host-for-the-proxy": lambda s, t: s.get(
        URL(f"https://b.test{t}/", encoded=True), proxy=HERE
    ),
    "websocket-protocol": lambda s, t: s.ws_connect(HERE, protocols=[f"p{t}"]),
    "websocket-origin": lambda s, t: s.ws_connect(HERE, origin=f"http://o.test{t}"),
    "websocket-header": lambda s, t: s.ws_connect(HERE, headers={"X": f"1{t}"}),
    "base64-credentials": lambda s, t: s.get(
        HERE, headers={"Authorization": windtunnel.encode_basic_auth("u", t)}
    ),
}
# These have a place for any text: they encode it. All others must refuse a line end.
ENCODING = {
    "path",
    "query",
    "fragment",
    "params-mapping",
    "params-text",
    "credentials",
    "form-fields",
    "base64-credentials",
}


def sent_by(way: str, text: str) -> bytes | None:
    """Make the request; give what it sent, None if the call refused the text."""

    async def script(wire: Wire) -> None:
        await wire.read_request()
        await wire.send(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")
        await wire.read_until_eof()

    async def main(tunnel: Tunnel) -> bytes | None:
        async with windtunnel.ClientSession() as session:
            try:
                await WAYS[way](session, text)
            except (ValueError, TypeError, CookieError):
                assert tunnel.journal.connections == [], "refused after it was sent"
                return None
            except windtunnel.ClientConnectorDNSError:
                # What yarl made of it is another host: nothing was sent.
                assert tunnel.journal.connections == []
                return None
            except windtunnel.ClientResponseError:
                # The answer to CONNECT, or to a WebSocket handshake.
                assert len(tunnel.journal.connections) == 1
        return b"".join(each.received for each in tunnel.journal.connections)

    tunnel = Tunnel(strict=False)
    tunnel.host("http://a.test").on_connect(script)
    return tunnel.run(main)


def shape(sent: bytes) -> tuple[list[bytes], int]:
    """Say which fields a request has, and how many lines in all."""
    head, _, body = sent.partition(b"\r\n\r\n")
    request_line, *lines = head.split(b"\r\n")
    assert re.fullmatch(rb"[!-~]+ [!-~\x80-\xff]+ HTTP/1\.1", request_line)
    names: list[bytes] = []
    for line in lines:
        match = re.fullmatch(rb"([!-9;-~]+): ([\t -~\x80-\xff]*)", line)
        assert match is not None, line
        # The text of a name of our own may have gone on.
        names.append(b"X" if match[1].startswith(b"X") else match[1])
    if b"Content-Encoding" not in names:
        assert re.search(rb"[\0-\x08\x0b\x0c\x0e-\x1f\x7f]", body) is None
        assert body.count(b"\n") == body.count(b"\r") == body.count(b"\r\n")
    assert re.search(rb"(?im)^evil:", sent) is None
    return names, sent.count(b"\r\n")


CONTROLS = ["\0", "\x01", "\n", "\x0b", "\x0c", "\r", "\x1c", "\x1f", "\x7f"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_what_would_end_a_line_is_refused_before_a_byte_is_sent_or_encoded(
    way: str,
) -> None:
    harmless = sent_by(way, "")
    assert harmless
    expected = shape(harmless)
    for text in [EVIL, "\nEvil: 1", "\rEvil: 1", *CONTROLS]:
        sent = sent_by(way, text)
        if sent is None:
            assert way not in ENCODING, repr(text)
        else:
            assert shape(sent) == expected, repr(text)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@settings(derandomize=True, max_examples=8, deadline=None, database=None)
@given(
    # U+010A and U+560A end in the byte of a line feed, U+0085 and U+2028 are line ends.
    st.text(st.sampled_from("a \t\"';=:,/\\%#?@&[]é\x85\u010a\u2028\u560a\U0001f600"))
)
def test_any_other_text_stays_where_it_belongs(way: str, text: str) -> None:
    harmless = sent_by(way, "")
    sent = sent_by(way, text)
    assert harmless is not None
    if sent:
        assert shape(sent) == shape(harmless)

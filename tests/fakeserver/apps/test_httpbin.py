from __future__ import annotations

import gzip
import json
import zlib

import pytest

from tests.fakeserver.apps.asking import ask, field, request, told
from windtunnel_fakeserver import Pause
from windtunnel_fakeserver.apps import httpbin


def test_get_tells_args_headers_origin_and_url() -> None:
    reply = ask("GET", "/get?a=1&b=2&a=3", accept="*/*", x_long_name="v")

    assert reply.status == 200
    assert told(reply) == {
        "args": {"a": ["1", "3"], "b": "2"},
        "headers": {"Host": "httpbin.org", "Accept": "*/*", "X-Long-Name": "v"},
        "origin": "192.0.2.1",
        "url": "http://httpbin.org/get?a=1&b=2&a=3",
    }


def test_json_is_sorted_indented_and_ends_with_a_line_break_as_the_real_one() -> None:
    text = ask("GET", "/get").body.decode()

    assert text.startswith('{\n  "args": {},\n  "headers"')
    assert text.endswith("}\n")


def test_repeated_header_lines_are_joined_by_commas() -> None:
    asked = request("GET", "/headers")
    asked.headers.extend([("x-a", "1"), ("X-A", "2")])

    assert told(httpbin(asked))["headers"]["X-A"] == "1,2"


def test_url_follows_the_host_field_and_falls_back_to_the_origin() -> None:
    asked = request("GET", "/get", server="https://httpbin.org")
    assert told(httpbin(asked))["url"] == "https://httpbin.org/get"

    asked.headers.clear()
    assert told(httpbin(asked))["url"] == "https://httpbin.org/get"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_body_without_a_form_type_is_data_and_json_if_it_is_json(method: str) -> None:
    body = told(ask(method, f"/{method.lower()}", b'{"a": [1]}'))

    assert (body["data"], body["json"]) == ('{"a": [1]}', {"a": [1]})
    assert (body["form"], body["files"], body["args"]) == ({}, {}, {})
    assert told(ask(method, f"/{method.lower()}", b"plain"))["json"] is None


def test_body_that_is_not_text_becomes_a_data_url() -> None:
    body = told(ask("POST", "/post", b"\x00\xff"))

    assert body["data"] == "data:application/octet-stream;base64,AP8="


def test_urlencoded_form_goes_to_form_and_not_to_data() -> None:
    kind = "application/x-www-form-urlencoded; charset=utf-8"
    body = told(ask("POST", "/post", b"key1=v+1&key2=a&key2=b", content_type=kind))

    assert body["form"] == {"key1": "v 1", "key2": ["a", "b"]}
    assert (body["data"], body["json"]) == ("", None)


def test_multipart_form_is_split_into_values_and_files() -> None:
    parts = (
        b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
        b'--B\r\ncontent-disposition: form-data; name="f"; filename="r.bin"\r\n'
        b"Content-Type: application/octet-stream\r\n\r\n\xff\r\n--\r\n"
        b"--B--\r\nepilogue"
    )
    kind = 'multipart/form-data; boundary="B"'
    body = told(ask("POST", "/post", parts, content_type=kind))

    assert body["form"] == {"a": "1"}
    assert body["files"] == {"f": "data:application/octet-stream;base64,/w0KLS0="}
    assert body["data"] == ""


def test_broken_multipart_gives_no_parts_and_no_error() -> None:
    nameless = b'--B\r\nContent-Disposition: form-data; filename="x"\r\n\r\n1\r\n--B--'
    bare = b"--B\r\nX-A: 1\r\n\r\n1\r\n--B--"
    for kind, parts in [
        ("multipart/form-data", nameless),
        ("multipart/form-data; boundary=B", nameless),
        ("multipart/form-data; boundary=B", bare),
    ]:
        body = told(ask("POST", "/post", parts, content_type=kind))
        assert (body["form"], body["files"]) == ({}, {})


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "DELETE"])
def test_anything_answers_every_method_on_every_path_below_it(method: str) -> None:
    body = told(ask(method, "/anything/a/b?c=d", b"x"))

    assert (body["method"], body["args"], body["data"]) == (method, {"c": "d"}, "x")
    assert body["url"] == "http://httpbin.org/anything/a/b?c=d"


def test_ip_and_user_agent_tell_one_thing_each() -> None:
    assert told(ask("GET", "/ip")) == {"origin": "192.0.2.1"}
    assert told(ask("GET", "/user-agent", user_agent="u/1")) == {"user-agent": "u/1"}
    assert told(ask("GET", "/user-agent")) == {"user-agent": None}


def test_head_is_answered_like_get() -> None:
    assert ask("HEAD", "/get").body == ask("GET", "/get").body


def test_options_names_the_allowed_methods() -> None:
    assert field(ask("OPTIONS", "/get"), "allow") == "GET, HEAD, OPTIONS"


def test_unknown_path_is_404_and_wrong_method_is_405() -> None:
    assert ask("GET", "/nothing").status == 404
    assert ask("GET", "/get/more").status == 404
    assert ask("GET", "/delay").status == 404
    assert ask("GET", "/encoding/latin1").status == 404

    refused = ask("POST", "/get")
    assert (refused.status, field(refused, "allow")) == (405, "GET, HEAD, OPTIONS")


@pytest.mark.parametrize(
    ("code", "name", "value"),
    [
        pytest.param(204, "content-type", "text/html; charset=utf-8", id="plain"),
        pytest.param(302, "location", "/redirect/1", id="redirect"),
        pytest.param(401, "www-authenticate", 'Basic realm="Fake Realm"', id="auth"),
    ],
)
def test_status_replies_with_the_code_and_its_field(
    code: int, name: str, value: str
) -> None:
    reply = ask("GET", f"/status/{code}")

    assert (reply.status, field(reply, name)) == (code, value)


def test_status_418_has_a_body() -> None:
    assert b"teapot" in ask("GET", "/status/418").body


def test_status_draws_among_codes_by_weight_and_place_but_always_the_same() -> None:
    def draws() -> list[int]:
        return [
            httpbin(request("GET", "/status/200:1,500:3", exchange=n)).status
            for n in range(40)
        ]

    first = draws()
    assert first == draws()
    assert set(first) == {200, 500}
    assert first.count(500) > first.count(200)


def test_redirect_counts_down_to_get() -> None:
    assert field(ask("GET", "/redirect/3"), "location") == "/redirect/2"
    assert field(ask("GET", "/redirect/1"), "location") == "/get"


def test_delay_has_no_upper_end_because_time_is_free() -> None:
    reply = ask("GET", "/delay/600.5")

    assert reply.delay == 600.5
    assert set(told(reply)) == {
        "args", "data", "files", "form", "headers", "origin", "url",
    }  # fmt: skip


def test_drip_spreads_its_bytes_over_the_duration() -> None:
    reply = ask("GET", "/drip?duration=5&numbytes=2&code=201&delay=1")

    assert (reply.status, reply.delay) == (201, 1.0)
    assert reply.chunks == (b"*", Pause(2.5), b"*", Pause(2.5))
    assert field(reply, "content-length") == "2"


def test_stream_sends_one_json_line_per_number() -> None:
    reply = ask("GET", "/stream/2?a=b")
    assert reply.chunks is not None
    lines = [json.loads(piece) for piece in reply.chunks if isinstance(piece, bytes)]

    assert [(line["id"], line["args"]) for line in lines] == [
        (0, {"a": "b"}),
        (1, {"a": "b"}),
    ]


def test_bytes_are_decided_by_the_seed() -> None:
    assert len(ask("GET", "/bytes/100").body) == 100
    assert ask("GET", "/bytes/9?seed=1").body == ask("GET", "/bytes/9?seed=1").body
    assert ask("GET", "/bytes/9?seed=1").body != ask("GET", "/bytes/9?seed=2").body
    # What the real httpbin sends for this seed.
    assert ask("GET", "/bytes/4?seed=0").body == b"\xc5\xd7\x14\x84"


def test_gzip_and_deflate_bodies_are_packed_json() -> None:
    packed = ask("GET", "/gzip")
    assert field(packed, "content-encoding") == "gzip"
    assert json.loads(gzip.decompress(packed.body))["gzipped"] is True
    assert packed.body == ask("GET", "/gzip").body

    packed = ask("GET", "/deflate")
    assert field(packed, "content-encoding") == "deflate"
    assert json.loads(zlib.decompress(packed.body))["deflated"] is True


def test_encoding_utf8_has_letters_of_every_length() -> None:
    text = ask("GET", "/encoding/utf8").body.decode()

    assert {len(letter.encode()) for letter in text} == {1, 2, 3, 4}


@pytest.mark.parametrize(
    ("target", "words"),
    [
        pytest.param(
            "/delay/soon",
            "'soon' is not a delay in seconds, a number in 0 or more",
            id="no-number",
        ),
        pytest.param("/delay/-1", "'-1' is not a delay", id="negative"),
        pytest.param("/delay/inf", "'inf' is not a delay", id="infinite"),
        pytest.param("/delay/nan", "'nan' is not a delay", id="nan"),
        pytest.param("/bytes/999999", "a number in 0..102400", id="too-many-bytes"),
        pytest.param("/bytes/1?seed=x", "'x' is not seed", id="seed"),
        pytest.param("/stream/101", "a number in 0..100", id="too-many-lines"),
        pytest.param("/status/99", "a number in 100..999", id="status"),
        pytest.param("/status/200:x", "'x' is not a weight", id="weight"),
        pytest.param("/redirect/0", "a number in 1 or more", id="redirect"),
        pytest.param("/drip?numbytes=0", "a number in 1..102400", id="drip"),
    ],
)
def test_argument_out_of_range_is_a_400_that_says_what_is_allowed(
    target: str, words: str
) -> None:
    reply = ask("GET", target)

    assert reply.status == 400
    assert words in reply.body.decode()


def test_status_with_only_zero_weights_is_a_400() -> None:
    assert ask("GET", "/status/200:0,500:0").status == 400

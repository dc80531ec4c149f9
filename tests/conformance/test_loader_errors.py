from __future__ import annotations

import pytest

from tests.conformance import casefile
from windtunnel_conformance.errors import CaseError


def problem(**parts: str) -> str:
    """Return the message that a wrong case file gives."""
    with pytest.raises(CaseError) as caught:
        casefile.case(**parts)
    assert str(caught.value).startswith(casefile.FILE)
    return str(caught.value)


@pytest.mark.parametrize(
    ("part", "old", "new", "message"),
    [
        pytest.param(
            "client",
            "method =",
            "methd =",
            "client[0].request.methd: unknown key 'methd'; did you mean 'method'? "
            "(allowed: auth, body, cookies, decode, headers, method, params, read_as, "
            "stream, timeout, url)",
            id="misspelt-key",
        ),
        pytest.param(
            "client",
            'method = "GET", ',
            "",
            "client[0].request: the key 'method' is missing",
            id="missing-key",
        ),
        pytest.param(
            "client",
            'as = "r"',
            "",
            "client[0]: the key 'as' is missing; it names the result",
            id="nameless-request",
        ),
        pytest.param("client", '"r"', '"R"', "client[0].as: 'R' is no name", id="name"),
        pytest.param(
            "client",
            "request =",
            "sleep = 1\nrequest =",
            "client[0]: needs exactly one verb of: request, read, ws, send, recv, "
            "close, sleep, wait_for, signal, group; it has 2",
            id="two-verbs",
        ),
        pytest.param(
            "client",
            "/",
            '/", body = { chunks = [1] }, read_as = "text',
            "body.chunks[0]: is 1, but bytes are a string, a table or an array",
            id="chunk",
        ),
        pytest.param(
            "client",
            "${a}/",
            '/", headers = [["a"]], read_as = "text',
            "headers[0]: has 1 parts, but must be [name, value]",
            id="pair",
        ),
        pytest.param(
            "client",
            "${a}/",
            '/", timeout = { total = -1 }, read_as = "text',
            "timeout.total: is -1, but must be finite and not negative",
            id="negative-time",
        ),
        pytest.param(
            "client",
            "${a}/",
            '/", timeout = { total = true }, read_as = "text',
            "timeout.total: is True, but must be a number of seconds",
            id="no-time",
        ),
        pytest.param(
            "client",
            "${a}/",
            '/", stream = 1, read_as = "text',
            "stream: is 1, but must be true or false",
            id="flag",
        ),
        pytest.param(
            "client",
            '"${a}/"',
            "1",
            "client[0].request.url: is 1, but must be a string",
            id="no-string",
        ),
        pytest.param(
            "client",
            'request = { method = "GET", url = "${a}/" }',
            'read = { on = "q" }',
            "client[0].read.on: is 'q' (allowed: )",
            id="read-of-nothing",
        ),
        pytest.param(
            "client",
            'request = { method = "GET", url = "${a}/" }',
            "request = 1",
            "client[0].request: is 1, but must be a table",
            id="no-table",
        ),
        pytest.param(
            "client",
            'request = { method = "GET", url = "${a}/" }',
            "group = [[]]",
            "client[0].group[0]: has no actions",
            id="empty-branch",
        ),
        pytest.param(
            "client",
            "${a}",
            "${b}",
            "the placeholder ${b} names nothing (known: a, a.authority, a.host, "
            'a.port); a named byte value is written { use = "name" }, a dollar $$',
            id="placeholder",
        ),
        pytest.param(
            "peer",
            "request",
            "requst",
            "peer[0].steps[0].read: is 'requst' (allowed: head, request, eof, ws and "
            "bytes:N)",
            id="read",
        ),
        pytest.param(
            "peer",
            'read = "request"',
            'rea = "request"',
            "peer[0].steps[0].rea: unknown key 'rea'; did you mean 'read'?",
            id="step",
        ),
        pytest.param(
            "peer",
            '"request" }',
            '"request", wait = 1 }',
            "peer[0].steps[0]: has 2 keys, but needs exactly one of: close,",
            id="two-steps-in-one",
        ),
        pytest.param(
            "peer",
            '{ read = "request" }',
            "{ half_close = false }",
            "half_close: is false; leave the step out instead",
            id="false-step",
        ),
        pytest.param(
            "peer",
            '{ read = "request" }',
            '{ read = "eof" }, { tls = "server" }',
            "peer[0].steps: tls can only be the first step",
            id="late-tls",
        ),
        pytest.param(
            "peer",
            "HTTP/1.1 200 OK\\r\\n\\r\\n",
            "",
            "peer[0].steps[1].send: sends nothing",
            id="empty-send",
        ),
        pytest.param(
            "peer",
            "steps",
            'on = "b"\nsteps',
            "peer[0].on: is 'b' (allowed: a)",
            id="unknown-origin",
        ),
        pytest.param(
            "expect",
            '"pass"',
            '"pas"',
            "expect[0].verdict: is 'pas'; did you mean 'pass'? (allowed: pass, "
            "lenient, info)",
            id="verdict",
        ),
        pytest.param(
            "expect",
            '"pass"',
            '"lenient"',
            "expect[0]: a lenient alternative needs a 'note' that says why",
            id="note",
        ),
        pytest.param(
            "expect",
            "[expect.got.r]\nstatus = 200",
            "connections = 1",
            "expect[0]: compares nothing; it needs 'got', 'sent' or 'frames'",
            id="compares-nothing",
        ),
        pytest.param(
            "expect",
            '"pass"',
            '"pass"\nwithin = 1',
            "expect[0].within: needs 'at'",
            id="within",
        ),
        pytest.param(
            "expect",
            "got.r",
            "got.q",
            "expect[0].got.q: no action is named 'q' (there: r)",
            id="unknown-action",
        ),
        pytest.param(
            "expect",
            "status = 200",
            'error = "timeout.totl"',
            "'timeout.totl' is no class of the error tree; did you mean "
            "'timeout.total'?",
            id="error-class",
        ),
        pytest.param(
            "expect",
            "status = 200",
            "status = 1.5",
            "status: is 1.5, but must be a whole number",
            id="number",
        ),
        pytest.param(
            "expect",
            "status = 200",
            "status = 100000",
            "status: is 100000, but must be from 0 to 99999",
            id="range",
        ),
        pytest.param(
            "expect",
            "status = 200",
            'reason = { re = "(" }',
            "reason.re: is no regular expression",
            id="re",
        ),
        pytest.param(
            "expect",
            "status = 200",
            'reason = { re = "a", prefix = "b" }',
            "reason: needs exactly one of re, prefix, sha256, any_of, capture, "
            "absent; sha256 goes with len",
            id="two-operators",
        ),
        pytest.param(
            "expect",
            "status = 200",
            'body = { sha256 = "00", len = 1 }',
            "body.sha256: must be 64 lower-case hex digits",
            id="digest",
        ),
        pytest.param(
            "expect",
            "status = 200",
            "body = { absent = false }",
            "body.absent: is false; leave the key out instead",
            id="absent",
        ),
        pytest.param(
            "expect",
            "status = 200",
            "body = { any_of = [] }",
            "body.any_of: has no options",
            id="any-of-nothing",
        ),
        pytest.param(
            "expect",
            "status = 200",
            "history = [1.5]",
            "history[0]: must be a number, a string or a list of them",
            id="list",
        ),
        pytest.param(
            "expect",
            "status = 200",
            'headers = { X-A = "1" }',
            "headers.X-A: 'X-A' is no field name in lower case",
            id="field-name",
        ),
        pytest.param(
            "expect",
            "status = 200",
            'body = "\\u0100"',
            "character 'Ā' at 0 is above U+00FF and no single byte; write "
            "{ utf8 = ... } for its UTF-8 bytes",
            id="wide-character",
        ),
        pytest.param(
            "expect",
            "status = 200",
            'status = 200\n[[expect.sent]]\nabsent = ["A B"]',
            "sent[0].absent[0]: 'A B' is no field name in lower case",
            id="absent-name",
        ),
        pytest.param(
            "expect",
            "status = 200",
            'status = 200\n[[expect.sent]]\nbody = ""\nbody_like = [""]',
            "body_like: 'body' is there already",
            id="two-bodies",
        ),
        pytest.param(
            "expect",
            "status = 200",
            "status = 200\n[[expect.sent]]\nbody_like = []",
            "body_like: is empty",
            id="empty-template",
        ),
        pytest.param(
            "expect",
            '"pass"',
            '"pass"\nwhen = { m = 1 }',
            "expect[0].when.m: 'm' is no column of [vary] (there: none)",
            id="when-without-vary",
        ),
        pytest.param(
            "head", "format = 1", "format = 2", "format: is not 1", id="format"
        ),
        pytest.param(
            "head",
            "family/slug",
            "family/other",
            "id: is 'family/other', but the path of the file says 'family/slug'",
            id="id",
        ),
        pytest.param(
            "head", "family/slug", "Family", "id: 'Family' is no id", id="id-form"
        ),
        pytest.param(
            "head",
            '"rfc9112#3"',
            '"rfc9112"',
            "spec[0]: 'rfc9112' is not of the form document#section",
            id="spec",
        ),
        pytest.param(
            "head", '"rfc9112#3"', "", "spec: cites nothing", id="spec-missing"
        ),
        pytest.param(
            "head", "must", "shall", "level: is 'shall' (allowed: must,", id="level"
        ),
        pytest.param(
            "head",
            "title =",
            'needs = ["tsl"]\ntitle =',
            "needs[0]: is 'tsl'; did you mean 'tls'?",
            id="capability",
        ),
        pytest.param(
            "head",
            'title = "A title"',
            "title = 2026-01-01",
            "title: is datetime.date(2026, 1, 1), but must be a string",
            id="date",
        ),
        pytest.param(
            "head",
            "[",
            "x[",
            "not TOML: ",
            id="not-toml",
        ),
    ],
)
def test_a_wrong_file_is_refused_with_key_and_allowed_values(
    part: str, old: str, new: str, message: str
) -> None:
    parts = {
        "head": casefile.HEAD,
        "client": casefile.CLIENT,
        "peer": casefile.PEER,
        "expect": casefile.EXPECT,
    }
    assert old in parts[part]
    parts[part] = parts[part].replace(old, new, 1)
    assert message in problem(**parts)


@pytest.mark.parametrize(
    ("top", "message"),
    [
        ('[origins]\nA = { url = "http://a" }', "origins.A: 'A' is no name"),
        (
            '[origins]\na = { url = "ftp://a" }',
            "origins.a.url: is 'ftp://a', but must be http://host or https://host",
        ),
        (
            '[origins]\na = { url = "http://a/x" }',
            "origins.a.url: is 'http://a/x', but an origin has no path or user",
        ),
        (
            '[origins]\na = { url = "http://a", tls = { names = [] } }',
            "origins.a.tls: an http origin has no certificate",
        ),
        (
            '[origins]\nb = { url = "http://b" }',
            "the placeholder ${a} names nothing",
        ),
        (
            '[origins]\na = { url = "http://a", connect = "refuse" }',
            "peer[0]: the origin 'a' accepts no connection",
        ),
        ("[clock]\nstart = 1.0", "clock.start: only mode = 'virtual'"),
        ('[clock]\nwall = "today"', "clock.wall: is 'today', but must be like"),
        ("[session]\nlimit = 0", "session.limit: is 0, but must be from 1"),
        ('[let]\nx = "a"', "let: nothing uses the value 'x'"),
        (
            '[let]\nx = { capture = "y" }',
            "let.x.capture: is 'y', but must be 'x'",
        ),
        (
            '[vary]\ntable = [{ m = "GET" }]',
            "vary: nothing uses the column 'm'",
        ),
        (
            '[vary]\ntable = [{ a = "GET" }]',
            "vary: the column 'a' has the name of an origin",
        ),
    ],
)
def test_a_wrong_table_at_the_top_is_refused(top: str, message: str) -> None:
    assert message in problem(top=top)


def test_an_action_cannot_have_the_name_of_another() -> None:
    assert "client[1]: a second action is named 'r'" in problem(
        client=casefile.CLIENT * 2
    )


def test_a_peer_without_origin_a_has_to_say_where_it_is() -> None:
    assert "peer[0]: there is no origin 'a'" in problem(
        top='[origins]\nb = { url = "http://b" }',
        client=casefile.CLIENT.replace("${a}", "${b}"),
    )


def test_a_plain_script_cannot_begin_with_tls() -> None:
    assert "peer[0].plain: the first step is tls" in problem(
        peer='[[peer]]\nplain = true\nsteps = [{ tls = "server" }]'
    )


def test_a_variant_without_alternative_is_refused() -> None:
    assert "expect: no alternative applies to the variant 'm=POST'" in problem(
        top='[vary]\ntable = [{ m = "GET" }, { m = "POST" }]',
        expect=casefile.EXPECT.replace('"pass"', '"pass"\nwhen = { m = "GET" }'),
    )


def test_a_condition_of_another_type_than_its_column_is_refused() -> None:
    assert "expect[0].when.n: is of another type than 1" in problem(
        top="[vary]\ntable = [{ n = 1 }, { n = 2 }]",
        expect=casefile.EXPECT.replace('"pass"', '"pass"\nwhen = { n = "1" }'),
    )


def test_a_capture_stands_only_in_a_body_template() -> None:
    assert "a captured value can stand only in body_like" in problem(
        top='[let]\nx = { capture = "x" }',
        expect=casefile.EXPECT.replace("status = 200", 'body = "${x}"'),
    )


def test_infinity_is_no_json() -> None:
    assert "json: is inf, which JSON cannot carry" in problem(
        expect=casefile.EXPECT.replace("status = 200", "json = inf")
    )


def test_a_date_is_no_json() -> None:
    assert "dates and times are written as strings" in problem(
        expect=casefile.EXPECT.replace("status = 200", "json = 2026-01-01")
    )


def test_a_table_where_an_array_belongs_is_named_by_its_keys() -> None:
    assert "spec: is a table with the keys 'x, y', but must be an array" in problem(
        head=casefile.HEAD.replace('["rfc9112#3"]', "{ x = 1, y = 2 }")
    )


def test_an_array_where_a_string_belongs_is_called_one() -> None:
    assert "title: is an array, but must be a string" in problem(
        head=casefile.HEAD.replace('"A title"', "[]")
    )


def test_a_long_value_is_cut_in_the_message() -> None:
    assert "level: is 'xxxx" in problem(head=casefile.HEAD.replace("must", "x" * 90))
    assert f"format: is '{'y' * 39}..., but must be a whole number" in problem(
        head=casefile.HEAD.replace("format = 1", f'format = "{"y" * 90}"')
    )

"""The error tree is the one that users of the compatible API catch."""

from __future__ import annotations

import asyncio
import inspect
import json
import pickle
import ssl
import warnings
from typing import Any, cast

import aiohttp
import pytest
from aiohttp import client_exceptions as theirs
from aiohttp.client_reqrep import ConnectionKey as TheirKey
from multidict import CIMultiDict, CIMultiDictProxy, MultiDict, MultiDictProxy
from yarl import URL

from windtunnel import errors
from windtunnel._base.typedefs import ConnectionKey, RequestInfo

KEY = ConnectionKey("example.com", 8443, True, True, None, None, None)
REFUSED = ConnectionRefusedError(111, "refused")
BAD_CERTIFICATE = ssl.SSLCertVerificationError("expired")
REQUEST = RequestInfo(
    URL("http://example.com/a"),
    "GET",
    CIMultiDictProxy(CIMultiDict([("Accept", "*/*"), ("X", "1"), ("x", "2")])),
    URL("http://example.com/a#part"),
)

REFERENCE: dict[str, type[BaseException]] = {
    name: value
    for name, value in (
        *vars(theirs).items(),
        ("EofStream", aiohttp.EofStream),
        ("WebSocketError", aiohttp.WebSocketError),
    )
    if inspect.isclass(value) and issubclass(value, Exception)
}


@pytest.mark.parametrize("name", sorted(REFERENCE))
def test_class_has_the_bases_of_the_compatible_one(name: str) -> None:
    ours = getattr(errors, name)
    assert [base.__name__ for base in ours.__bases__] == [
        base.__name__ for base in REFERENCE[name].__bases__
    ]
    assert name in errors.__all__


@pytest.mark.parametrize("name", sorted(REFERENCE))
def test_constructor_has_the_parameters_of_the_compatible_one(name: str) -> None:
    def shape(cls: type[BaseException]) -> list[tuple[str, object, str]]:
        parameters = inspect.signature(cls.__init__).parameters.values()
        return [(p.name, p.kind, repr(p.default)) for p in parameters]

    assert shape(getattr(errors, name)) == shape(REFERENCE[name])


def test_only_the_total_timeout_is_new() -> None:
    assert set(errors.__all__) - set(REFERENCE) == {"TotalTimeoutError"}


def response_error(module: Any, name: str = "ClientResponseError", **facts: Any) -> Any:
    info = aiohttp.RequestInfo(*REQUEST) if module is theirs else REQUEST
    return getattr(module, name)(info, (), **facts)


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param({}, id="nothing known"),
        pytest.param({"status": 404, "message": "Not Found"}, id="status and reason"),
        pytest.param({"message": 'a "b"', "headers": {"a": "b"}}, id="headers"),
        pytest.param({"status": 0}, id="status zero"),
    ],
)
def test_response_error_says_the_same_as_the_compatible_one(
    facts: dict[str, Any],
) -> None:
    ours, reference = response_error(errors, **facts), response_error(theirs, **facts)
    assert str(ours) == str(reference)
    assert repr(ours) == repr(reference)
    assert ours.args == reference.args
    assert (ours.status, ours.message) == (reference.status, reference.message)


def test_response_error_without_a_request_can_still_be_printed() -> None:
    assert str(errors.ClientResponseError(None, ())) == "0, message='', url=None"


def test_old_name_of_the_status_works_and_warns() -> None:
    with pytest.warns(DeprecationWarning, match="code argument"):
        error = response_error(errors, code=502)
    assert error.status == 502
    with pytest.warns(DeprecationWarning, match="code property"):
        assert error.code == 502
    with pytest.warns(DeprecationWarning, match="code property"):
        error.code = 503
    assert error.status == 503


def test_old_and_new_name_of_the_status_together_are_refused() -> None:
    with pytest.raises(ValueError, match="code=1 and status=2"):
        response_error(errors, code=1, status=2)


CONNECTOR_ERRORS = [
    "ClientConnectorError",
    "ClientConnectorDNSError",
    "ClientProxyConnectionError",
    "ClientSSLError",
    "ClientConnectorSSLError",
]


@pytest.mark.parametrize("tls", [True, False])
@pytest.mark.parametrize("name", CONNECTOR_ERRORS)
def test_connector_error_says_the_same_as_the_compatible_one(
    name: str, tls: bool
) -> None:
    ours = getattr(errors, name)(KEY._replace(ssl=tls), REFUSED)
    reference = getattr(theirs, name)(their_key(tls), REFUSED)
    assert str(ours) == str(reference)
    for field in ("host", "port", "ssl", "os_error", "errno", "strerror"):
        assert getattr(ours, field) == getattr(reference, field)


def their_key(tls: bool) -> TheirKey:
    return TheirKey("example.com", 8443, True, tls, None, None, None)


@pytest.mark.parametrize("tls", [True, False])
def test_unix_connector_error_names_the_path(tls: bool) -> None:
    key = KEY._replace(ssl=tls)
    error = errors.UnixClientConnectorError("/run/a.sock", key, REFUSED)
    assert str(error) == str(
        theirs.UnixClientConnectorError("/run/a.sock", their_key(tls), REFUSED)
    )
    assert error.path == "/run/a.sock"


@pytest.mark.parametrize("cause", [BAD_CERTIFICATE, ValueError("odd")])
def test_certificate_error_keeps_the_cause(cause: Exception) -> None:
    error = errors.ClientConnectorCertificateError(KEY, cause)
    reference = theirs.ClientConnectorCertificateError(their_key(True), cause)
    assert str(error) == str(reference)
    assert error.certificate_error is cause
    assert error.ssl is True
    assert isinstance(error, ssl.CertificateError)


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        pytest.param(OSError(2, "no entry"), "no entry", id="strerror"),
        pytest.param(OSError("odd"), "odd", id="only a text"),
        pytest.param(OSError(), "OSError", id="nothing"),
    ],
)
def test_connector_error_always_has_a_reason(cause: OSError, reason: str) -> None:
    assert str(errors.ClientConnectorError(KEY, cause)).endswith(f"[{reason}]")


@pytest.mark.parametrize(
    ("ours", "reference"),
    [
        (errors.ServerDisconnectedError(), theirs.ServerDisconnectedError()),
        (
            errors.ServerDisconnectedError("gone"),
            theirs.ServerDisconnectedError("gone"),
        ),
        (
            errors.ServerFingerprintMismatch(b"a", b"b", "h", 1),
            theirs.ServerFingerprintMismatch(b"a", b"b", "h", 1),
        ),
        (errors.ClientOSError(5, "x"), theirs.ClientOSError(5, "x")),
        (errors.InvalidURL("u"), theirs.InvalidURL("u")),
        (
            errors.InvalidURL(URL("http://u"), "d"),
            theirs.InvalidURL(URL("http://u"), "d"),
        ),
        (errors.NonHttpUrlClientError("u"), theirs.NonHttpUrlClientError("u")),
        (errors.WebSocketError(1002, "m"), aiohttp.WebSocketError(1002, "m")),
    ],
    ids=lambda value: type(value).__name__,
)
def test_text_is_the_compatible_one(
    ours: BaseException, reference: BaseException
) -> None:
    assert str(ours) == str(reference)
    assert repr(ours) == repr(reference)
    assert ours.args == reference.args


def test_invalid_url_has_its_parts_as_fields() -> None:
    error = errors.InvalidUrlRedirectClientError("http://", "has no host")
    assert (error.url, error.description) == ("http://", "has no host")
    assert isinstance(error, ValueError)
    assert isinstance(error, errors.RedirectClientError)


def test_timeouts_are_caught_as_asyncio_timeouts() -> None:
    for cls in (errors.ConnectionTimeoutError, errors.SocketTimeoutError):
        assert issubclass(cls, asyncio.TimeoutError)
        assert issubclass(cls, errors.ClientError)


def test_total_timeout_says_what_was_cut_and_is_no_client_error() -> None:
    error = errors.TotalTimeoutError("GET", URL("http://h/"), "reading the body", 300.0)
    assert str(error) == (
        "GET http://h/ was cut after 300 s (total timeout) while reading the body"
    )
    assert isinstance(error, asyncio.TimeoutError)
    assert not isinstance(error, errors.ClientError)


PICKLED: list[BaseException] = [
    errors.ClientError("a", 1),
    errors.ClientConnectorError(KEY, REFUSED),
    errors.ClientConnectorSSLError(KEY, ssl.SSLError(1, "bad record")),
    errors.ClientConnectorCertificateError(KEY, BAD_CERTIFICATE),
    errors.UnixClientConnectorError("/run/a.sock", KEY, REFUSED),
    errors.ClientOSError(5, "x"),
    errors.ClientConnectionResetError("x"),
    errors.ServerDisconnectedError("gone"),
    errors.ServerFingerprintMismatch(b"a", b"b", "h", 1),
    errors.ConnectionTimeoutError("late"),
    errors.SocketTimeoutError(),
    errors.ClientPayloadError("short"),
    errors.UploadAbortedError(),
    errors.InvalidUrlClientError(URL("http://h"), "d"),
    errors.InvalidUrlRedirectClientError("u"),
    errors.NonHttpUrlRedirectClientError("u"),
    errors.TotalTimeoutError("GET", "http://h/", "connecting", 3),
    errors.WSMessageTypeError("x"),
    errors.WebSocketError(1002, "m"),
    errors.EofStream(),
]


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("error", PICKLED, ids=lambda error: type(error).__name__)
def test_error_survives_pickling(error: BaseException, protocol: int) -> None:
    copy = pickle.loads(pickle.dumps(error, protocol))
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert repr(copy.args) == repr(error.args)
    assert copy.__dict__.keys() == error.__dict__.keys()


@pytest.mark.parametrize(
    "headers",
    [
        None,
        {"a": "b"},
        CIMultiDictProxy(CIMultiDict([("Set-Cookie", "a"), ("set-cookie", "b")])),
        MultiDictProxy(MultiDict([("A", "b")])),
    ],
    ids=lambda headers: type(headers).__name__,
)
@pytest.mark.parametrize(
    "name",
    [
        "ClientResponseError",
        "ContentTypeError",
        "WSServerHandshakeError",
        "ClientHttpProxyError",
        "TooManyRedirects",
    ],
)
def test_response_error_survives_pickling_with_its_header_proxies(
    name: str, headers: Any
) -> None:
    live_response = lambda: None  # noqa: E731  # stands for something unpicklable
    error = getattr(errors, name)(
        REQUEST, (live_response,), status=400, message="m", headers=headers
    )
    error.hint = "set by a caller"
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert copy.request_info == REQUEST
    assert type(copy.request_info) is RequestInfo
    assert type(copy.request_info.headers) is CIMultiDictProxy
    assert copy.headers == headers
    assert type(copy.headers) is type(headers)
    assert (copy.status, copy.message, copy.hint) == (400, "m", "set by a caller")
    assert copy.history == ()


def test_pickled_response_error_needs_no_request() -> None:
    copy = pickle.loads(pickle.dumps(errors.ClientResponseError(None, (), status=400)))
    assert (copy.request_info, copy.status) == (None, 400)


def test_no_error_warns_when_it_is_made_pickled_or_printed() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for error in (*PICKLED, response_error(errors, status=400)):
            pickle.loads(pickle.dumps(error))
            json.dumps([str(error), repr(error)])


def test_attributes_of_os_error_are_available_on_connector_errors() -> None:
    error = cast("OSError", errors.ClientConnectorDNSError(KEY, REFUSED))
    assert error.errno == 111
    assert error.strerror == "refused"

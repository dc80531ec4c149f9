"""Inner failures to public errors: the one place where the two trees meet.

A failure of the wire or of the transport and the request it happened to come in, an
error of the compatible tree goes out.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from multidict import CIMultiDict, CIMultiDictProxy

from windtunnel._base.typedefs import RequestInfo
from windtunnel._body.decoders import DecodeError
from windtunnel._exchange.request import Request
from windtunnel._policy.deadline import NEVER
from windtunnel._transport.failures import (
    ClosedHere,
    DialFailed,
    Disconnected,
    ProxyRefused,
    TimedOut,
    UploadFailed,
)
from windtunnel._transport.settings import ReadSettings
from windtunnel._transport.tunnel import connect_fields
from windtunnel._wire.violation import WireError
from windtunnel.errors import (
    ClientConnectionError,
    ClientConnectorCertificateError,
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientConnectorSSLError,
    ClientHttpProxyError,
    ClientOSError,
    ClientPayloadError,
    ClientProxyConnectionError,
    ClientResponseError,
    ConnectionTimeoutError,
    ServerDisconnectedError,
    SocketTimeoutError,
    TotalTimeoutError,
    UnixClientConnectorError,
)

if TYPE_CHECKING:
    from windtunnel._exchange.request import Plan
    from windtunnel._policy.deadline import ClientTimeout


def explain(failure: BaseException, request: Request) -> BaseException:
    """Translate what kept a request from getting its response head.

    Returns:
        The public error with the failure's own cause; what is none of ours is returned
        as it is.
    """
    error: BaseException
    match failure:
        case WireError():
            # Compat: aiohttp reports a malformed head as a response with status 400.
            error = ClientResponseError(
                request.info, (), status=400, message=str(failure)
            )
            error.rule, error.offset = failure.rule, failure.offset
            error.__cause__ = _message_cause(failure)
            return error
        case Disconnected(error=None):
            error = ServerDisconnectedError()
        case Disconnected(error=reason):
            error = _os_error(reason, "connection lost")
        case DialFailed():
            error = _dial_error(failure)
        case ProxyRefused():
            error = _proxy_error(failure, request)
        case _:
            return _explain_common(failure, request)
    error.__cause__ = error.__cause__ or failure.__cause__
    return error


def explain_dial(
    failure: BaseException, plan: Plan, timeout: ClientTimeout
) -> BaseException:
    """Translate why there is no connection for what nobody has sent yet."""
    bare = Request(plan, None, ReadSettings(), timeout, NEVER, NEVER)
    return explain(failure, bare)


def explain_body(failure: BaseException, request: Request) -> BaseException:
    """Translate what broke the body of a response whose head had come."""
    match failure:
        case WireError() | DecodeError():
            error = ClientPayloadError(f"Response payload is not completed: {failure}")
            error.offset = failure.offset
            if isinstance(failure, WireError):
                error.rule = failure.rule
            error.__cause__ = _payload_cause(failure)
            return error
        case Disconnected():
            error = ClientPayloadError(
                f"Response payload is not completed: {_lost(failure)}"
            )
            error.rule = "RFC 9112 section 8"
            error.__cause__ = failure.error or _missing_cause(failure)
            return error
        case _:
            return _explain_common(failure, request)


def _explain_common(failure: BaseException, request: Request) -> BaseException:
    """Translate what means the same before and after the head."""
    error: BaseException
    match failure:
        case TimedOut(kind="total", phase=phase):
            seconds = request.timeout.total or 0.0
            error = TotalTimeoutError(
                request.plan.method, request.plan.target.url, phase.value, seconds
            )
        case TimedOut(kind="sock_read"):
            error = SocketTimeoutError("Timeout on reading data from socket")
        case TimedOut():
            error = ConnectionTimeoutError(
                f"Connection timeout to host {request.plan.target.url}"
            )
        case UploadFailed(error=OSError() as reason):
            error = ClientOSError(
                reason.errno,
                f"Can not write request body for {request.plan.target.url}",
            )
            error.__cause__ = reason
            return error
        case UploadFailed(error=reason):
            error = ClientConnectionError(
                f"Failed to send the request body for {request.plan.target.url}: "
                f"{reason!r}"
            )
            error.__cause__ = reason
            return error
        case ClosedHere(text=text):
            error = ClientConnectionError(text)
        case _:
            return failure
    error.__cause__ = failure.__cause__
    return error


def _message_cause(failure: WireError) -> BaseException:
    """Say of which kind the failure is, in classes that users know.

    Their module is loaded only here: most programs never need it.
    """
    from windtunnel.errors.http import BadHttpMessage, BadStatusLine

    cause: BadHttpMessage = BadHttpMessage(str(failure))
    if failure.rule == "RFC 9112 section 4":
        cause = BadStatusLine("", str(failure))
    cause.__cause__ = failure
    return cause


def _payload_cause(failure: WireError | DecodeError) -> BaseException:
    """Do the same for a body."""
    from windtunnel.errors.http import (
        ContentEncodingError,
        DecompressSizeError,
        PayloadEncodingError,
        TransferEncodingError,
    )

    kind: type[PayloadEncodingError] = TransferEncodingError
    if isinstance(failure, DecodeError):
        kind = DecompressSizeError if failure.is_too_large else ContentEncodingError
    cause = kind(str(failure))
    cause.__cause__ = failure
    return cause


def _missing_cause(failure: Disconnected) -> BaseException:
    """Do the same for a body that ended early in an orderly way."""
    from windtunnel.errors.http import ContentLengthError, PayloadEncodingError

    kind = PayloadEncodingError if failure.missing is None else ContentLengthError
    return kind(_lost(failure))


def _lost(failure: Disconnected) -> str:
    how = "the connection was closed"
    if failure.error is not None:
        how = f"the connection was lost ({failure.error})"
    if failure.missing is None:
        return f"{how} before its end"
    return f"{how} with {failure.missing} bytes missing"


def _os_error(reason: Exception | None, otherwise: str) -> ClientOSError:
    number = reason.errno if isinstance(reason, OSError) else None
    error = ClientOSError(number, str(reason) or otherwise)
    error.__cause__ = reason
    return error


def _dial_error(failure: DialFailed) -> ClientConnectorError:
    key, reason = failure.key, failure.error
    if failure.path is not None:
        return UnixClientConnectorError(failure.path, key, reason)
    if failure.is_dns:
        return ClientConnectorDNSError(key, reason)
    if isinstance(reason, ssl.SSLCertVerificationError):
        return ClientConnectorCertificateError(key, reason)
    if isinstance(reason, ssl.SSLError):
        return ClientConnectorSSLError(key, reason)
    kind = ClientProxyConnectionError if failure.is_proxy else ClientConnectorError
    return kind(key, reason)


def _proxy_error(failure: ProxyRefused, request: Request) -> ClientHttpProxyError:
    """Show the CONNECT that was refused, not the request that it was for."""
    key, head = request.plan.key, failure.head
    assert key.proxy is not None
    sent = CIMultiDictProxy(CIMultiDict(connect_fields(key, key.proxy)))
    return ClientHttpProxyError(
        RequestInfo(request.plan.target.url, "CONNECT", sent, key.proxy.url),
        (),
        status=head.status,
        message=head.reason,
        headers=CIMultiDictProxy(CIMultiDict(head.fields)),
    )

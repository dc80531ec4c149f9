"""Parity scenarios: the streams API, the ``sock_*`` calls of the loop, and TLS."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any

from tests.fakeserver.simulation.lab import (
    HOST,
    linger,
    outcome_of,
    outcome_of_call,
)
from tests.fakeserver.simulation.parity_close import MUCH

if TYPE_CHECKING:
    from tests.fakeserver.simulation.lab import Lab

# -- streams -------------------------------------------------------------------------


async def _end(writer: asyncio.StreamWriter) -> object:
    writer.close()
    return await outcome_of(writer.wait_closed())


async def stream_echo_by_lines(lab: Lab) -> object:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(line.upper())
            await writer.drain()
        await _end(writer)

    reader, writer = await asyncio.open_connection(HOST, await lab.serve_streams(echo))
    writer.write(b"one\ntwo\nrest")
    lines = [await reader.readline(), await reader.readline()]
    writer.write_eof()
    rest = await reader.read()
    return lines, rest, reader.at_eof(), await _end(writer)


async def stream_read_after_a_reset(lab: Lab) -> object:
    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        linger(writer.get_extra_info("socket"))
        writer.transport.abort()

    reader, writer = await asyncio.open_connection(HOST, await lab.serve_streams(reset))
    answer = await outcome_of(reader.read())
    return answer, await _end(writer)


async def stream_drain_after_a_reset(lab: Lab) -> object:
    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        linger(writer.get_extra_info("socket"))
        writer.transport.abort()

    reader, writer = await asyncio.open_connection(HOST, await lab.serve_streams(reset))
    await outcome_of(reader.read())
    writer.write(b"late")
    answer = await outcome_of(writer.drain())
    return answer, await _end(writer)


async def stream_cut_inside_a_fixed_length(lab: Lab) -> object:
    async def short(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"12345")
        await _end(writer)

    reader, writer = await asyncio.open_connection(HOST, await lab.serve_streams(short))
    try:
        await reader.readexactly(10)
    except asyncio.IncompleteReadError as exc:
        answer = exc.partial, exc.expected
    else:
        answer = b"", 0
    return answer, await _end(writer)


async def stream_line_over_the_limit(lab: Lab) -> object:
    async def long(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"x" * 200 + b"\n")
        await writer.drain()
        await reader.read()
        await _end(writer)

    port = await lab.serve_streams(long)
    reader, writer = await asyncio.open_connection(HOST, port, limit=64)
    answer = await outcome_of(reader.readline())
    return answer, await _end(writer)


async def stream_upload_with_drain(lab: Lab) -> object:
    total = lab.loop.create_future()

    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen = 0
        while piece := await reader.read(65536):
            seen += len(piece)
        total.set_result(seen)
        await _end(writer)

    _, writer = await asyncio.open_connection(HOST, await lab.serve_streams(count))
    for _ in range(40):
        writer.write(bytes(100_000))
        await writer.drain()
    writer.write_eof()
    return await total, await _end(writer)


# -- sock_* --------------------------------------------------------------------------


async def _sock_pair(lab: Lab) -> tuple[Any, Any]:
    listening = lab.listening_socket()
    client = lab.socket()
    await lab.loop.sock_connect(client, listening.getsockname())
    server, _ = await lab.loop.sock_accept(listening)
    listening.close()
    return client, server


async def sock_calls_talk_both_ways(lab: Lab) -> object:
    client, server = await _sock_pair(lab)
    await lab.loop.sock_sendall(client, b"hello")
    first = await lab.loop.sock_recv(server, 100)
    await lab.loop.sock_sendall(server, b"hello yourself")
    buffer = bytearray(100)
    size = await lab.loop.sock_recv_into(client, buffer)
    names = client.getsockname() == server.getpeername()
    server.close()
    end = await outcome_of(lab.loop.sock_recv(client, 10))
    again = await outcome_of(lab.loop.sock_recv(client, 10))
    return first, bytes(buffer[:size]), names, end, again


async def sock_waits_for_bytes(lab: Lab) -> object:
    client, server = await _sock_pair(lab)
    reading = asyncio.ensure_future(lab.loop.sock_recv(client, 3))
    await lab.quiet()
    before = reading.done()
    await lab.loop.sock_sendall(server, b"abcdef")
    answer = before, await reading, await lab.loop.sock_recv(client, 100)
    server.close()
    return answer


async def sock_reads_after_a_reset(lab: Lab) -> object:
    client, server = await _sock_pair(lab)
    await lab.loop.sock_sendall(server, b"abc")
    await lab.quiet()
    linger(server)
    server.close()
    await lab.quiet()
    return [await outcome_of(lab.loop.sock_recv(client, 10)) for _ in range(4)]


async def sock_writes_after_a_reset(lab: Lab) -> object:
    client, server = await _sock_pair(lab)
    linger(server)
    server.close()
    await lab.quiet()
    writes = [await outcome_of(lab.loop.sock_sendall(client, b"x")) for _ in range(3)]
    return writes, await outcome_of(lab.loop.sock_recv(client, 10))


async def sock_error_is_said_once(lab: Lab) -> object:
    client, server = await _sock_pair(lab)
    linger(server)
    server.close()
    await lab.quiet()
    errors = [client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) for _ in range(2)]
    return errors, await outcome_of(lab.loop.sock_recv(client, 10))


async def sock_writes_to_a_closed_peer(lab: Lab) -> object:
    client, server = await _sock_pair(lab)
    server.close()
    await lab.quiet()
    writes: list[object] = []
    for _ in range(3):
        writes.append(await outcome_of(lab.loop.sock_sendall(client, b"x")))
        await lab.quiet()
    return writes, await outcome_of(lab.loop.sock_recv(client, 10))


async def sock_peer_is_gone_after_a_reset(lab: Lab) -> object:
    client, server = await _sock_pair(lab)
    before = outcome_of_call(lambda: client.getpeername()[0])
    linger(server)
    server.close()
    await lab.quiet()
    return (
        before,
        outcome_of_call(client.getpeername),
        outcome_of_call(client.shutdown, socket.SHUT_WR),
        outcome_of_call(lambda: client.getsockname()[0]),
    )


async def sock_shuts_its_reading_side(lab: Lab) -> object:
    client, server = await _sock_pair(lab)
    await lab.loop.sock_sendall(server, b"abc")
    await lab.quiet()
    client.shutdown(socket.SHUT_RD)
    reads = [await outcome_of(lab.loop.sock_recv(client, 2)) for _ in range(3)]
    await lab.loop.sock_sendall(client, b"still writing")
    answer = reads, await lab.loop.sock_recv(server, 100)
    server.close()
    return answer


async def sock_shuts_both_sides(lab: Lab) -> object:
    client, server = await _sock_pair(lab)
    client.shutdown(socket.SHUT_RDWR)
    await lab.quiet()
    answer = (
        await outcome_of(lab.loop.sock_recv(server, 10)),
        await outcome_of(lab.loop.sock_sendall(client, b"x")),
        await outcome_of(lab.loop.sock_recv(client, 10)),
    )
    server.close()
    return answer


async def sock_writes_after_its_own_end(lab: Lab) -> object:
    client, server = await _sock_pair(lab)
    client.shutdown(socket.SHUT_WR)
    again = outcome_of_call(client.shutdown, socket.SHUT_WR)
    answer = await outcome_of(lab.loop.sock_sendall(client, b"x"))
    await lab.loop.sock_sendall(server, b"one way")
    rest = await lab.loop.sock_recv(client, 100)
    server.close()
    return again, answer, rest


async def sock_peeks(lab: Lab) -> object:
    client, server = await _sock_pair(lab)
    await lab.loop.sock_sendall(server, b"abc")
    await lab.quiet()
    peeked = client.recv(2, socket.MSG_PEEK)
    answer = peeked, client.recv(100), outcome_of_call(client.recv, 1)
    server.close()
    return answer


async def sock_connect_is_refused(lab: Lab) -> object:
    bound = lab.socket()
    bound.bind((HOST, 0))
    client = lab.socket()
    answer = await outcome_of(lab.loop.sock_connect(client, bound.getsockname()))
    return answer, outcome_of_call(client.recv, 1)


async def sock_is_used_before_it_is_connected(lab: Lab) -> object:
    client = lab.socket()
    return (
        outcome_of_call(client.recv, 1),
        outcome_of_call(client.getpeername),
        outcome_of_call(client.shutdown, socket.SHUT_WR),
        outcome_of_call(client.accept),
        client.getsockname(),
    )


async def sock_is_used_after_it_is_closed(lab: Lab) -> object:
    client, server = await _sock_pair(lab)
    client.close()
    client.close()
    answer = (
        outcome_of_call(client.recv, 1),
        outcome_of_call(client.send, b"x"),
        client.fileno(),
    )
    server.close()
    return answer


async def sock_connects_twice(lab: Lab) -> object:
    client, server = await _sock_pair(lab)
    peer = client.getpeername()
    answer = [outcome_of_call(client.connect, peer) for _ in range(2)]
    server.close()
    return answer


async def sock_send_fills_the_window(lab: Lab) -> object:
    client, server = await _sock_pair(lab)
    sent = 0
    answer: object = None
    while isinstance(answer, int) or answer is None:
        answer = outcome_of_call(client.send, bytes(100_000))
        sent += answer if isinstance(answer, int) else 0
    received = 0
    while received < sent:
        received += len(await lab.loop.sock_recv(server, 1_000_000))
    await lab.quiet()
    again = outcome_of_call(client.send, b"x")
    server.close()
    return answer, received == sent, again


# -- TLS -----------------------------------------------------------------------------


async def tls_handshake_and_echo(lab: Lab) -> object:
    client, server = await lab.pair(tls=True)
    client.transport.write(b"ping")
    await server.got(4)
    server.transport.write(b"pong!")
    await client.got(5)
    version = client.transport.get_extra_info("ssl_object").version()
    return client.events, server.events, version


async def tls_server_closes(lab: Lab) -> object:
    client, server = await lab.pair(tls=True)
    server.transport.write(b"bye")
    server.transport.close()
    await client.saw("lost")
    await server.saw("lost")
    return client.events, server.events


async def tls_client_closes(lab: Lab) -> object:
    client, server = await lab.pair(tls=True)
    client.transport.write(b"bye")
    client.transport.close()
    await client.saw("lost")
    await server.saw("lost")
    return client.events, server.events


async def tls_is_cut_without_close_notify(lab: Lab) -> object:
    client, server = await lab.pair(tls=True)
    server.transport.write(b"half a mess")
    await client.got(11)
    server.transport.abort()
    await client.saw("lost")
    await server.saw("lost")
    return client.events, server.events


async def tls_is_reset(lab: Lab) -> object:
    client, server = await lab.pair(tls=True)
    server.transport.write(b"half a mess")
    await client.got(11)
    server.reset()
    await client.saw("lost")
    return client.events, server.events


async def tls_carries_much(lab: Lab) -> object:
    client, server = await lab.pair(tls=True)
    server.transport.pause_reading()
    client.transport.write(bytes(MUCH // 4))
    await lab.quiet()
    server.transport.resume_reading()
    await server.got(MUCH // 4)
    await lab.quiet()
    return client.events, server.events


async def tls_client_meets_a_plain_server(lab: Lab) -> object:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await _end(writer)

    port = await lab.serve_streams(plain)
    return await outcome_of(lab.dial(port, tls=lab.certificates.client()))


async def plain_client_meets_a_tls_server(lab: Lab) -> object:
    server = lab.recorder()
    port = await lab.serve(lambda: server, ssl=lab.certificates.server())
    client = await lab.dial(port)
    client.transport.write(b"GET / HTTP/1.1\r\n\r\n")
    await client.saw("lost")
    # What alert OpenSSL sends is its own business; that something comes is compared.
    return [event.split()[0] for event in client.events], server.events


async def tls_certificate_is_not_trusted(lab: Lab) -> object:
    server = lab.recorder()
    port = await lab.serve(lambda: server, ssl=lab.certificates.server())
    tls = lab.certificates.client(trusting=False)
    answer = await outcome_of(lab.dial(port, tls=tls))
    await lab.quiet()
    return answer, server.events


async def tls_certificate_has_another_name(lab: Lab) -> object:
    port = await lab.serve(lab.recorder, ssl=lab.certificates.server())
    return await outcome_of(
        lab.dial(port, tls=lab.certificates.client(), server_hostname="other.test")
    )


async def tls_handshake_is_never_answered(lab: Lab) -> object:
    listening = lab.listening_socket()
    return await outcome_of(
        lab.dial(
            listening.getsockname()[1],
            tls=lab.certificates.client(),
            ssl_handshake_timeout=0.02,
        )
    )


async def tls_handshake_is_cut(lab: Lab) -> object:
    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10_000)
        await _end(writer)

    port = await lab.serve_streams(cut)
    return await outcome_of(lab.dial(port, tls=lab.certificates.client()))


async def tls_handshake_is_reset(lab: Lab) -> object:
    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        linger(writer.get_extra_info("socket"))
        writer.transport.abort()

    port = await lab.serve_streams(cut)
    return await outcome_of(lab.dial(port, tls=lab.certificates.client()))


async def tls_starts_on_an_open_connection(lab: Lab) -> object:
    async def upgrade(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await reader.readline()
        writer.write(b"go ahead\n")
        await writer.start_tls(lab.certificates.server())
        writer.write(b"secret " + await reader.readline())
        await _end(writer)

    port = await lab.serve_streams(upgrade)
    reader, writer = await asyncio.open_connection(HOST, port)
    writer.write(b"STARTTLS\n")
    hello = await reader.readline()
    await writer.start_tls(lab.certificates.client(), server_hostname="server.test")
    writer.write(b"hello\n")
    return hello, await reader.read(), await _end(writer)

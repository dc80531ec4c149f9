"""Parity scenarios: connections that break, and connects that fail or wait."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.fakeserver.simulation.lab import (
    HOST,
    error_text,
    linger,
    outcome_of,
    outcome_of_call,
)
from tests.fakeserver.simulation.parity_close import MUCH
from windtunnel_fakeserver.simulation.compat import override

if TYPE_CHECKING:
    from tests.fakeserver.simulation.lab import Lab


async def server_resets(lab: Lab) -> object:
    client, server = await lab.pair()
    server.reset()
    await client.saw("lost")
    await server.saw("lost")
    return client.events, server.events


async def client_resets(lab: Lab) -> object:
    client, server = await lab.pair()
    client.reset()
    await server.saw("lost")
    return client.events, server.events


async def bytes_before_a_reset_are_read_first(lab: Lab) -> object:
    client, server = await lab.pair()
    server.transport.write(b"abc")
    await client.got(3)
    server.transport.write(b"defg")
    server.reset()
    await client.saw("lost")
    return client.events, server.events


async def paused_reader_reads_then_learns_of_the_reset(lab: Lab) -> object:
    client, server = await lab.pair()
    client.transport.pause_reading()
    server.transport.write(b"abc")
    await lab.quiet()
    server.reset()
    await server.saw("lost")
    await lab.quiet()
    before = list(client.events)
    client.transport.resume_reading()
    await client.saw("lost")
    return before, client.events, server.events


async def close_with_unread_bytes_is_a_reset(lab: Lab) -> object:
    client, server = await lab.pair()
    server.transport.pause_reading()
    client.transport.write(b"x" * 1000)
    await lab.quiet()
    server.transport.close()
    await client.saw("lost")
    return client.events, server.events


async def abort_with_unread_bytes_is_a_reset(lab: Lab) -> object:
    client, server = await lab.pair()
    client.transport.pause_reading()
    server.transport.write(b"x" * 10)
    await lab.quiet()
    client.transport.abort()
    await server.saw("lost")
    return client.events, server.events


async def half_closed_then_closed_with_unread_bytes(lab: Lab) -> object:
    client, server = await lab.pair(keep_open=True)
    server.transport.pause_reading()
    server.transport.write_eof()
    client.transport.write(b"x" * 10)
    await client.saw("eof")
    await lab.quiet()
    server.transport.close()
    await server.saw("lost")
    await lab.quiet()
    client.transport.write(b"y")
    await client.saw("lost")
    return client.events, server.events


async def write_to_a_closed_peer_draws_a_reset(lab: Lab) -> object:
    client, server = await lab.pair(keep_open=True)
    server.transport.close()
    await client.saw("eof")
    client.transport.write(b"1")
    await lab.quiet()
    before = list(client.events)
    client.transport.write(b"2")
    await client.saw("lost")
    return before, client.events, server.events


async def write_after_a_reset_is_an_error(lab: Lab) -> object:
    client, server = await lab.pair()
    client.transport.pause_reading()
    server.reset()
    await server.saw("lost")
    await lab.quiet()
    client.transport.write(b"z")
    client.transport.write(b"z")
    await client.saw("lost")
    return client.events, server.events


async def half_close_after_a_reset_is_an_error(lab: Lab) -> object:
    client, server = await lab.pair()
    client.transport.pause_reading()
    server.reset()
    await server.saw("lost")
    await lab.quiet()
    answer = outcome_of_call(client.transport.write_eof)
    client.transport.resume_reading()
    await client.saw("lost")
    return client.events, server.events, answer


async def reset_after_the_end_of_stream(lab: Lab) -> object:
    client, server = await lab.pair(keep_open=True)
    server.transport.write_eof()
    await client.saw("eof")
    server.reset()
    await server.saw("lost")
    await lab.quiet()
    client.transport.write(b"z")
    await client.saw("lost")
    return client.events, server.events


async def reset_meets_a_full_buffer(lab: Lab) -> object:
    client, server = await lab.pair()
    server.transport.pause_reading()
    client.transport.write(bytes(MUCH))
    await lab.quiet()
    server.reset()
    await client.saw("lost")
    return client.events, server.events


async def reader_leaves_while_the_buffer_is_full(lab: Lab) -> object:
    client, server = await lab.pair()
    server.transport.pause_reading()
    client.transport.write(bytes(MUCH))
    await lab.quiet()
    server.transport.close()
    await client.saw("lost")
    return client.events, server.events


async def close_while_the_buffer_is_full_then_reset(lab: Lab) -> object:
    client, server = await lab.pair()
    server.transport.pause_reading()
    client.transport.write(bytes(MUCH))
    client.transport.close()
    await lab.quiet()
    before = list(client.events)
    server.reset()
    await client.saw("lost")
    return before, client.events, server.events


async def both_reset_at_once(lab: Lab) -> object:
    client, server = await lab.pair()
    client.reset()
    server.reset()
    await lab.quiet()
    return client.events, server.events


async def error_in_a_callback_closes(lab: Lab) -> object:
    class Faulty(asyncio.Protocol):
        @override
        def data_received(self, data: bytes) -> None:
            raise ValueError(len(data))

        @override
        def connection_lost(self, exc: Exception | None) -> None:
            seen.append(error_text(exc))
            gone.set()

    seen: list[str] = []
    gone = asyncio.Event()
    lab.loop.set_exception_handler(lambda _, what: seen.append(what["message"]))
    client = await lab.dial(await lab.serve(Faulty))
    client.transport.write(b"12345")
    await client.saw("lost")
    await gone.wait()
    return client.events, seen


# -- connects ------------------------------------------------------------------------


async def connect_without_a_listener_is_refused(lab: Lab) -> object:
    bound = lab.socket()
    bound.bind((HOST, 0))
    port = bound.getsockname()[1]
    return await outcome_of(lab.loop.create_connection(lab.recorder, HOST, port))


async def connect_after_the_server_closed_is_refused(lab: Lab) -> object:
    server = lab.recorder()
    port = await lab.serve(lambda: server)
    client = await lab.dial(port)
    await server.saw("made")
    lab.close_server()
    await lab.quiet()
    answer = await outcome_of(lab.loop.create_connection(lab.recorder, HOST, port))
    client.transport.write(b"still open")
    await server.got(10)
    return answer, client.events, server.events


async def address_in_use(lab: Lab) -> object:
    port = await lab.serve(lab.recorder)
    return await outcome_of(lab.loop.create_server(lab.recorder, HOST, port))


async def same_port_on_two_addresses(lab: Lab) -> object:
    first, second = lab.recorder(), lab.recorder()
    port = await lab.serve(lambda: first)
    await lab.serve(lambda: second, host="127.0.0.2", port=port)
    client = lab.recorder()
    await lab.loop.create_connection(lambda: client, "127.0.0.2", port)
    await second.saw("made")
    peer = client.transport.get_extra_info("peername")[0]
    return client.events, first.events, second.events, peer


async def listener_on_every_address(lab: Lab) -> object:
    server = lab.recorder()
    port = await lab.serve(lambda: server, host="0.0.0.0")
    client = await lab.dial(port)
    await server.saw("made")
    names = [
        end.transport.get_extra_info(name)[0]
        for end in (client, server)
        for name in ("sockname", "peername")
    ]
    ports = (
        client.transport.get_extra_info("peername")[1] == port,
        server.transport.get_extra_info("sockname")[1] == port,
        client.transport.get_extra_info("sockname")
        == server.transport.get_extra_info("peername"),
    )
    return names, ports, client.events, server.events


async def own_address_chosen_by_the_client(lab: Lab) -> object:
    server = lab.recorder()
    port = await lab.serve(lambda: server)
    client = await lab.dial(port, local_addr=("127.0.0.3", 0))
    await server.saw("made")
    return (
        client.transport.get_extra_info("sockname")[0],
        server.transport.get_extra_info("peername")[0],
        client.events,
    )


async def connected_but_never_answered(lab: Lab) -> object:
    listening = lab.listening_socket()
    client = await lab.dial(listening.getsockname()[1])
    client.transport.write(b"anybody there?")
    await lab.quiet()
    return client.events, client.transport.get_write_buffer_size()


async def never_accepted_and_then_reset(lab: Lab) -> object:
    listening = lab.listening_socket()
    client = await lab.dial(listening.getsockname()[1])
    await lab.quiet()
    listening.close()
    await client.saw("lost")
    return client.events


async def accepted_after_the_client_left(lab: Lab) -> object:
    listening = lab.listening_socket()
    client = await lab.dial(listening.getsockname()[1])
    client.transport.write(b"bye")
    client.transport.close()
    await client.saw("lost")
    await lab.quiet()
    server = lab.recorder()
    await lab.serve(lambda: server, sock=listening)
    await server.saw("lost")
    return client.events, server.events


async def accepted_after_the_client_reset(lab: Lab) -> object:
    listening = lab.listening_socket()
    client = await lab.dial(listening.getsockname()[1])
    client.transport.write(b"bye")
    client.reset()
    await client.saw("lost")
    await lab.quiet()
    server = lab.recorder()
    await lab.serve(lambda: server, sock=listening)
    await server.saw("lost")
    return client.events, server.events


async def connect_cancelled_before_it_is_decided(lab: Lab) -> object:
    server = lab.recorder()
    port = await lab.serve(lambda: server)
    attempt = asyncio.ensure_future(lab.dial(port))
    attempt.cancel()
    answer = await asyncio.gather(attempt, return_exceptions=True)
    await lab.quiet()
    return [error_text(error) for error in answer if isinstance(error, BaseException)]


async def connect_resets_during_the_accept(lab: Lab) -> object:
    server = lab.recorder()
    port = await lab.serve(lambda: server)
    probe = lab.socket()
    await lab.loop.sock_connect(probe, (HOST, port))
    linger(probe)
    probe.close()
    await server.saw("lost")
    return server.events

"""Parity scenarios: how connections end in order, and how bytes wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fakeserver.simulation.lab import outcome_of_call

if TYPE_CHECKING:
    from tests.fakeserver.simulation.lab import Lab

MUCH = 9_000_000  # more than the kernel's buffers on both ends take together


async def server_closes_after_data(lab: Lab) -> object:
    client, server = await lab.pair()
    server.transport.write(b"abc")
    server.transport.close()
    await client.saw("lost")
    await server.saw("lost")
    return client.events, server.events


async def client_closes_after_data(lab: Lab) -> object:
    client, server = await lab.pair()
    client.transport.write(b"abcdef")
    client.transport.close()
    await server.saw("lost")
    await client.saw("lost")
    return client.events, server.events


async def both_close_at_once(lab: Lab) -> object:
    client, server = await lab.pair()
    client.transport.close()
    server.transport.close()
    await lab.quiet()
    return client.events, server.events


async def server_closes_without_a_word(lab: Lab) -> object:
    client, server = await lab.pair()
    server.transport.close()
    await client.saw("lost")
    return client.events, server.events


async def client_closes_without_a_word(lab: Lab) -> object:
    client, server = await lab.pair()
    client.transport.close()
    await server.saw("lost")
    return client.events, server.events


async def end_of_stream_closes_by_default(lab: Lab) -> object:
    client, server = await lab.pair()
    client.transport.write_eof()
    await client.saw("lost")
    return client.events, server.events, client.transport.is_closing()


async def client_half_closes_and_gets_an_answer(lab: Lab) -> object:
    client, server = await lab.pair(keep_open=True)
    client.transport.write(b"request")
    client.transport.write_eof()
    await server.saw("eof")
    server.transport.write(b"response")
    await client.got(8)
    server.transport.close()
    await client.saw("eof")
    client.transport.close()
    await client.saw("lost")
    return client.events, server.events


async def server_half_closes_and_gets_an_answer(lab: Lab) -> object:
    client, server = await lab.pair(keep_open=True)
    server.transport.write(b"that is all")
    server.transport.write_eof()
    await client.saw("eof")
    client.transport.write(b"thanks")
    await server.got(6)
    client.transport.close()
    await server.saw("eof")
    server.transport.close()
    await server.saw("lost")
    return client.events, server.events


async def both_half_close_then_close(lab: Lab) -> object:
    client, server = await lab.pair(keep_open=True)
    client.transport.write_eof()
    server.transport.write_eof()
    await client.saw("eof")
    await server.saw("eof")
    client.transport.close()
    server.transport.close()
    await lab.quiet()
    return client.events, server.events


async def half_close_waits_for_the_buffer(lab: Lab) -> object:
    client, server = await lab.pair(keep_open=True)
    client.transport.write(bytes(MUCH))
    client.transport.write_eof()
    await server.saw("eof")
    return client.events, server.events


async def close_waits_for_the_buffer(lab: Lab) -> object:
    client, server = await lab.pair()
    client.transport.write(bytes(MUCH))
    client.transport.close()
    await server.saw("lost")
    await client.saw("lost")
    return client.events, server.events


async def second_close_changes_nothing(lab: Lab) -> object:
    client, server = await lab.pair()
    client.transport.close()
    client.transport.close()
    await server.saw("lost")
    client.transport.close()
    await lab.quiet()
    return client.events, server.events


async def write_after_close_is_dropped(lab: Lab) -> object:
    client, server = await lab.pair()
    client.transport.write(b"before")
    client.transport.close()
    answer = outcome_of_call(client.transport.write, b"after")
    await server.saw("lost")
    return client.events, server.events, answer


async def write_after_half_close_is_an_error(lab: Lab) -> object:
    client, server = await lab.pair(keep_open=True)
    client.transport.write_eof()
    answer = outcome_of_call(client.transport.write, b"after")
    client.transport.write_eof()
    await server.saw("eof")
    return client.events, server.events, answer


async def abort_without_linger_is_an_orderly_end(lab: Lab) -> object:
    client, server = await lab.pair()
    server.transport.abort()
    await client.saw("lost")
    return client.events, server.events


async def abort_throws_the_buffer_away(lab: Lab) -> object:
    client, server = await lab.pair()
    server.transport.pause_reading()
    client.transport.write(bytes(MUCH))
    client.transport.abort()
    await client.saw("lost")
    server.transport.resume_reading()
    await server.saw("lost")
    # How much the kernel took before differs; that it was not all does not.
    kinds = [event.split()[0] for event in server.events]
    return client.events, kinds, 0 < len(server.received) < MUCH


async def empty_write_sends_nothing(lab: Lab) -> object:
    client, server = await lab.pair()
    client.transport.write(b"")
    client.transport.writelines([b"", b"one", b"two"])
    await server.got(6)
    return client.events, server.events


async def upload_meets_backpressure(lab: Lab) -> object:
    client, server = await lab.pair()
    server.transport.pause_reading()
    client.transport.write(bytes(MUCH))
    await lab.quiet()
    is_waiting = client.transport.get_write_buffer_size() > 0
    server.transport.resume_reading()
    await server.got(MUCH)
    await client.saw("resume")
    return client.events, server.events, is_waiting


async def download_meets_backpressure(lab: Lab) -> object:
    client, server = await lab.pair()
    client.transport.pause_reading()
    server.transport.write(bytes(MUCH))
    await lab.quiet()
    is_waiting = server.transport.get_write_buffer_size() > 0
    client.transport.resume_reading()
    await client.got(MUCH)
    await server.saw("resume")
    return client.events, server.events, is_waiting


async def backpressure_both_ways_at_once(lab: Lab) -> object:
    client, server = await lab.pair()
    for end in (client, server):
        end.transport.pause_reading()
    for end in (client, server):
        end.transport.write(bytes(MUCH))
    await lab.quiet()
    for end in (client, server):
        end.transport.resume_reading()
    await client.got(MUCH)
    await server.got(MUCH)
    await lab.quiet()
    # Which comes first, the other end's bytes or room for ours, is a race.
    signals = [
        [event for event in end.events if not event.startswith("data")]
        for end in (client, server)
    ]
    return signals, len(client.received), len(server.received)


async def paused_reader_gets_its_bytes_later(lab: Lab) -> object:
    client, server = await lab.pair()
    client.transport.pause_reading()
    server.transport.write(b"later")
    await lab.quiet()
    before = list(client.events)
    client.transport.resume_reading()
    await client.got(5)
    return before, client.events, server.events


async def paused_reader_learns_of_the_end_later(lab: Lab) -> object:
    client, server = await lab.pair()
    client.transport.pause_reading()
    server.transport.write(b"last words")
    server.transport.close()
    await server.saw("lost")
    await lab.quiet()
    before = list(client.events)
    client.transport.resume_reading()
    await client.saw("lost")
    return before, client.events, server.events


async def own_buffer_limits_are_kept(lab: Lab) -> object:
    client, server = await lab.pair()
    client.transport.set_write_buffer_limits(high=0)
    server.transport.pause_reading()
    client.transport.write(bytes(MUCH))
    await lab.quiet()
    before = list(client.events)
    server.transport.resume_reading()
    await server.got(MUCH)
    await client.saw("resume")
    return (
        before,
        client.events,
        server.events,
        client.transport.get_write_buffer_size(),
    )


async def big_answer_to_a_half_closed_client(lab: Lab) -> object:
    client, server = await lab.pair(keep_open=True)
    client.transport.write_eof()
    await server.saw("eof")
    server.transport.write(bytes(MUCH))
    server.transport.close()
    await client.saw("eof")
    client.transport.close()
    await client.saw("lost")
    return client.events, server.events

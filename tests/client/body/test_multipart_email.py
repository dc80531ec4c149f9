"""What is written as multipart, as the email package of Python reads it.

It is a reader that nobody wrote with this writer in mind: it knows RFC 2045 to 2047 and
2231, and nothing of HTTP.
"""

from __future__ import annotations

import asyncio
from email import message_from_bytes, policy
from typing import TYPE_CHECKING, Any, cast

from hypothesis import assume, given, settings, strategies as st

from windtunnel._body.formdata import FormData
from windtunnel._body.multipart_write import MultipartWriter

if TYPE_CHECKING:
    from email.message import EmailMessage

profile = settings(max_examples=60, derandomize=True, deadline=None, database=None)

BOUNDARY = "Boundary"
data = st.binary(max_size=60) | st.lists(
    st.sampled_from(
        [b"\r\n", b"\n", b"\r", b"--", b"Boundary", b"=", b" ", b"\t", b"x"]
    )
).map(b"".join)
transfers = st.sampled_from(["", "base64", "quoted-printable", "binary"])
# email unfolds header lines and takes trailing blanks away, and a file name is in
# quotes, in which a backslash is read in two ways: as WHATWG does, and as RFC 2045.
names = st.text(
    st.sampled_from("aZ09 .,;:=&?#@()<>[]{}'%éß中\U0001f600_-"), min_size=1, max_size=12
).filter(lambda name: name == name.strip() and "  " not in name)


def by_email(content_type: str, body: bytes) -> list[EmailMessage]:
    head = f"MIME-Version: 1.0\r\nContent-Type: {content_type}\r\n\r\n"
    message: Any = message_from_bytes(head.encode() + body, policy=policy.HTTP)
    assert message.defects == []
    return list(cast("EmailMessage", message).iter_parts())  # type: ignore[arg-type]  # parts are of its class


@profile
@given(st.lists(st.tuples(data, transfers), min_size=1, max_size=4))
def test_parts_have_the_data_that_they_were_given(
    given_parts: list[tuple[bytes, str]],
) -> None:
    assume(all(b"--Boundary" not in body for body, _ in given_parts))

    async def main() -> None:
        writer = MultipartWriter(boundary=BOUNDARY)
        for body, transfer in given_parts:
            headers = {"Content-Transfer-Encoding": transfer} if transfer else {}
            writer.append(body, headers)
        whole = await writer.as_bytes()
        read = by_email(writer.content_type, whole)
        assert len(read) == len(given_parts)
        for part, (body, _) in zip(read, given_parts, strict=True):
            assert part.get_payload(decode=True) == body

    asyncio.run(main())


@profile
@given(st.lists(st.tuples(names, names, data), min_size=1, max_size=4))
def test_fields_have_the_names_and_files_that_they_were_given(
    fields: list[tuple[str, str, bytes]],
) -> None:
    async def main() -> None:
        form = FormData()
        for name, filename, body in fields:
            form.add_field(name, body, filename=filename, content_type="a/b")
        writer = form()
        whole = await writer.as_bytes()
        read = by_email(writer.content_type, whole)
        for part, (name, filename, body) in zip(read, fields, strict=True):
            head: Any = part
            assert part.get_content_type() == "a/b"
            # Raw UTF-8, as browsers send it: email keeps the bytes as escapes.
            text = str(head["Content-Disposition"]).encode("utf-8", "surrogateescape")
            expected = f'form-data; name="{name}"; filename="{filename}"'
            assert text.decode() == expected
            assert part.get_payload(decode=True) == body

    asyncio.run(main())

"""Forms: fields, and files among them.

Fields come in; out goes the payload of a urlencoded form, or of a multipart one if any
field needs that. This module must not know how either is sent.

Spec: WHATWG URL standard section 5.2, RFC 7578.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from windtunnel._base.typedefs import shown
from windtunnel._body.forms import FORM_TYPE, encode_form, form_pairs
from windtunnel._body.payload_files import file_name
from windtunnel._body.payload_memory import bytes_payload
from windtunnel._body.payload_registry import NoPayloadError, get_payload

if TYPE_CHECKING:
    from collections.abc import Iterable

    from windtunnel._body.multipart_write import MultipartWriter
    from windtunnel._body.payload_base import Payload

__all__ = ("FormData",)

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class _Field(NamedTuple):
    name: str
    value: Any
    content_type: str | None
    filename: str | None


class FormData:
    """A form to be sent as the body of a request.

    It is sent urlencoded, unless a field is a file, bytes, or has a file name or a
    content type of its own: then as multipart/form-data.

    Args:
        fields: A mapping, a list or tuple of pairs and files, or one file.
        quote_fields: Whether names are escaped as WHATWG says; False for backslashes.
        charset: Encoding of names and values, UTF-8 if not given.
        default_to_multipart: Whether to send multipart in any case.

    Raises:
        TypeError: A field is none of these.
        ValueError: A name has a control character that would leave its header.
    """

    def __init__(
        self,
        fields: Iterable[Any] = (),
        quote_fields: bool = True,
        charset: str | None = None,
        *,
        default_to_multipart: bool = False,
    ) -> None:
        self._fields: list[_Field] = []
        self._is_multipart = default_to_multipart
        self._quote_fields = quote_fields
        self._charset = charset
        self._writer: MultipartWriter | None = None
        if isinstance(fields, dict):
            fields = list(cast("dict[str, Any]", fields).items())
        elif not isinstance(fields, (list, tuple)):
            fields = (fields,)
        self.add_fields(*fields)

    @property
    def is_multipart(self) -> bool:
        """Whether the form is sent as multipart/form-data."""
        return self._is_multipart

    def add_field(
        self,
        name: str,
        value: Any,
        *,
        content_type: str | None = None,
        filename: str | None = None,
        content_transfer_encoding: str | None = None,
    ) -> None:
        """Add a field.

        Args:
            name: Its name.
            value: Text, a number, bytes, or a file open for reading; of a urlencoded
                form also a list or tuple of values, each of which becomes a field.
            content_type: Media type of a part.
            filename: Name of the file; of an open file its own if not given.
            content_transfer_encoding: Deprecated; makes the form multipart.

        Raises:
            TypeError: An argument is not a str.
            ValueError: An argument has a control character.
        """
        if isinstance(value, io.IOBase):
            self._is_multipart = True
            filename = filename or file_name(value) or name
        elif (
            isinstance(value, (bytes, bytearray, memoryview))
            and filename is None
            and content_transfer_encoding is None
        ):
            warnings.warn(
                "In v4, passing bytes will no longer create a file field. Please "
                "explicitly use the filename parameter or pass a BytesPayload.",
                DeprecationWarning,
                stacklevel=2,
            )
            filename = name
        for label, text in (
            ("name", name),
            ("filename", filename),
            ("content_type", content_type),
            ("content_transfer_encoding", content_transfer_encoding),
        ):
            _check_text(label, text)
        if content_transfer_encoding is not None:
            warnings.warn(
                "content_transfer_encoding is deprecated. To maintain compatibility "
                "with v4 please pass a BytesPayload.",
                DeprecationWarning,
                stacklevel=2,
            )
        if filename or content_type or content_transfer_encoding:
            self._is_multipart = True
        self._writer = None
        self._fields.append(_Field(name, value, content_type, filename))

    def add_fields(self, *fields: Any) -> None:
        """Add pairs of name and value, mappings, and files, in any mixture.

        Raises:
            TypeError: An argument is none of these.
            ValueError: A pair does not have two parts.
        """
        for field in fields:
            if isinstance(field, io.IOBase):
                self.add_field(file_name(field) or "unknown", field)
            elif isinstance(field, Mapping):
                self.add_fields(*cast("Mapping[str, Any]", field).items())
            elif isinstance(field, (list, tuple)):
                parts = cast("list[Any]", field)
                if len(parts) != 2:
                    msg = f"form field {shown(parts)} has {len(parts)} parts, not 2"
                    raise ValueError(msg)
                self.add_field(parts[0], parts[1])
            else:
                msg = (
                    f"form field {shown(field)} of type {type(field).__name__} is not "
                    f"a pair of name and value, a mapping, or a file; use add_field() "
                    f"for anything else"
                )
                raise TypeError(msg)

    def __call__(self) -> Payload:
        """Make the payload.

        A multipart form gives the same one again until a field is added, so that its
        files are rewound and not read twice.

        Raises:
            TypeError: A value cannot be sent.
        """
        if self._is_multipart:
            writer = self._writer
            if writer is None:
                writer = self._writer = self._make_writer()
            return writer
        charset = self._charset or "utf-8"
        pairs: list[tuple[str, Any]] = []
        for name, value, _, _ in self._fields:
            if isinstance(value, (list, tuple)):
                pairs += [(name, single) for single in cast("list[Any]", value)]
            else:
                pairs.append((name, value))
        content_type = FORM_TYPE
        if charset != "utf-8":
            content_type += f"; charset={charset}"
        return bytes_payload(encode_form(form_pairs(pairs), charset), content_type)

    def _make_writer(self) -> MultipartWriter:
        """Make a part of each field.

        Spec: RFC 7578 section 4.2; a part has a type and a disposition, no length.
        """
        # Here, because most programs never send such a form.
        from windtunnel._body.multipart_write import MultipartWriter

        writer = MultipartWriter("form-data")
        for name, value, content_type, filename in self._fields:
            options = {} if content_type is None else {"content_type": content_type}
            try:
                part = get_payload(value, encoding=self._charset, **options)
            except NoPayloadError:
                msg = (
                    f"value of form field {name[:40]!r} {shown(value)} of type "
                    f"{type(value).__name__} cannot be a part of a multipart form; "
                    f"allowed are str, bytes, files and payloads"
                )
                raise TypeError(msg) from None
            params = {"name": name}
            if filename is not None:
                params["filename"] = filename
            part.set_content_disposition(
                "form-data", self._quote_fields, self._charset or "utf-8", **params
            )
            writer.append_payload(part)
        return writer


def _check_text(label: str, text: object) -> None:
    if text is None and label != "name":
        return
    if not isinstance(text, str):
        msg = f"{label} must be an instance of str. Got: {shown(text)}"
        raise TypeError(msg)
    if label != "name" and _CONTROL.search(text):
        msg = (
            f"{label} {shown(text)} of a form field has a control character, which "
            f"would leave its header"
        )
        raise ValueError(msg)

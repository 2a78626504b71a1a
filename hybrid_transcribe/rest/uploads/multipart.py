"""Forms with files in them (multipart/form-data, RFC 7578), taken apart as they come."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote_to_bytes

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser

from hybrid_transcribe.errors import InvalidRequest, TooLarge, TooMany
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.uploads.files import Files
from hybrid_transcribe.uploads.received import Received, UploadLimits, size, text_of

# Header values with parameters, as browsers, curl and libraries really write them: the grammar is
# that of RFC 9110, 5.6.6. Characters that cannot stand between quotes come in four ways: a
# backslash before them (RFC 822, curl up to 7.80), ``%22 %0D %0A`` (WHATWG: browsers, newer curl,
# httpx), a second parameter ``filename*`` (RFC 8187, requests), or as they are, in UTF-8.
# A quoted value may lack its end: it then lasts as long as the header.
_PARAMETER = re.compile(r';[ \t]*([^\s=;"]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"?|([^;]*))', re.S)

# Browsers leave other backslashes as they are: they belong to the name.
_ESCAPED = re.compile(r'\\(["\\])')

# WHATWG escapes these three and no others, the percent sign neither.
_PERCENT = re.compile(r"%(22|0D|0A)", re.I)

# Those that RFC 8187 asks for, and its forerunner.
_CHARSETS = {"utf-8", "iso-8859-1"}


def parse(header: str) -> tuple[str, dict[str, str]]:
    r"""The value in lower case, and its parameters by name in lower case; the first one counts.

    >>> value, found = parse(r'form-data; name="a%22b"; filename="C:\temp\"x\".wav"')
    >>> print(value, found["name"], found["filename"])
    form-data a"b C:\temp"x".wav
    """
    value, _, _ = header.partition(";")
    mapping: dict[str, str] = {}
    for name, quoted, token in _PARAMETER.findall(header[len(value) :]):
        text = token.strip() or _PERCENT.sub(_percent, _ESCAPED.sub(r"\1", quoted))
        mapping.setdefault(name.lower(), text)
    return value.strip().lower(), mapping


def filename(parameters: Mapping[str, str]) -> str | None:
    """The file's name, or None without one: ``filename*`` where it can be read, as it says more.

    >>> filename({"filename": "reuni_o.wav", "filename*": "UTF-8''reuni%C3%A3o.wav"})
    'reunião.wav'
    """
    extended = _extended(parameters.get("filename*", ""))
    return parameters.get("filename") if extended is None else extended


def _percent(match: re.Match[str]) -> str:
    return chr(int(match[1], 16))


def _extended(text: str) -> str | None:
    charset, _, rest = text.partition("'")
    _, quote, value = rest.partition("'")
    if not quote or charset.lower() not in _CHARSETS:
        return None
    try:
        return unquote_to_bytes(value).decode(charset)
    except UnicodeDecodeError:
        return None


#: Most header lines of one part; people's clients send up to four.
MAX_HEADERS = 16

# How a part's bytes may be written: as they are.
_PLAIN = {"", "7bit", "8bit", "binary"}

# Parts without a file's name that are files all the same.
_MEDIA = ("audio/", "video/", "application/octet-stream")


class MultipartBody:
    """Parts with a file's name go to disk, the others are fields."""

    too_large = "; send the recordings in several requests"

    def __init__(self, boundary: str, files: Files, limits: UploadLimits) -> None:
        self.most_bytes = limits.body_bytes
        self._files, self._fields = files, _Fields(limits)
        self._most_parts = limits.files + limits.fields
        self._parts, self._complete = 0, False
        self._headers: dict[str, bytes] = {}
        self._header_name, self._header_value = b"", b""
        # Of the part at hand: its file's name, or None for a field; and the field's own name.
        self._filename: str | None = None
        self._field = ""
        self._parser = self._parser_of(boundary, limits)

    def _parser_of(self, boundary: str, limits: UploadLimits) -> MultipartParser:
        if not boundary:
            raise InvalidRequest(UserMessage("no_boundary"))
        try:
            return MultipartParser(
                boundary.encode("latin-1", "replace"),
                {
                    "on_part_begin": self._part_begin,
                    "on_header_field": self._on_header_name,
                    "on_header_value": self._on_header_value,
                    "on_header_end": self._header_end,
                    "on_headers_finished": self._headers_end,
                    "on_part_data": self._part_data,
                    "on_part_end": self._part_end,
                    "on_end": self._end,
                },
                max_header_count=MAX_HEADERS,
                max_header_size=limits.header_bytes,
            )
        except FormParserError as error:
            raise InvalidRequest(UserMessage("boundary_odd", why=error)) from error

    def feed(self, chunk: bytes) -> None:
        """Raises InvalidRequest, TooMany, TooLarge, DiskFull."""
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise InvalidRequest(
                UserMessage("part_unreadable", n=self._parts, why=error)
            ) from error

    def end(self) -> Received:
        """The fields and files. Raises InvalidRequest where the last boundary never came."""
        if not self._complete:
            raise InvalidRequest(UserMessage("multipart_cut", n=self._parts))
        return Received(self._fields.values(), self._files.uploads)

    def _part_begin(self) -> None:
        self._parts += 1
        if self._parts > self._most_parts:
            raise TooMany(UserMessage("many_parts", most=self._most_parts))
        self._headers = {}

    def _on_header_name(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _header_end(self) -> None:
        name = self._header_name.decode("latin-1").lower()
        self._headers.setdefault(name, self._header_value)
        self._header_name, self._header_value = b"", b""

    def _header(self, name: str) -> str:
        return text_of(self._headers.get(name, b""))

    def _headers_end(self) -> None:
        self._check_encoding()
        value, values = parse(self._header("content-disposition"))
        if value != "form-data":
            raise InvalidRequest(UserMessage("part_disposition", n=self._parts, value=value[:80]))
        self._filename, self._field = filename(values), values.get("name", "")
        if self._filename is None and self._header("content-type").lower().startswith(_MEDIA):
            self._filename = ""
        if self._filename is None:
            self._fields.begin(self._field_name(values.get("name")))

    def _field_name(self, name: str | None) -> str:
        if not name:
            raise InvalidRequest(UserMessage("part_unnamed", n=self._parts))
        return name

    def _check_encoding(self) -> None:
        encoding = self._header("content-transfer-encoding").strip().lower()
        if encoding not in _PLAIN:
            raise InvalidRequest(
                UserMessage("part_encoding", n=self._parts, encoding=encoding[:80])
            )

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        if self._filename is None:
            self._fields.add(data[start:end])
            return
        if not self._files.open:
            self._files.new(self._filename, self._field)
        self._files.write(memoryview(data)[start:end])

    def _part_end(self) -> None:
        if self._filename is None:
            self._fields.done()
            return
        # Browsers send a part without name and bytes where nobody chose a file.
        if self._filename and not self._files.open:
            self._files.new(self._filename, self._field)
        if self._files.open:
            self._files.done()

    def _end(self) -> None:
        self._complete = True


class _Fields:
    """The fields of a form, in memory."""

    def __init__(self, limits: UploadLimits) -> None:
        self._limits = limits
        self._values: dict[str, list[str]] = {}
        self._name, self._value = "", bytearray()
        self._count = self._bytes = 0

    def begin(self, name: str) -> None:
        self._count += 1
        if self._count > self._limits.fields:
            raise TooMany(UserMessage("many_fields", most=self._limits.fields))
        self._name, self._value = name, bytearray()

    def add(self, data: bytes) -> None:
        self._value += data
        self._bytes += len(data)
        if len(self._value) > self._limits.field_bytes:
            raise TooLarge(
                UserMessage(
                    "field_large_file", name=self._name[:80], size=size(self._limits.field_bytes)
                )
            )
        if self._bytes > self._limits.json_bytes:
            raise TooLarge(UserMessage("fields_large", size=size(self._limits.json_bytes)))

    def done(self) -> None:
        try:
            text = self._value.decode("utf-8")
        except UnicodeDecodeError:
            raise InvalidRequest(UserMessage("field_not_utf8", name=self._name[:80])) from None
        self._values.setdefault(self._name, []).append(text)

    def values(self) -> dict[str, tuple[str, ...]]:
        return {name: tuple(values) for name, values in self._values.items()}

"""What a file is when it is no recording, in words for the person who gave it to us."""

from __future__ import annotations

import codecs
import re

# First bytes -> what people call it.
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "a PDF document"),
    (b"\x7fELF", "a Linux program (ELF)"),
    (b"MZ", "a Windows program"),
    (b"\xcf\xfa\xed\xfe", "a macOS program"),
    (b"\xce\xfa\xed\xfe", "a macOS program"),
    (b"\xca\xfe\xba\xbe", "a compiled program"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"\x89PNG\r\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"II*\x00", "a TIFF image"),
    (b"MM\x00*", "a TIFF image"),
    (b"8BPS", "a Photoshop image"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office document"),
    (b"SQLite format 3\x00", "a SQLite database"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\x89HDF\r\n", "an HDF5 file"),
    (b"PAR1", "a Parquet table"),
    (b"MThd", "a MIDI file: notes, not recorded sound"),
    (b"\x02#!SILK_V3", "a WeChat voice message (SILK), which needs converting first"),
    (b"\x03ds2", "a DS2 dictation, which needs converting first (Olympus or Philips software)"),
    (b"#!SILK_V3", "a voice message in SILK, which needs converting first"),
)

# First bytes of what follows the beginning of a recording that was written in parts.
_PARTS: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x1f\x43\xb6\x75", "WebM"),
    (4, b"moof", "MP4"),
    (4, b"styp", "MP4"),
    (4, b"sidx", "MP4"),
)

_IMAGE_BRANDS = (b"heic", b"heix", b"heim", b"mif1", b"msf1", b"avif", b"avis", b"crx ")

# Text that makes a player open other files or addresses: refused whatever its name.
_PLAYLIST_STARTS: tuple[tuple[bytes, str], ...] = (
    (b"#extm3u", "an M3U playlist"),
    (b"ffconcat version", "an ffconcat list"),
    (b"[playlist]", "a PLS playlist"),
    (b"[reference]", "an ASX playlist"),
    (b"v=0\r", "an SDP session description"),
    (b"v=0\n", "an SDP session description"),
    (b"rtsptext", "a streaming address"),
    (b"smiltext", "a SMIL playlist"),
)
_PLAYLIST_TAGS: tuple[tuple[bytes, str], ...] = (
    (b"<mpd", "a DASH manifest"),
    (b"<smoothstreamingmedia", "a Smooth Streaming manifest"),
    (b"<asx", "an ASX playlist"),
    (b"<smil", "a SMIL playlist"),
    (b"<playlist", "an XSPF playlist"),
    (b"compositionplaylist", "an IMF composition"),
    (b"<assetmap", "an IMF asset map"),
)

_PYTHON = re.compile(r"^(import \w+|from [\w.]+ import |def \w+\(|class \w+[(:])", re.MULTILINE)


def playlist(head: bytes) -> str | None:
    """The kind of playlist that ``head`` (the first few kilobytes) starts, or None."""
    text = _squeezed(head)
    for start, kind in _PLAYLIST_STARTS:
        if text.startswith(start):
            return kind
    if text.startswith(b"<"):
        return next((kind for tag, kind in _PLAYLIST_TAGS if tag in text), None)
    return None


def part(head: bytes) -> str | None:
    """The format of a recording's later part, which says nothing without its beginning."""
    for offset, mark, kind in _PARTS:
        if head[offset : offset + len(mark)] == mark and b"moov" not in head:
            return kind
    return None


def describe(head: bytes) -> str | None:
    """What ``head`` starts, when it is something well known that holds no recording."""
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head[4:8] == b"ftyp" and head[8:12] in _IMAGE_BRANDS:
        return "a photo (HEIF or AVIF)"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "a WebP image"
    if head[:2] == b"BM" and head[6:10] == b"\x00" * 4:
        return "a BMP image"
    if head[257:262] == b"ustar":
        return "a tar archive"
    return _text(head)


def _squeezed(head: bytes) -> bytes:
    """Lower case, without byte order mark and leading white space; UTF-16 made plain."""
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        head = head.decode("utf-16", "ignore").encode("utf-8", "ignore")
    return head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()


def _text(head: bytes) -> str | None:
    """The kind of text this is, or None when it is not text."""
    text = _decoded(head)
    if text is None:
        return None
    start = text.lstrip("\ufeff \t\r\n")
    lower = start[:200].lower()
    if lower.startswith("#!") and "python" not in lower.split("\n")[0]:
        return "a script"
    # A page of text that shows code is still a page of text.
    if lower.startswith("#!") or (_PYTHON.search(start) and "```" not in start):
        return "Python source"
    if lower.startswith(("<!doctype html", "<html")):
        return "a web page"
    if lower.startswith("<"):
        return "XML"
    if lower.startswith(("{", "[")):
        return "JSON"
    return "text"


def _decoded(head: bytes) -> str | None:
    """``head`` as text, or None where it holds bytes that text does not."""
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return head.decode("utf-16", "ignore")
    if any(byte < 32 and byte not in (9, 10, 12, 13, 27) for byte in head):
        return None
    try:
        # Not final: the head may end in the middle of a character.
        return codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return None

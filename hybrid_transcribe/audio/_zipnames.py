"""Names of a zip's entries, whatever encoding they have.

A name is UTF-8 where its entry says so. Many packers do not say: macOS writes UTF-8 all the same,
Windows the code page of its console (850 in Brazil and Western Europe, 437 in the United States,
932 in Japan), others that of its windows (1252). The standard library reads all of them as code
page 437. Here one encoding is chosen for all names of a zip: the one in which they look most like
words. A detector of texts is no help for a few letters: of 68 names of one to three words, in 22
encodings, charset-normalizer 3.5 reads 18 right; this reads 57, and 65 where it knows the language
of the machine. So the detector is asked only where there is more text and the choice is close.
"""

from __future__ import annotations

import locale
import os
import struct
import unicodedata
import zlib
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from zipfile import ZipInfo

#: An entry's flag for a name in UTF-8.
_UTF_8 = 0x800

#: The extra field that holds a name in UTF-8 beside the other: version, CRC-32 of the other, name.
_UNICODE_PATH = 0x7075

#: Systems that made an entry: MS-DOS, Macintosh, Windows NTFS, VFAT, OS X.
_DOS, _MACINTOSH, _OS_X = 0, 7, 19

#: Bytes of names that are looked at: more change nothing any more.
_SAMPLE_BYTES = 4096

#: From so many bytes that are not ASCII on the detector is asked, where costs are so close.
_DETECTABLE_BYTES, _CLOSE = 48, 0.5

#: Code pages of Windows by the languages of a machine: that of the console, that of windows.
_PAGES = {
    "af ca da de en es et eu fi fr ga gl is it nb nl nn no pt sv": ("cp850", "cp1252"),
    "zh": ("gbk", "cp950"),
    "ja": ("cp932", "euc_jp"),
    "ko": ("cp949", "cp949"),
    "ru uk be bg mk sr kk": ("cp866", "cp1251"),
    "bs cs hr hu pl ro sk sl sq": ("cp852", "cp1250"),
    "el": ("cp737", "cp1253"),
    "tr az": ("cp857", "cp1254"),
    "he yi": ("cp862", "cp1255"),
    "ar fa ur": ("cp720", "cp1256"),
    "lt lv": ("cp775", "cp1257"),
    "th": ("cp874", "cp874"),
}

#: All that are tried, in the order in which they win where nothing tells them apart.
_ENCODINGS = tuple(
    dict.fromkeys(("cp850", "cp1252", "cp437", *(p for ps in _PAGES.values() for p in ps)))
)

#: What an encoding costs that is not of the machine's language, and Macintosh's, which nobody
#: else writes: its letters are other letters of code page 850.
_FOREIGN, _MACINTOSH_COST = 0.6, 1.5

# Letters of Western Europe by how often they are met, then those of its East and North.
_USUAL = frozenset("áâãàçéêíóôõúñüäöèåÁÂÃÀÇÉÊÍÓÔÕÚÑÜÄÖÈÅ")
_SELDOM = frozenset(
    "ëïîûùìòßøæœýËÏÎÛÙÌÒØÆŒÝšžčřěůąęłśżźćńőűğışăâđťďňŠŽČŘŚŻŁĆŐŰĞİŞĂĐāēīūņķļģĀĒĪŪșțȘȚşţŢ"
)
_RUSSIAN = frozenset("абвгдежзийклмнопрстуфхцчшщъыьэюяё")
_VOWELS = frozenset("aeiouyáâãàéêíóôõúüäöèåëïîûùìòøæœýıаеиоуыэюяёієїαεηιουωάέήίόύώ")

#: Scripts with vowels and capitals.
_CASED = ("LATIN", "CYRILLIC", "GREEK")

# The syllables that make up half of written Korean.
_KOREAN = frozenset(
    "이다는의에을가고하지로한기사를도서리시은자인그나대해어정일있아보수스라전들부제여니장상"
    "유구원주과러게성소만무와오조동우교으면마모치선계공미비관당방생회위연세강학음록터뷰녹의"
)

#: Marks that stand in names of files: before or after words, not within.
_MARKS = frozenset("°–—’‘“”«»…€£©®™¿¡")

#: ASCII that does not stand beside a letter in a name, but is a second byte in Shift-JIS and Big5.
_ODD_ASCII = frozenset("^[]\\{}|@`~")

_LEVELS = (
    # Encoding of a standard, first bytes of its usual characters, encodings that contain it.
    ("gb2312", range(0xB0, 0xD8), ("gbk",)),
    ("shift_jis", range(0x88, 0x99), ("cp932", "euc_jp")),
    ("big5", range(0xA4, 0xC7), ("cp950",)),
)


def decode_names(entries: Sequence[ZipInfo]) -> None:
    """Set ``filename`` of each entry whose name the standard library has guessed.

    ``orig_filename``, by which the library finds the entry, stays.
    """
    raw = {i: _raw_name(entry) for i, entry in enumerate(entries)}
    guessed = {i: name for i, name in raw.items() if name is not None and not name.isascii()}
    unknown = {i: name for i, name in guessed.items() if _unicode_path(entries[i], name) is None}
    systems = {entries[i].create_system for i in unknown}
    encoding = choose_encoding(list(unknown.values()), systems, _language())
    for i, name in guessed.items():
        text = _unicode_path(entries[i], name) or name.decode(encoding, "replace")
        entries[i].filename = text.partition("\0")[0].replace(os.sep, "/")


def choose_encoding(names: Sequence[bytes], systems: Iterable[int], language: str) -> str:
    """The encoding of names that do not say theirs.

    Args:
        systems: those that made the entries, as zips number them.
        language: of this machine, as ISO 639-1, which decides between what looks alike.
    """
    sample = list(_sample(names))
    if all(_is_utf_8(name) for name in sample):
        return "utf-8"
    costs = dict(sorted(_costs(sample, set(systems), language), key=lambda pair: pair[1]))
    if not costs:
        return "cp437"
    best, *others = costs
    close = [other for other in others if costs[other] - costs[best] < _CLOSE]
    n_bytes = sum(byte > 127 for name in sample for byte in name)
    if close and n_bytes >= _DETECTABLE_BYTES:
        return _detected(b"\n".join(sample), [best, *close]) or best
    return best


def _raw_name(entry: ZipInfo) -> bytes | None:
    """The bytes of a name that the library has read as code page 437; None where it knew."""
    return None if entry.flag_bits & _UTF_8 else entry.orig_filename.encode("cp437", "replace")


def _unicode_path(entry: ZipInfo, raw: bytes) -> str | None:
    """The name that an entry has in UTF-8 beside the other, if it is still that of this entry."""
    extra = entry.extra
    while len(extra) >= 4:
        kind, size = struct.unpack_from("<HH", extra)
        field, extra = extra[4 : 4 + size], extra[4 + size :]
        if kind == _UNICODE_PATH and len(field) > 5:
            version, crc = struct.unpack_from("<BL", field)
            if version == 1 and crc == zlib.crc32(raw) and _is_utf_8(field[5:]):
                return field[5:].decode("utf-8")
    return None


def _sample(names: Sequence[bytes]) -> Iterator[bytes]:
    """Different names, as many as are needed to tell their encoding."""
    n_bytes = 0
    for name in dict.fromkeys(names):
        if n_bytes > _SAMPLE_BYTES:
            return
        n_bytes += len(name)
        yield name


def _is_utf_8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _language() -> str:
    """The language of this machine, as ISO 639-1; empty where it has none."""
    name = next(
        (os.environ[v] for v in ("LC_ALL", "LC_CTYPE", "LANG") if os.environ.get(v)),
        locale.getlocale()[0] or "",
    )
    # Windows calls its locales by names: Portuguese_Brazil.
    return locale.normalize(name).partition("_")[0].lower()[:2] if name else ""


def _costs(names: Sequence[bytes], systems: set[int], language: str) -> Iterator[tuple[str, float]]:
    """Each encoding that can be the names' and how little they look like words in it."""
    own = next((pages for codes, pages in _PAGES.items() if language in codes.split()), ())
    encodings = [*dict.fromkeys((*own, *_ENCODINGS)), "mac_roman"]
    if not systems & {_DOS, _MACINTOSH, _OS_X}:
        # Made under Unix or NTFS: the code page of windows comes before that of the console.
        encodings.sort(key=lambda encoding: encoding in ("cp850", "cp437"))
    for rank, encoding in enumerate(encodings):
        try:
            texts = [name.decode(encoding) for name in names]
        except UnicodeDecodeError:
            continue
        cost = sum(_text_cost(text, encoding) for text in texts) + rank / 100
        if encoding == "mac_roman":
            cost += 0.0 if systems & {_MACINTOSH, _OS_X} else _MACINTOSH_COST
        elif own and encoding not in own:
            cost += _FOREIGN
        yield encoding, cost


def _detected(raw: bytes, encodings: list[str]) -> str | None:
    from charset_normalizer import from_bytes

    best = from_bytes(raw, cp_isolation=encodings).best()
    return best.encoding if best else None


def _text_cost(text: str, encoding: str) -> float:
    """How little a name looks like words, 0 for one that does: symbols, mixed scripts, odd case."""
    padded = f" {text} "
    cost = sum(
        _character_cost(before, character, after, encoding)
        for before, character, after in zip(padded, padded[1:], padded[2:], strict=False)
    )
    words = "".join(c if c.isalpha() else " " for c in text).split()
    return cost + sum(map(_word_cost, words))


def _word_cost(word: str) -> float:
    """Words of alphabets have vowels, and capitals at their beginning or throughout."""
    if word.isascii() or not any(_script(c) in _CASED for c in word):
        return 0.0
    cost = 1.5 if len(word) > 3 and not any(c.lower() in _VOWELS for c in word) else 0.0
    capitals = sum(c.isupper() for c in word[1:])
    if capitals and not word.isupper():
        cost += 2.0 * capitals
    elif word.isupper():
        cost += 0.3 * sum(not c.isascii() for c in word[1:])
    return cost


def _character_cost(before: str, character: str, after: str, encoding: str) -> float:
    neighbours = [c for c in (before, after) if c.isalpha()]
    if character.isascii():
        odd = character in _ODD_ASCII and any(not c.isascii() for c in neighbours)
        return 1.5 if odd else 0.0
    category = unicodedata.category(character)
    if category[0] == "C":
        return 8.0
    if character in "ºª":
        return 0.2 if before.isalnum() else 4.0
    if category[0] not in "LM":
        return _symbol_cost(character, category, neighbours)
    return _letter_cost(character, encoding) + _mixing_cost(character, neighbours)


def _symbol_cost(character: str, category: str, neighbours: list[str]) -> float:
    if character in _MARKS:
        return 1.0 if len(neighbours) < 2 or character == "’" else 3.0
    wide = unicodedata.east_asian_width(character) in "WF"
    if wide and category[0] in "PN" and any(_script(c) in _WIDE for c in neighbours):
        return 0.3
    return 4.0


#: Scripts whose characters take two columns.
_WIDE = frozenset(("CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HANGUL", "FULLWIDTH"))


@cache
def _script(character: str) -> str:
    return unicodedata.name(character, "").partition(" ")[0]


def _letter_cost(character: str, encoding: str) -> float:
    script = _script(character)
    if script == "LATIN":
        return 0.0 if character in _USUAL else 0.4 if character in _SELDOM else 2.0
    if script == "CYRILLIC":
        return 0.0 if character.lower() in _RUSSIAN else 0.8
    if script == "CJK":
        return _ideograph_cost(character, encoding)
    if script == "HANGUL":
        return 0.1 if character in _KOREAN else 0.5
    if script == "HALFWIDTH":
        return 1.2
    if script in ("HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"):
        # The Chinese and Korean standards have them, too.
        return 0.05 if encoding in ("cp932", "euc_jp") else 1.5
    # Nearly every byte is a letter of Thai, and many of Arabic and Hebrew.
    return {"THAI": 0.3, "ARABIC": 0.1, "HEBREW": 0.1}.get(script, 0.05)


def _ideograph_cost(character: str, encoding: str) -> float:
    for standard, usual, encodings in _LEVELS:
        if encoding in encodings:
            try:
                return 0.3 if character.encode(standard)[0] in usual else 1.8
            except UnicodeEncodeError:
                return 3.0
    # In Korean names of today they are rare.
    return 1.8


def _mixing_cost(character: str, neighbours: list[str]) -> float:
    """Within a word letters are of one script; ideographs may stand beside others."""
    script = _script(character)
    others = [c for c in neighbours if _script(c) != script]
    if script in _WIDE:
        latin = [c for c in others if c.isascii()]
        hangul = [c for c in others if "HANGUL" in (_script(c), script) and not c.isascii()]
        return 1.2 * len(latin) + (2.0 if len(latin) == 2 else 0.0) + 1.25 * len(hangul)
    return 2.5 * len(others)

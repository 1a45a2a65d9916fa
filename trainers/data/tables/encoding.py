"""The encoding of a text whose bytes are not UTF-8."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable
from pathlib import Path

from trainers.data.tables.compression import open_bytes
from trainers.errors import DataError

UTF_8 = "utf-8-sig"  # UTF-8, with or without a byte order mark
_MARKS = (
    (codecs.BOM_UTF8, UTF_8),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WESTERN = ("cp1252", "cp850", "mac_roman")
_NO_ASCII = ["utf_7", "utf_16", "utf_16_be", "utf_16_le", "utf_32", "utf_32_be", "utf_32_le"]
_RARE = "œžŸšŠŽŒƒþðÞÐ"
_WORD = re.compile(r"[^\W\d_]+")
_SIGN_IN_WORD = re.compile(r"[^\W\d_][^\x00-\x7f°·’‘\w][^\W\d_]|[^\W\d_][²³¹¼½¾][^\W\d_]")
_CAPITAL_IN_WORD = re.compile(r"[a-zß-öø-ÿ](?=[^\x00-\x7f])[À-ÖØ-ÞŠŽŒŸ]")
_FRAMES = re.compile(r"[\u2500-\u25ff]")  # drawn by DOS, where other encodings have letters
_ENOUGH_BYTES = 65_536
_MOST_BYTES_SOUGHT = 256 * 2**20


def first_guess(path: Path, head: bytes) -> str:
    """Return the encoding that a file's first bytes tell: by their mark or zeros, else UTF-8.

    Raises:
        DataError: these are no bytes of a text.
    """
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    if b"\x00" not in head:
        return UTF_8
    even, odd = head[::2].count(0), head[1::2].count(0)
    if max(even, odd) > 0.4 * (len(head) / 2) and min(even, odd) < 0.1 * (len(head) / 2):
        return "utf-16-be" if even > odd else "utf-16-le"
    raise DataError(
        f"{path} can't be read as a table: it holds zero bytes, so it is no text; name its format "
        "in data.reading.format."
    )


def encoding_of(path: Path) -> str:
    """Return the likeliest encoding of a text that is not UTF-8.

    That of western Europe where the text then reads as its languages do; otherwise what
    charset-normalizer finds. Only lines that are not ASCII are looked at.

    Raises:
        DataError: none fits.
    """
    from charset_normalizer import from_bytes

    sample = _telling_lines(path)
    for encoding in _WESTERN:
        if _is_western(sample, encoding):
            return encoding
    found = from_bytes(sample, cp_exclusion=_NO_ASCII)
    best = next((one for one in found if not _FRAMES.search(str(one))), None)
    if best is None:
        raise DataError(
            f"{path} can't be read as a table: its encoding is not UTF-8 and can't be told; set "
            "data.reading.encoding, as cp1252."
        )
    return best.encoding


def _telling_lines(path: Path) -> bytes:
    found = bytearray()
    sought = 0
    with open_bytes(path) as stream:
        for line in _lines(stream):
            sought += len(line)
            if not line.isascii():
                found += line
            if len(found) > _ENOUGH_BYTES or sought > _MOST_BYTES_SOUGHT:
                break
    return bytes(found)


def _lines(stream: Iterable[bytes]) -> Iterable[bytes]:
    # A file of one endless line, or of old Macs' line ends, is cut into pieces all the same.
    for line in stream:
        for start in range(0, len(line), _ENOUGH_BYTES):
            yield line[start : start + _ENOUGH_BYTES]


def _is_western(sample: bytes, encoding: str) -> bool:
    """Whether bytes read so make words: mostly ASCII letters, and no signs inside them.

    In other alphabets nearly every letter is beyond ASCII; in central Europe's encodings letters
    lie where cp1252 has signs, or letters that are rare in the west. In those of DOS and old Macs
    they would be capitals inside words.
    """
    try:
        text = sample.decode(encoding)
    except UnicodeDecodeError:
        return False
    if encoding != "cp1252" and _CAPITAL_IN_WORD.search(text):
        return False
    words = [word for word in _WORD.findall(text) if not word.isascii() and len(word) > 1]
    letters = [character for word in words for character in word]
    beyond = [character for character in letters if not character.isascii()]
    rare = sum(character in _RARE for character in beyond)
    return (
        2 * len(beyond) <= len(letters)
        and 4 * rare <= len(beyond)
        and not _SIGN_IN_WORD.search(text)
    )

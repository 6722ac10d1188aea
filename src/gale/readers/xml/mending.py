"""Faults of the software that wrote XML: those that can be mended safely, and those to be named.

Numbers in mzML and mzXML are ASCII. So bytes in another encoding than the declared one do no harm
within the texts of a file, such as a name with an accent, and they are read there and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from lxml import etree

Codes = etree.ErrorTypes

_DECLARED = re.compile(rb"""\s*<\?xml[^>]*?encoding\s*=\s*["']([\w.:-]+)""")
_TEXTS = re.compile(
    rb"(?<=\s)(?:name|value|id|fullName|location|fileName|fileType|comment|type|version|URI)\s*=\s*"
    rb'"[^"<>]*[\x80-\xff][^"<>]*"'
)
"""Attributes that are texts for people, as far as they have other characters than ASCII."""

_TAG = re.compile(rb'<[A-Za-z][^<>"]*(?:"[^"]*"[^<>"]*)*>')
_ATTRIBUTE = re.compile(rb'\s+([\w.:-]+)\s*=\s*("[^"]*")')

WRITERS_FAULTS = (
    Codes.ERR_INVALID_ENCODING,
    Codes.ERR_UNKNOWN_ENCODING,
    Codes.ERR_UNSUPPORTED_ENCODING,
    Codes.ERR_ATTRIBUTE_REDEFINED,
    Codes.ERR_INVALID_CHAR,
    Codes.ERR_INVALID_CHARREF,
    Codes.ERR_NAME_REQUIRED,
    Codes.ERR_ENTITYREF_SEMICOL_MISSING,
    Codes.ERR_UNDECLARED_ENTITY,
    Codes.ERR_LT_IN_ATTRIBUTE,
)
"""Faults of XML that a copy of the file has, too, unless its bytes were changed on the way."""


def error_code(error: etree.XMLSyntaxError) -> int:
    """Return the code of an error of libxml2, one of `lxml.etree.ErrorTypes`."""
    return int(getattr(error, "code", 0) or 0)


def read_other_encoding(data: bytes) -> bytes:
    """Write the texts that are not UTF-8 as UTF-8, taking them for Windows-1252.

    A file that declares another encoding than UTF-8 stays as it is.
    """
    declared = _DECLARED.match(data.removeprefix(b"\xef\xbb\xbf"))
    if declared and declared[1].lower() not in (b"utf-8", b"utf8"):
        return data
    return _TEXTS.sub(_as_utf8, data)


def drop_repeated_attributes(data: bytes) -> bytes:
    """Leave out an attribute that an element has twice with the same value."""
    return _TAG.sub(_without_repeated, data)


MENDS: Mapping[int, tuple[Callable[[bytes], bytes], str]] = {
    Codes.ERR_INVALID_ENCODING: (
        read_other_encoding,
        "some texts are not in UTF-8, which the file declares; they were read as Windows-1252",
    ),
    Codes.ERR_ATTRIBUTE_REDEFINED: (
        drop_repeated_attributes,
        "some elements have an attribute twice with the same value, which XML does not allow; it "
        "was read once",
    ),
}
"""What may mend a fault, by its code, and the note about it."""


def _as_utf8(found: re.Match[bytes]) -> bytes:
    try:
        found[0].decode("utf-8")
    except UnicodeDecodeError:
        return found[0].decode("cp1252", "replace").encode()
    return found[0]


def _without_repeated(tag: re.Match[bytes]) -> bytes:
    seen: set[tuple[bytes, bytes]] = set()

    def once(attribute: re.Match[bytes]) -> bytes:
        pair = attribute[1], attribute[2]
        repeated = pair in seen
        seen.add(pair)
        return b"" if repeated else attribute[0]

    return _ATTRIBUTE.sub(once, tag[0])

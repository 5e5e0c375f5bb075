"""The one text of an XMP packet in which programs write settings, found without an XML parser, so that no foreign
entity is ever expanded.
"""

from __future__ import annotations

import html

XMP_USER_COMMENT = "XMP UserComment"
_ELEMENT, _ATTRIBUTE = "<exif:UserComment", ' exif:UserComment="'


def xmp_texts(packet: str) -> dict[str, str]:
    """EXIF's UserComment in the form that XMP has for it, under a name of its own; empty if there is none.

    >>> xmp_texts('<exif:UserComment><rdf:Alt><rdf:li xml:lang="x-default">{&quot;c&quot;}</rdf:li></rdf:Alt>')
    {'XMP UserComment': '{"c"}'}
    """
    start = packet.find(_ELEMENT)
    if start >= 0:
        item = packet.find("<rdf:li", start)
        begin = packet.find(">", item if item >= 0 else start) + 1
        end = packet.find("<", begin)
    else:
        begin = packet.find(_ATTRIBUTE) + len(_ATTRIBUTE)
        end = packet.find('"', begin) if begin >= len(_ATTRIBUTE) else -1
    return {XMP_USER_COMMENT: html.unescape(packet[begin:end])} if 0 < begin < end else {}

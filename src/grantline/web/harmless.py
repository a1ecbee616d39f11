"""Text of customers' files, made harmless to look at.

In: any text. Out: the same text with every character that would hide, reorder or break what stands
around it replaced by something visible. Escaping markup is the template's work; this is about what
escaping leaves: controls, bidirectional overrides (CVE-2021-42574), invisible spaces, lone surrogates.
"""

from __future__ import annotations

import re

_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # controls, but for tab and line ends
    "\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f\ud800-\udfff]"
)
_LINES = str.maketrans({"\t": "⇥", "\r": "␍", "\n": "␤"})


def harmless(text: object) -> str:
    """`text` on one line, with what cannot be seen written out: `␀`, `⟨U+202E⟩`."""
    return _UNSEEN.sub(_picture, str(text)).translate(_LINES)


def _picture(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else f"⟨U+{code:04X}⟩"

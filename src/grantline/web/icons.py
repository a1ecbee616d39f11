"""The icons of the console.

Owns one drawing per name: the inside of a 24 by 24 SVG, drawn for a round stroke of 1.5. Icons are put
into the page itself (`icon_svg`), so that they are there with the first paint and take the color of the
text beside them. An icon without a label is decoration and hidden from screen readers; a state is never
told by an icon alone. An unknown name is a mistake in a template and raises `KeyError`.
"""

from __future__ import annotations

from typing import Final

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

ICONS: Final[dict[str, str]] = {
    # Places
    "overview": (
        '<rect x="3.75" y="3.75" width="7" height="9" rx="1.5"/><rect x="13.25" y="3.75" width="7"'
        ' height="5" rx="1.5"/><rect x="3.75" y="15.75" width="7" height="4.5" rx="1.5"/><rect x="13.25"'
        ' y="11.75" width="7" height="8.5" rx="1.5"/>'
    ),
    "application": (
        '<rect x="3.75" y="4.75" width="16.5" height="14.5" rx="2.5"/><path d="M3.75 9h16.5"/><path'
        ' d="M6.75 6.9h.01M9.25 6.9h.01"/>'
    ),
    "people": (
        '<circle cx="9" cy="8.25" r="3.25"/><path d="M3 19.25c.4-3.3 2.8-5.25 6-5.25s5.6 1.95 6 5.25"/>'
        '<path d="M15.5 5.25a3.25 3.25 0 0 1 0 6M17.5 14.4c2 .7 3.2 2.4 3.5 4.85"/>'
    ),
    "integration": (
        '<path d="M9 3.75v4M15 3.75v4"/><path d="M6.25 7.75h11.5v3.5a5.75 5.75 0 0 1-11.5 0z"/><path d="M12 17v3.25"/>'
    ),
    "runs": '<path d="M3.5 12h3.75l2.5-6.75 4.5 13.5 2.5-6.75h3.75"/>',
    "audit": (
        '<path d="M6.25 3.75h8l4 4v11a1.5 1.5 0 0 1-1.5 1.5H6.25a1.5 1.5 0 0 1-1.5-1.5V5.25a1.5 1.5 0 0 1'
        ' 1.5-1.5z"/><path d="M14 3.75V8h4.25M8.25 12h6.5M8.25 15.5h4"/>'
    ),
    "settings": (
        '<path d="M4 7.25h8.5M17.5 7.25H20M4 16.75h2.5M11.5 16.75H20"/><circle cx="15" cy="7.25"'
        ' r="2.5"/><circle cx="9" cy="16.75" r="2.5"/>'
    ),
    # Things
    "bucket": (
        '<ellipse cx="12" cy="6" rx="7.75" ry="2.25"/><path d="m4.25 6 1.9 12.2c.2 1.2 2.75 2.05 5.85'
        ' 2.05s5.65-.85 5.85-2.05L19.75 6"/>'
    ),
    "file": (
        '<path d="M7 3.75h6.75l4.5 4.5v10.5a1.5 1.5 0 0 1-1.5 1.5H7a1.5 1.5 0 0 1-1.5-1.5V5.25A1.5 1.5 0 0'
        ' 1 7 3.75z"/><path d="M13.5 3.75v4.75h4.75"/>'
    ),
    "folder": (
        '<path d="M3.75 7.25v10a2 2 0 0 0 2 2h12.5a2 2 0 0 0 2-2V9.5a2 2 0 0 0-2-2h-6l-1.9-2.2a1.5 1.5 0 0'
        ' 0-1.1-.5h-3.5a2 2 0 0 0-2 2z"/>'
    ),
    "key": ('<circle cx="8" cy="15.5" r="4"/><path d="m11 12.5 8.5-8.5M16 7.5l2.75 2.75M13.5 10l1.75 1.75"/>'),
    "user": '<circle cx="12" cy="8" r="3.75"/><path d="M4.75 20c.5-3.9 3.4-6 7.25-6s6.75 2.1 7.25 6"/>',
    "group": (
        '<circle cx="12" cy="7.25" r="3"/><circle cx="5.75" cy="10" r="2"/><circle cx="18.25" cy="10"'
        ' r="2"/><path d="M6.75 18.75c.3-3.5 2.35-5.5 5.25-5.5s4.95 2 5.25 5.5zM2.5 16.5c.2-1.7 1-2.9'
        ' 2.4-3.3M21.5 16.5c-.2-1.7-1-2.9-2.4-3.3"/>'
    ),
    "shield": (
        '<path d="M12 3.5c2.2 1.6 4.6 2.4 7.25 2.5v5.5c0 4.3-2.7 7.3-7.25'
        ' 9-4.55-1.7-7.25-4.7-7.25-9V6c2.65-.1 5.05-.9 7.25-2.5z"/>'
    ),
    "entitlement": (
        '<path d="M12 3.5c2.2 1.6 4.6 2.4 7.25 2.5v5.5c0 4.3-2.7 7.3-7.25'
        ' 9-4.55-1.7-7.25-4.7-7.25-9V6c2.65-.1 5.05-.9 7.25-2.5z"/><path d="m8.75 12 2.25 2.25 4.25-4.5"/>'
    ),
    "grant": (
        '<circle cx="5.75" cy="12" r="2.25"/><circle cx="18.25" cy="6.25" r="2.25"/><circle cx="18.25"'
        ' cy="17.75" r="2.25"/><path d="M8 12h2.5c2.5 0 2.5-5.75 5.5-5.75M10.5 12c2.5 0 2.5 5.75 5.5'
        ' 5.75"/>'
    ),
    "cloud": ('<path d="M7.25 18.75a4.25 4.25 0 0 1-.6-8.45 5.75 5.75 0 0 1 11.1 1.25 3.65 3.65 0 0 1-.5 7.2z"/>'),
    "table": (
        '<rect x="3.75" y="4.75" width="16.5" height="14.5" rx="2"/><path d="M3.75 9.5h16.5M3.75'
        ' 14.4h16.5M9.5 9.5v9.75"/>'
    ),
    "mapping": (
        '<path d="M4 6.75h4.5c5 0 3 10.5 8 10.5H20M4 17.25h4.5c1.7 0 2.6-1.2 3.1-2.75M20 6.75h-3.5c-1.7'
        ' 0-2.6 1.2-3.1 2.75"/><path d="m17.5 14.75 2.5 2.5-2.5 2.5M17.5 4.25l2.5 2.5-2.5 2.5"/>'
    ),
    "mail": '<rect x="3.75" y="5.25" width="16.5" height="13.5" rx="2"/><path d="m4.25 7 7.75 6 7.75-6"/>',
    # States
    "check": '<path d="m5 12.75 4.5 4.5 9.5-10.5"/>',
    "check-circle": '<circle cx="12" cy="12" r="8.25"/><path d="m8.25 12.25 2.6 2.6 5-5.35"/>',
    "cross": '<path d="m6.25 6.25 11.5 11.5M17.75 6.25 6.25 17.75"/>',
    "cross-circle": '<circle cx="12" cy="12" r="8.25"/><path d="m9.25 9.25 5.5 5.5M14.75 9.25l-5.5 5.5"/>',
    "warning": (
        '<path d="M10.7 4.5 3.4 17.25a1.5 1.5 0 0 0 1.3 2.25h14.6a1.5 1.5 0 0 0 1.3-2.25L13.3 4.5a1.5 1.5'
        ' 0 0 0-2.6 0z"/><path d="M12 9.5v4M12 16.5v.01"/>'
    ),
    "info": '<circle cx="12" cy="12" r="8.25"/><path d="M12 11.25v4.5M12 8.25v.01"/>',
    "question": (
        '<circle cx="12" cy="12" r="8.25"/><path d="M9.75 9.75a2.25 2.25 0 1 1 3.4'
        ' 1.95c-.75.45-1.15.9-1.15 1.8M12 16.25v.01"/>'
    ),
    "clock": '<circle cx="12" cy="12" r="8.25"/><path d="M12 7.25V12l3.25 2"/>',
    "history": ('<path d="M4 12a8.25 8.25 0 1 0 2.6-6L4.25 8.25"/><path d="M4 4.25v4h4M12 7.75V12l3 1.75"/>'),
    "held": (
        '<path d="M8 12.5V6.25a1.25 1.25 0 0 1 2.5 0v4.5V4.75a1.25 1.25 0 0 1 2.5 0v6-4.75a1.25 1.25 0 0 1'
        " 2.5 0v6-3.75a1.25 1.25 0 0 1 2.5 0v6.5c0 3.5-2.25 5.5-5.5 5.5-2.9 0-4.3-1.2-5.6-3.6L4.5"
        ' 13.5c-.4-.75-.2-1.5.4-1.85.65-.4 1.4-.15 1.85.5z"/>'
    ),
    "running": '<path d="M20.25 12A8.25 8.25 0 1 1 12 3.75"/>',
    "queued": '<path d="M6.25 12h.01M12 12h.01M17.75 12h.01" stroke-width="2.5"/>',
    "equal": '<path d="M5.5 9.25h13M5.5 14.75h13"/>',
    "dot": '<circle cx="12" cy="12" r="3.25" fill="currentColor"/>',
    "ring": '<circle cx="12" cy="12" r="8.25" stroke-dasharray="2.6 2.6"/>',
    "minus": '<path d="M5.75 12h12.5"/>',
    "skip": '<circle cx="12" cy="12" r="8.25"/><path d="M8.5 12h7"/>',
    "pause": '<path d="M9 5.5v13M15 5.5v13" stroke-width="2"/>',
    "play": (
        '<path d="M7.75 5.4v13.2a.75.75 0 0 0 1.15.65l10.1-6.6a.75.75 0 0 0 0-1.3L8.9 4.75a.75.75 0 0 0-1.15.65z"/>'
    ),
    # Deeds
    "sync": (
        '<path d="M19.5 9.5a8 8 0 0 0-14-2.5L4 8.75M4.5 14.5a8 8 0 0 0 14 2.5l1.5-1.75"/><path d="M4'
        ' 4.5v4.25h4.25M20 19.5v-4.25h-4.25"/>'
    ),
    "copy": (
        '<rect x="8.75" y="8.75" width="11.5" height="11.5" rx="2"/><path d="M15.25 8.5V5.75a2 2 0 0'
        ' 0-2-2h-7.5a2 2 0 0 0-2 2v7.5a2 2 0 0 0 2 2H8.5"/>'
    ),
    "external": (
        '<path d="M13.75 4.25h6v6M19.5 4.5l-8.75 8.75M17.25 13.75v4a2 2 0 0 1-2 2h-9a2 2 0 0 1-2-2v-9a2 2'
        ' 0 0 1 2-2h4"/>'
    ),
    "search": '<circle cx="10.75" cy="10.75" r="6.5"/><path d="m15.5 15.5 4.75 4.75"/>',
    "plus": '<path d="M12 5v14M5 12h14"/>',
    "upload": (
        '<path d="M12 15.75V4.5M7.5 8.75 12 4.25l4.5 4.5M4.25 15.75v2.5a2 2 0 0 0 2 2h11.5a2 2 0 0 0 2-2v-2.5"/>'
    ),
    "download": (
        '<path d="M12 4.25V15.5M7.5 11.25l4.5 4.5 4.5-4.5M4.25 15.75v2.5a2 2 0 0 0 2 2h11.5a2 2 0 0 0 2-2v-2.5"/>'
    ),
    "edit": (
        '<path d="m4.5 19.5.75-4L15.5 5.25a1.75 1.75 0 0 1 2.5 0l.75.75a1.75 1.75 0 0 1 0 2.5L8.5'
        ' 18.75z"/><path d="m13.75 7 3.25 3.25"/>'
    ),
    "trash": (
        '<path d="M4.5 6.75h15M9.25 6.5V5a1.25 1.25 0 0 1 1.25-1.25h3A1.25 1.25 0 0 1 14.75 5v1.5M6.5'
        " 7l.75 11.5a1.75 1.75 0 0 0 1.75 1.65h6a1.75 1.75 0 0 0 1.75-1.65L17.5 7M10.25 10.75v5.5M13.75"
        ' 10.75v5.5"/>'
    ),
    "filter": '<path d="M4 6.25h16M7 12h10M10.25 17.75h3.5"/>',
    "rollback": '<path d="M8.5 5.25 4.25 9.5l4.25 4.25"/><path d="M4.5 9.5h9a5.25 5.25 0 0 1 0 10.5h-3"/>',
    "sign-out": (
        '<path d="M14.5 8V5.75a2 2 0 0 0-2-2h-6a2 2 0 0 0-2 2v12.5a2 2 0 0 0 2 2h6a2 2 0 0 0 2-2V16"/>'
        '<path d="M9.75 12h10.5M17 8.5l3.5 3.5-3.5 3.5"/>'
    ),
    # Frame
    "chevron-right": '<path d="m9.5 5.75 6.25 6.25-6.25 6.25"/>',
    "chevron-left": '<path d="M14.5 5.75 8.25 12l6.25 6.25"/>',
    "chevron-down": '<path d="m5.75 9.25 6.25 6.25 6.25-6.25"/>',
    "arrow-right": '<path d="M4.5 12h15M13.5 6l6 6-6 6"/>',
    "arrow-up": '<path d="M12 19.5v-15M6 10.5l6-6 6 6"/>',
    "arrow-down": '<path d="M12 4.5v15M6 13.5l6 6 6-6"/>',
    "menu": '<path d="M4 7h16M4 12h16M4 17h16"/>',
    "more": '<path d="M6 12h.01M12 12h.01M18 12h.01" stroke-width="2.5"/>',
    "close": '<path d="m6.25 6.25 11.5 11.5M17.75 6.25 6.25 17.75"/>',
    "sun": (
        '<circle cx="12" cy="12" r="3.75"/><path d="M12 3v1.75M12 19.25V21M3 12h1.75M19.25 12H21M5.65'
        ' 5.65l1.2 1.2M17.15 17.15l1.2 1.2M18.35 5.65l-1.2 1.2M6.85 17.15l-1.2 1.2"/>'
    ),
    "moon": '<path d="M19.75 14.25A8.25 8.25 0 0 1 9.75 4.25a8.25 8.25 0 1 0 10 10z"/>',
    "auto": ('<circle cx="12" cy="12" r="8.25"/><path d="M12 3.75v16.5a8.25 8.25 0 0 0 0-16.5z" fill="currentColor"/>'),
    "calendar": (
        '<rect x="4.25" y="5.25" width="15.5" height="14.5" rx="2"/><path d="M4.25 9.75h15.5M8.25'
        ' 3.5v3.5M15.75 3.5v3.5"/>'
    ),
}


def icon_svg(name: str, size: int = 20, css_class: str = "", label: str = "") -> SafeString:
    """One icon as an `<svg>`; with a label it is an image of that name, without one it is hidden.

    Raises: `KeyError` for a name that is not drawn.
    """
    drawing = mark_safe(ICONS[name])  # noqa: S308 - drawings are ours, see above
    classes = f"icon icon--{name} {css_class}".strip()
    role = format_html('role="img" aria-label="{}"', label) if label else mark_safe('aria-hidden="true"')
    return format_html(
        '<svg class="{}" width="{}" height="{}" viewBox="0 0 24 24" fill="none" stroke="currentColor" '
        'stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round" focusable="false" {}>{}</svg>',
        classes,
        size,
        size,
        role,
        drawing,
    )

"""The wire format of Protocol Buffers, as far as c1z files need it.

In: bytes of a message, or values with their field numbers. Out: fields by number, or bytes. Reading is
for hostile input: every length is checked, groups and unknown wire types are faults (`WireFault`), and
nothing recurses. Writing is deterministic: fields in the order given, map entries sorted by key, so that
equal values give equal bytes. Source: protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
VARINT_BYTES = 10
DEPTH = 16
"""Levels of a Struct that are read; deeper values are left out."""

Fields = dict[int, list[int | bytes]]


class WireFault(ValueError):
    """The bytes are no message."""


def fields(data: bytes) -> Fields:
    """The fields of a message by number; numbers as int, the rest as bytes. Raises: `WireFault`."""
    found: Fields = {}
    position, end = 0, len(data)
    while position < end:
        tag, position = _varint(data, position)
        number, kind = tag >> 3, tag & 7
        value: int | bytes
        if kind == 0:
            value, position = _varint(data, position)
        elif kind == 2:
            size, position = _varint(data, position)
            value, position = data[position : position + size], position + size
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
            value, position = data[position : position + size], position + size
        else:
            raise WireFault("a field has an unknown wire type")
        if position > end or number == 0:
            raise WireFault("a field goes beyond its message")
        found.setdefault(number, []).append(value)
    return found


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = 0
    for index, byte in enumerate(data[position : position + VARINT_BYTES]):
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, position + index + 1
    raise WireFault("a number does not end")


def message(found: Fields, number: int) -> Fields:
    """The message in a field; empty where it is not there."""
    return fields(octets(found, number))


def messages(found: Fields, number: int) -> list[Fields]:
    """The messages of a repeated field."""
    return [fields(value) for value in found.get(number, []) if isinstance(value, bytes)]


def octets(found: Fields, number: int) -> bytes:
    """The last bytes of a field; empty where there are none."""
    values = [value for value in found.get(number, []) if isinstance(value, bytes)]
    return values[-1] if values else b""


def text(found: Fields, number: int) -> str:
    """The text of a field; what is no UTF-8 is replaced."""
    return octets(found, number).decode("utf-8", "replace")


def texts(found: Fields, number: int) -> list[str]:
    """The texts of a repeated field."""
    return [value.decode("utf-8", "replace") for value in found.get(number, []) if isinstance(value, bytes)]


def integer(found: Fields, number: int) -> int:
    """The number of a field; 0 where it is not there."""
    values = [value for value in found.get(number, []) if isinstance(value, int)]
    return values[-1] if values else 0


def integers(found: Fields, number: int) -> list[int]:
    """The numbers of a repeated field, packed or not."""
    numbers: list[int] = []
    for value in found.get(number, []):
        if isinstance(value, int):
            numbers.append(value)
            continue
        position = 0
        while position < len(value):
            one, position = _varint(value, position)
            numbers.append(one)
    return numbers


def moment(found: Fields, number: int) -> str | None:
    """A Timestamp as ISO 8601 in UTC; None where it is not there or not within our calendar."""
    if number not in found:
        return None
    stamp = message(found, number)
    seconds, nanos = integer(stamp, 1), integer(stamp, 2)
    seconds -= (1 << 64) if seconds >> 63 else 0
    try:
        whole = (EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")
    except OverflowError:
        return None
    fraction = f".{nanos:09}".rstrip("0") if 0 < nanos < 1_000_000_000 else ""
    return f"{whole}{fraction}Z"


def struct_of(found: Fields, depth: int = 0) -> dict[str, Any]:
    """A Struct as plain data."""
    pairs = ((text(entry, 1), message(entry, 2)) for entry in messages(found, 1))
    return {key: _value(value, depth + 1) for key, value in pairs} if depth < DEPTH else {}


def _value(found: Fields, depth: int) -> Any:
    if 3 in found:
        return text(found, 3)
    if 2 in found:
        packed = octets(found, 2)
        return struct.unpack("<d", packed)[0] if len(packed) == 8 else None
    if 4 in found:
        return bool(integer(found, 4))
    if 5 in found:
        return struct_of(message(found, 5), depth)
    if 6 in found and depth < DEPTH:
        return [_value(item, depth + 1) for item in messages(message(found, 6), 1)]
    return None


# Writing


def varint(value: int) -> bytes:
    """A number of up to 64 bits."""
    value &= 0xFFFFFFFFFFFFFFFF
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def number_field(number: int, value: int) -> bytes:
    """A field that holds a number; nothing for 0, as in proto3."""
    return varint(number << 3) + varint(value) if value else b""


def bytes_field(number: int, value: bytes) -> bytes:
    """A field that holds a message or bytes, empty or not."""
    return varint(number << 3 | 2) + varint(len(value)) + value


def text_field(number: int, value: str | None) -> bytes:
    """A field that holds a text; nothing for an empty one, as in proto3."""
    return bytes_field(number, value.encode("utf-8", "replace")) if value else b""


def packed_field(number: int, values: Iterable[int]) -> bytes:
    """A repeated field of numbers, packed; nothing for none."""
    packed = b"".join(varint(value) for value in values)
    return bytes_field(number, packed) if packed else b""


def moment_field(number: int, iso: str | None) -> bytes:
    """A Timestamp field from ISO 8601; nothing for what states no moment (no zone)."""
    if not iso or "T" not in iso or not iso.endswith("Z"):
        return b""
    whole, _, fraction = iso.removesuffix("Z").partition(".")
    try:
        seconds = int((datetime.fromisoformat(whole).replace(tzinfo=UTC) - EPOCH).total_seconds())
    except ValueError:
        return b""
    nanos = int(fraction.ljust(9, "0")[:9]) if fraction.isdigit() else 0
    return bytes_field(number, number_field(1, seconds) + number_field(2, nanos))


def struct_field(number: int, values: Mapping[str, str]) -> bytes:
    """A Struct of texts, keys in order; nothing where it is empty."""
    entries = b"".join(
        bytes_field(1, text_field(1, key) + bytes_field(2, bytes_field(3, values[key].encode("utf-8", "replace"))))
        for key in sorted(values)
    )
    return bytes_field(number, entries) if entries else b""


def any_field(number: int, type_name: str, value: bytes) -> bytes:
    """An Any field that holds a message of the connector's types."""
    url = text_field(1, f"type.googleapis.com/c1.connector.v2.{type_name}")
    return bytes_field(number, url + (bytes_field(2, value) if value else b""))

"""The types of fields: those of Wireshark (its `ftypes`, see the wireshark-filter manual) that our fields have.

A type decides which literals a field is compared with, which operators and functions take it, and its values in Python:

| type | value |
| --- | --- |
| `PROTOCOL`, `BYTES`, `ETHER`, `EUI64`, `OID`, `GUID` | `bytes` |
| `IPV4`, `IPV6` | `bytes` of 4 or 16, in network order |
| `UINT`, `INT`, `CHAR`, `FRAMENUM` | `int` |
| `BOOLEAN` | `bool` |
| `FLOAT` | `float` |
| `STRING` | `str` |
| `ABSOLUTE_TIME`, `RELATIVE_TIME` | `int`, nanoseconds (since 1970 in UTC, or of the duration) |
| `NONE` | `None`: a field that is only present or absent |
"""

from enum import Enum
from typing import TypeAlias

Value: TypeAlias = bytes | int | float | str | None
"""What a field can have as a value; `bool` is an `int`."""


class FieldType(Enum):
    """The type of a field; the value is what messages call it."""

    NONE = "Label"
    PROTOCOL = "Protocol"
    BOOLEAN = "Boolean"
    CHAR = "Character (8 bits)"
    UINT = "Unsigned integer"
    INT = "Signed integer"
    FLOAT = "Floating point"
    STRING = "Character string"
    BYTES = "Byte sequence"
    ETHER = "Ethernet or other MAC address"
    EUI64 = "EUI64 address"
    IPV4 = "IPv4 address"
    IPV6 = "IPv6 address"
    ABSOLUTE_TIME = "Date and time"
    RELATIVE_TIME = "Time offset"
    OID = "ASN.1 object identifier"
    GUID = "Globally Unique Identifier"
    FRAMENUM = "Frame number"

    @property
    def is_integer(self) -> bool:
        """Whether its values are whole numbers that are compared as such; Booleans are not."""
        return self in _INTEGERS

    @property
    def is_bytes(self) -> bool:
        """Whether its values are bytes that can be sliced, searched and compared with a literal of bytes."""
        return self in _BYTES

    @property
    def is_address(self) -> bool:
        """Whether it is an IP address."""
        return self is FieldType.IPV4 or self is FieldType.IPV6

    @property
    def is_time(self) -> bool:
        """Whether its values are nanoseconds."""
        return self is FieldType.ABSOLUTE_TIME or self is FieldType.RELATIVE_TIME


_INTEGERS = {FieldType.UINT, FieldType.INT, FieldType.CHAR, FieldType.FRAMENUM}
_BYTES = {FieldType.PROTOCOL, FieldType.BYTES, FieldType.ETHER, FieldType.EUI64, FieldType.OID, FieldType.GUID}

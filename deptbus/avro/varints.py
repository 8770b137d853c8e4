"""The integers of Avro binary: zigzag, then seven bits a byte, the least significant first.

Six bytes are what a time takes, in milliseconds from the middle of 1970 to 2039: they are done without a loop, and in
halves that fit one digit of Python's integers.
"""

from struct import Struct

from deptbus.avro.functions import Unusual

_six_bytes = Struct("6B").pack
_MARKS = sum(128 << 7 * place for place in range(5))
"""The bits of the first five bytes that say that another one follows."""


def varint(number: int) -> bytes:
    """The bytes of a number; ``Unusual`` for what is no plain integer of 64 bits."""
    if type(number) is not int or not -(2**63) <= number < 2**63:
        raise Unusual
    if 1 << 34 <= number < 1 << 41:
        low, high = number & 0x7FFFFFF, number >> 27
        return _six_bytes(
            low << 1 & 127 | 128,
            low >> 6 & 127 | 128,
            low >> 13 & 127 | 128,
            low >> 20 | 128,
            high & 127 | 128,
            high >> 7,
        )
    left = number << 1 if number >= 0 else ~(number << 1)
    found = bytearray()
    while left > 127:
        found.append(left & 127 | 128)
        left >>= 7
    found.append(left)
    return bytes(found)


def int_varint(number: int) -> bytes:
    """As ``varint``, for what is no plain integer of 32 bits."""
    if not -(2**31) <= number < 2**31:
        raise Unusual
    return varint(number)


def read_varint(value: bytes, at: int) -> tuple[int, int]:
    """The number that begins at ``at`` and is not the last byte, and where it ends; ``Unusual`` for over 64 bits."""
    byte, second = value[at], value[at + 1]
    if byte > 127 >= second:
        found = byte + second * 0x80 - 128
        return found >> 1 ^ -(found & 1), at + 2
    six = value[at : at + 6]
    if len(six) == 6:
        a, b, c, d, e, f = six
        if a & b & c & d & e > 127 >= f:
            found = a + b * 0x80 + c * 0x4000 + d * 0x200000 + (e + f * 0x80) * 0x10000000 - _MARKS
            return found >> 1 ^ -(found & 1), at + 6
    found, shift = byte & 127, 7
    while byte > 127:
        at += 1
        byte = value[at]
        found |= (byte & 127) << shift
        shift += 7
        if shift > 70:
            raise Unusual
    if found >> 64:
        raise Unusual
    return found >> 1 ^ -(found & 1), at + 1


def read_length(value: bytes, at: int) -> tuple[int, int]:
    """As ``read_varint``; ``Unusual`` for a negative number."""
    length, at = read_varint(value, at)
    if length < 0:
        raise Unusual
    return length, at

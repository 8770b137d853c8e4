"""Avro's longs: zigzag, seven bits a byte. Pure."""

_LONG_BYTES_MAX = 10


def write_long(number: int) -> bytes:
    """The bytes of a long."""
    number = (number << 1) ^ (number >> 63)
    out = bytearray()
    while number & ~0x7F:
        out.append((number & 0x7F) | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def read_long(data: bytes, position: int) -> tuple[int, int]:
    """A long and the position behind it; ``ValueError`` where none stands."""
    if position < len(data) and (byte := data[position]) < 0x80:  # most are
        return (byte >> 1) ^ -(byte & 1), position + 1
    number = shift = 0
    for place in range(position, min(len(data), position + _LONG_BYTES_MAX)):
        byte = data[place]
        number |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return (number >> 1) ^ -(number & 1), place + 1
        shift += 7
    raise ValueError("a number is cut off")

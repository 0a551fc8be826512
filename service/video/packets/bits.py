"""Reads numbers of any length from the bits of H.264's parameter sets and heads."""

from __future__ import annotations

_MOST_ZEROS = 32


class EndOfDataError(Exception):
    """The data ends before the number does, or is none."""


class Bits:
    """Reads bits from the highest of each byte on."""

    def __init__(self, data: bytes) -> None:
        """``data``: what follows the first byte of a unit; a 3 after two zeros is left out, as a decoder does."""
        plain = data.replace(b"\0\0\3", b"\0\0")
        self._value = int.from_bytes(plain, "big")
        self._left = 8 * len(plain)

    def number(self, width: int) -> int:
        """Returns a number of ``width`` bits. Raises EndOfDataError."""
        self.skip(width)
        return self._value >> self._left & ((1 << width) - 1)

    def skip(self, width: int) -> None:
        """Leaves bits out. Raises EndOfDataError."""
        if width > self._left:
            raise EndOfDataError
        self._left -= width

    def unsigned(self) -> int:
        """Returns an Exp-Golomb number (ITU-T H.264, 9.1). Raises EndOfDataError."""
        zeros = 0
        while not self.number(1):
            zeros += 1
            if zeros > _MOST_ZEROS:
                raise EndOfDataError
        return (1 << zeros) - 1 + (self.number(zeros) if zeros else 0)

    def signed(self) -> int:
        """Returns a signed Exp-Golomb number. Raises EndOfDataError."""
        value = self.unsigned()
        return (value + 1) // 2 if value % 2 else -(value // 2)

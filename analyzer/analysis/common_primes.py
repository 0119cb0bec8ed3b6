"""Names the primes under 2048 bits that very many servers share in Diffie-Hellman key exchanges.

To break one exchange over a prime, most of the work depends only on the prime (Logjam, CVE-2015-4000). So a short prime that
many servers use pays for that work. The Oakley groups are made by a formula from pi (RFC 2409 section 6, RFC 3526 section 2):
2^n - 2^(n-64) - 1 + 2^64 * (floor(2^(n-130) * pi) + k). RFC 5114 has a prime of 1024 bits without such an origin.
"""

from functools import cache

OAKLEY = ((768, 149686, "Oakley group 1 (RFC 2409)"), (1024, 129093, "Oakley group 2 (RFC 2409)"), (1536, 741804, "RFC 3526"))
"""Bits, the k of the formula, and the name of each group."""

RFC5114_1024 = int(
    "b10b8f96a080e01dde92de5eae5d54ec52c99fbcfb06a3c69a6a9dca52d23b616073e28675a23d189838ef1e2ee652c013ecb4aea906112324975c3c"
    "d49b83bfaccbdd7d90c4bd7098488e9c219a73724effd6fae5644738faa31a4ff55bccc0a151af5f0dc8b4bd45bf37df365c1a65e68cfda76d4da708"
    "df1fb2bc2e4a4371",
    16,
)


def common_prime(prime: int) -> str | None:
    """Return where a prime comes from, if many servers share it and it has under 2048 bits; else None."""
    return _names().get(prime)


@cache
def _names() -> dict[int, str]:
    return {oakley_prime(bits, k): name for bits, k, name in OAKLEY} | {RFC5114_1024: "RFC 5114 section 2.1"}


def oakley_prime(bits: int, k: int) -> int:
    """Return the prime of an Oakley group by the formula of its RFC."""
    return (1 << bits) - (1 << bits - 64) - 1 + (_pi(bits - 130) + k << 64)


def _pi(bits: int) -> int:
    """Return pi times 2^bits, rounded down, by Machin's formula: pi = 16 arctan(1/5) - 4 arctan(1/239)."""
    guard = 64
    one = 1 << (bits + guard)
    return (16 * _arctan(5, one) - 4 * _arctan(239, one)) >> guard


def _arctan(inverse: int, one: int) -> int:
    """Return arctan(1 / inverse) times `one`."""
    power = total = one // inverse
    divisor, sign = 1, 1
    while power:
        power //= inverse * inverse
        divisor, sign = divisor + 2, -sign
        total += sign * (power // divisor)
    return total

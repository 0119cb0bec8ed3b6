"""The primes that many servers share, made by the formulas of their RFCs."""

import pytest

from analyzer.analysis.common_primes import OAKLEY, RFC5114_1024, common_prime, oakley_prime


@pytest.mark.parametrize(("bits", "k", "name"), OAKLEY)
def test_an_oakley_prime_is_a_safe_prime_with_64_ones_at_both_ends(bits: int, k: int, name: str):
    prime = oakley_prime(bits, k)
    assert prime.bit_length() == bits
    assert prime >> (bits - 64) == prime & (1 << 64) - 1 == (1 << 64) - 1
    for number in (prime, prime >> 1):  # Fermat's test
        assert pow(3, number - 1, number) == 1
    assert common_prime(prime) == name


def test_the_second_oakley_prime_has_the_digits_of_its_rfc():
    assert f"{oakley_prime(1024, 129093):x}".endswith("7c4b1fe649286651ece65381ffffffffffffffff")


def test_a_prime_that_is_not_shared_has_no_name():
    assert pow(3, RFC5114_1024 - 1, RFC5114_1024) == 1
    assert common_prime(RFC5114_1024) == "RFC 5114 section 2.1"
    assert common_prime(RFC5114_1024 + 2) is None
    assert common_prime(oakley_prime(2048, 124476)) is None

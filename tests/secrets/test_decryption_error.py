"""What a decryption error contains."""

from analyzer.secrets.decryption_error import REASONS, WRONG_SECRET, DecryptionError


def test_reason_and_detail():
    error = DecryptionError(WRONG_SECRET, "no tag agrees")
    assert error.reason in REASONS
    assert (str(error), error.detail) == ("wrong_secret: no tag agrees", "no tag agrees")

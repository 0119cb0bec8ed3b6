"""What a refusal says of itself."""

from analyzer.secrets.refused import REASONS, WRONG_SECRET, Refused


def test_reason_and_detail():
    refused = Refused(WRONG_SECRET, "no tag agrees")
    assert refused.reason in REASONS
    assert (str(refused), refused.detail) == ("wrong_secret: no tag agrees", "no tag agrees")

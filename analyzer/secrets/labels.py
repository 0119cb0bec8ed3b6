"""The labels of key logs that name secrets of a session (RFC 9850 section 2)."""

CLIENT_RANDOM = "CLIENT_RANDOM"
"""A master secret up to TLS 1.2."""

PREMASTER = "PMS_CLIENT_RANDOM"
"""A premaster secret, under the client random."""

EARLY_LABEL = "CLIENT_EARLY_TRAFFIC_SECRET"

HANDSHAKE_LABELS = ("CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET")
APPLICATION_LABELS = ("CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0")
"""By role, 0 the client."""

TRAFFIC_SECRETS = (*HANDSHAKE_LABELS, *APPLICATION_LABELS)
"""What opens a session of TLS 1.3 but for its early data."""

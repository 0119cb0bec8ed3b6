"""Lists the key log labels that name secrets of a session (RFC 9850 section 2)."""

CLIENT_RANDOM = "CLIENT_RANDOM"
"""Label of a master secret up to TLS 1.2."""

PREMASTER = "PMS_CLIENT_RANDOM"
"""Label of a premaster secret that is logged with the client random."""

EARLY_LABEL = "CLIENT_EARLY_TRAFFIC_SECRET"

HANDSHAKE_LABELS = ("CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET")
APPLICATION_LABELS = ("CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0")
"""By role: 0 is the client."""

TRAFFIC_SECRETS = (*HANDSHAKE_LABELS, *APPLICATION_LABELS)
"""The labels of the secrets that decrypt a session of TLS 1.3, except its early data."""

"""DTLS 1.0, 1.2 and 1.3: records out of datagrams, messages out of fragments, and the session that reads them."""

"""The record layer of TLS over TCP: records out of a byte stream, also behind a gap."""

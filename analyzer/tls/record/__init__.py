"""The record layer of TLS over TCP: reads records from a byte stream, also after a gap."""

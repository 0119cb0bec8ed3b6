"""Analyzer: packet captures in, structured TLS sessions out.

Bytes go up through the rooms once, and nothing reaches back down: `codec`, `capture`, `packet`, `streams`, `tls`, `x509`,
`analysis`, `engine`, `store`, `cli`.
"""

__version__ = "0.1.0"

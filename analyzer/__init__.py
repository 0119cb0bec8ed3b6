"""Analyzer: packet captures in, structured TLS sessions out.

Bytes go up through the rooms once, and nothing reaches back down: `codec`, `capture`, `packet`, `flows`,
`secrets`, `x509`, `application`, `tls`, `engine`, `analysis`, `store`, `cli`.
"""

__version__ = "0.1.0"

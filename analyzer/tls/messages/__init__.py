"""Handshake messages and extensions as field tables, shared by TLS, DTLS and QUIC.

`table_for` returns the table of a message. `table.read(body)` reads a body with it; `read` of `analyzer.codec.field_tables`
reads it in place.
"""

from analyzer.tls.messages.hello import HELLO_RETRY_REQUEST_RANDOM, hello_retry_request_table, server_hello_table
from analyzer.tls.messages.message_tables import table_for
from analyzer.tls.messages.ssl2_tables import ssl2_table

__all__ = ["HELLO_RETRY_REQUEST_RANDOM", "hello_retry_request_table", "server_hello_table", "ssl2_table", "table_for"]

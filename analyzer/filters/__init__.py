"""Display filters: the fields of packets and sessions, and the language of `wireshark-filter` that asks for them."""

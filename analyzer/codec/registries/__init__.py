"""The registries: data only, one CSV file each, read by `analyzer.codec.registry`.

From IANA's registries as of September 2026 (TLS, QUIC, HTTP, HPKE, DTLS-SRTP, protocol numbers), where `recommended` follows
RFC 9847 and RFC 10015; names that IANA marks RESERVED or has only as numbers are here under the names of the RFCs that used
them. Numbers that IANA never gave out but that are seen on the wire stand in the same files, with `recommended` empty and who
gave them out under `reference`: drafts, NSS, GM/T 0024, Chromium, BoringSSL. `link_types` follows tcpdump.org, `ether_types`
IEEE, and `services` the words of Wireshark's protocol column.
"""

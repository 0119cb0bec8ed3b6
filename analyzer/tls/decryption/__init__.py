"""Decryption of TLS: the secrets of a run, the key schedule of each version, and the read state of each role."""

"""Analysis of sessions and of a capture's traffic: fingerprints, authenticity, decryption failures, counts, findings."""

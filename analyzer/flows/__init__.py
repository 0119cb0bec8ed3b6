"""Joins fragments to datagrams, datagrams to flows, and segments to byte streams.

Gaps and conflicting overlaps are passed on as facts, like bytes.
"""

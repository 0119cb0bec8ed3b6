"""Fragments to datagrams, datagrams to flows and segments to byte streams; gaps and conflicting overlaps are kept as facts."""

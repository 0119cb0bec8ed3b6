"""Fragments to datagrams and segments to byte streams; gaps and conflicting overlaps are kept as facts."""

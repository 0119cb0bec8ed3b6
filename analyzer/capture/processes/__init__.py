"""Which process on a machine a connection belongs to: from the blocks of a capture, or from the system that captures."""

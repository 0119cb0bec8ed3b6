"""Live interfaces: sockets that capture, the facts of interfaces, and the privileges that capturing needs."""

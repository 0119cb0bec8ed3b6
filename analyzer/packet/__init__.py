"""Frames to addresses, ports and payload: link layers, tunnels, IP, TCP and UDP headers; a packet's field tree on demand."""

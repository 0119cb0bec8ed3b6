"""Reads addresses, ports and payload from frames: link layers, tunnels, IP, TCP, UDP; and a packet's field tree on demand."""

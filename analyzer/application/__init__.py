"""What travels inside a decrypted stream: HTTP/1.1, HTTP/2 and WebSocket, read passively."""

"""Declares what a connection carried before TLS, an entry of the session record."""

from analyzer.store.declaration import free_form, number, or_null, record, reference, text

BEFORE = record(
    "one protocol that the connection carried before TLS. Nothing protects what it says",
    {
        "protocol": text(
            "proxy (PROXY protocol), socks, http_connect, eap, http, smtp, lmtp, imap, pop3, ftp, nntp, sieve, irc, xmpp, "
            "ldap, postgresql, mysql, rdp, tds, amqp; unknown for bytes that are none of them"
        ),
        "version": or_null(text("of the protocol, as it says")),
        "client": or_null(reference("the real client, as a PROXY header names it", "endpoint")),
        "server": or_null(reference("the address to which the real client connected, as a PROXY header names it", "endpoint")),
        "target": or_null(
            record(
                "to what a client asked a proxy to connect, or the host of a request",
                {"host": text("name or address"), "port": or_null(number("TCP port", maximum=65535))},
            )
        ),
        "user": or_null(text("name of a user, without its password")),
        "user_agent": or_null(text("of an HTTP request")),
        "client_name": or_null(text("how the client names its host, as in EHLO")),
        "server_name": or_null(text("how the server names its host, as in a greeting, or how the client names the server")),
        "status": or_null(number("number in the answer, as the protocol has it")),
        "details": free_form("what else it says, such as TLVs of PROXY, what RDP or TDS negotiated, or the command for TLS"),
        "bytes": record(
            "how long it is",
            {"client": number("bytes that the client sent"), "server": number("bytes that the server sent")},
        ),
    },
)

"""Declares one entry of `dns` in the session record: a message of DNS over QUIC."""

from analyzer.store.declaration import Schema, flag, number, one_of, or_null, record, several, text

DNS_MESSAGE: Schema = record(
    "one DNS message (RFC 1035), inside QUIC (RFC 9250)",
    {
        "stream": number("the QUIC stream; a query and its answers have the same"),
        "from": one_of("which side sent it", ("client", "server")),
        "frame": number("the frame that completed it", minimum=1),
        "size": number("bytes of the message"),
        "response": flag("whether it is a response, and no query"),
        "rcode": or_null(text("response code, such as NOERROR or NXDOMAIN; null for a query")),
        "questions": several(
            "what is asked for", record("one question", {"name": text("domain name"), "type": text("such as A, AAAA or HTTPS")})
        ),
        "answers": several(
            "the answer section; 64 records at most",
            record(
                "one resource record",
                {
                    "name": text("domain name"),
                    "type": text("such as A"),
                    "ttl": number("seconds for which it may be kept"),
                    "data": text("its data as in a zone file, cut after 512 characters"),
                },
            ),
        ),
    },
)

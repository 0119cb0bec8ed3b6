"""Declares the JSON output of `crosscheck`."""

from analyzer.store.declaration import Schema, document, free_form, number, or_null, record, several, text

_TSHARK = record(
    "the tshark that was asked",
    {
        "version": text("its version, such as 4.6.9"),
        "path": text("the program"),
        "options": several("its options that matter: the defaults that were changed, and the keys", text("one word of them")),
        "filter": text("the display filter: the frames that were compared"),
    },
)

DIFFERENCE = record(
    "one value that differs",
    {
        "capture": text("the capture, as given"),
        "session": or_null(number("id of the session in this capture; null for one that only tshark sees")),
        "frame": or_null(number("the frame of our value, or else of tshark's; null where it has none", 1)),
        "frame_in_capture": or_null(number("the number of that frame in `capture`; null where there is only one capture", 1)),
        "field": text("what differs: a field of `fields`"),
        "ours": or_null(text("our value; null where we have none. Where only the frames differ, with the frame")),
        "tshark": or_null(text("tshark's value, in the same form")),
        "reason": or_null(text("code of the known reason; null where none is known")),
    },
)

CROSSCHECK: Schema = document(
    "crosscheck",
    record(
        "What tshark sees in the same captures: `analyzer crosscheck --format json`. Several captures are one.",
        {
            "captures": several("the captures, as given", text("a path")),
            "tshark": _TSHARK,
            "sessions": number("TLS sessions that were compared"),
            "compared": number("values that were compared"),
            "agreed": number("values that are the same"),
            "explained": number("values that differ for a known reason"),
            "percent": or_null(
                {"type": "number", "description": "`agreed` and `explained` of `compared`, in percent; null without any"}
            ),
            "fields": free_form("for each field, how many values were `compared`, and how many `agreed`"),
            "differences": several("the values that differ, in the order in which the sessions ended", DIFFERENCE),
        },
    ),
    {},
)

"""Declares the record of `analyzer filter --format json`: what a display filter means."""

from analyzer.store.declaration import Schema, document, item_of, number, one_of, or_null, record, reference, several, text

KINDS = ("and", "or", "xor", "not", "exists", "compare", "contains", "matches", "in", "range", "field", "constant", "reference",
         "names", "slice", "call", "operation", "negative")  # fmt: skip
"""The kinds of nodes of the tree."""

_NODE: Schema = record(
    "A part of the expression; further keys depend on its kind.",
    {
        "node": one_of("its kind", KINDS),
        "at": number("the first character of it in `filter`"),
        "length": number("its characters"),
        "of": several("the parts that it is made of, in their order", item_of("node")),
    },
)  # fmt: skip

FILTER: Schema = document(
    "filter",
    record(
        "What a display filter means: the output of `analyzer filter --format json`.",
        {
            "filter": text("the expression, with its macros replaced"),
            "words": several("what has to be so in a packet that passes", text("a sentence, indented below what joins it")),
            "tree": or_null(reference("the expression as a tree; null for the empty filter", "node")),
            "fields": several(
                "the fields that it asks for, by name",
                record(
                    "a field",
                    {
                        "name": text("its name in filters"),
                        "type": text("the type of its values"),
                        "label": text("what it is"),
                    },
                ),
            ),
            "warnings": several("what is deprecated in it", text("a sentence")),
        },
    ),
    {"node": _NODE},
)

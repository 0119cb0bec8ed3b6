"""Declares the JSON output of `verify` and `seal`."""

from analyzer.store.declaration import TIME, Schema, document, flag, one_of, or_null, record, reference, several, text
from analyzer.store.schema import SHA256, described

VERIFICATION: Schema = document(
    "verification",
    record(
        "What was checked of a folder: `analyzer verify --format json`.",
        {
            "folder": text("the folder, as given"),
            "kind": one_of("what it is: of `report`, of `live`, or of `export`", ("bundle", "incident", "export")),
            "holds": flag("whether no check failed"),
            "checks": several(
                "the checks, in their order",
                record(
                    "one check",
                    {
                        "code": one_of(
                            "what kind of check",
                            (
                                "manifest", "checksum", "file", "extra", "chain", "signature", "pdf_signature", "token",
                                "input", "reproduce",
                            ),
                        ),
                        "file": or_null(text("the file or input that was checked; null for the folder as a whole")),
                        "result": one_of(
                            "unproved: nothing in the folder could show it; unchecked: something could, and was not looked at",
                            ("holds", "fails", "unproved", "unchecked"),
                        ),
                        "detail": text("what was found, in a sentence; it may have text of the folder in it"),
                    },
                ),
            ),
        },
    ),
    {},
)  # fmt: skip

SEAL: Schema = document(
    "seal",
    record(
        "The time-stamp token that a bundle got: `analyzer seal --format json`.",
        {
            "folder": text("the folder, as given"),
            "time": reference("when the manifest existed, as the authority says", "time"),
            "authority": text("subject of the certificate that signed the token"),
            "certificate_sha256": described(SHA256, "SHA-256 of that certificate, in hex"),
            "serial": text("number of the token, in decimal"),
            "policy": text("object identifier of the policy of the authority"),
            "vouched": flag("whether a certificate that was given as trusted vouches for the authority"),
        },
    ),
    {"time": TIME},
)

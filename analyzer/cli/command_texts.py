"""The texts of the help: what each command does, and examples of it."""

from analyzer.cli.compare_arguments import EXAMPLES as COMPARE_EXAMPLES
from analyzer.cli.compare_arguments import STATUS as COMPARE_STATUS
from analyzer.cli.crosscheck_arguments import EXAMPLES as CROSSCHECK_EXAMPLES
from analyzer.cli.crosscheck_arguments import STATUS as CROSSCHECK_STATUS
from analyzer.cli.export_arguments import EXAMPLES as EXPORT_EXAMPLES
from analyzer.cli.follow_arguments import EXAMPLES as FOLLOW_EXAMPLES
from analyzer.cli.inventory_arguments import EXAMPLES as INVENTORY_EXAMPLES
from analyzer.cli.live_arguments import EXAMPLES as LIVE_EXAMPLES
from analyzer.cli.proof_arguments import SEAL_EXAMPLES, SEAL_STATUS, VERIFY_EXAMPLES, VERIFY_STATUS
from analyzer.cli.report_arguments import EXAMPLES as REPORT_EXAMPLES
from analyzer.cli.stats_arguments import EXAMPLES as STATS_EXAMPLES
from analyzer.cli.validate_arguments import EXAMPLES as VALIDATE_EXAMPLES
from analyzer.cli.validate_arguments import STATUS as VALIDATE_STATUS

ABOUT = """\
Packet captures in, structured TLS sessions out: reads pcap and pcapng files, plain or compressed with gzip, zstd, lz4, xz
or bzip2, or from a pipe as `-`, and shows what the TLS handshakes in them say."""

STATUS = """\
exit status:
  0  all was read
  1  a capture is damaged or cut short; what could be read is in the output
  2  nothing could be done: no such file, not a capture, no such session, bad option"""

STATUSES = {
    "compare": COMPARE_STATUS,
    "crosscheck": CROSSCHECK_STATUS,
    "verify": VERIFY_STATUS,
    "seal": SEAL_STATUS,
    "validate": VALIDATE_STATUS,
}
"""The exit status of commands that have their own."""

EXAMPLES = {
    "": """\
examples:
  analyzer trace.pcapng                     the summary of a capture
  analyzer sessions trace.pcapng            one row for every TLS session
  analyzer show trace.pcapng 0              the first session's handshake, step by step
  tcpdump -i eth0 -w - | analyzer sessions - --format json""",
    "summary": """\
examples:
  analyzer trace.pcapng                     `summary` may be left out
  analyzer trace.pcapng --format json | jq '.findings[] | select(.severity == "high")'
  analyzer trace.pcapng -k keys.log --top 20          longer tables: hosts, totals, downloads with their SHA-256
  analyzer day1.pcap.zst day2.pcap.zst      several captures in order, as one
  tcpdump -w - port 443 -c 1000 | analyzer -""",
    "sessions": """\
examples:
  analyzer sessions trace.pcapng
  analyzer sessions trace.pcapng --format json | jq -r .server_name
  analyzer sessions trace.pcapng --format json --messages
  analyzer sessions *.pcap --format csv -o sessions.csv
  analyzer sessions --schema                the JSON Schema of a record""",
    "show": """\
examples:
  analyzer show trace.pcapng 0              the session with id 0, as `analyzer sessions` numbers them
  analyzer show trace.pcapng 0 --terse      without the explanations
  analyzer show trace.pcapng 0 --explain    the handshake in six steps, with the values of this session
  analyzer show trace.pcapng 0 --format json""",
    "http": """\
examples:
  analyzer http trace.pcapng -k keys.log    one row for every request with its answer, of plain HTTP too
  analyzer http trace.pcapng -k keys.log --format json | jq -r 'select(.method == "POST") | .url'
  analyzer http *.pcap --format csv -o requests.csv
  analyzer http --schema                    the JSON Schema of a row""",
    "follow": FOLLOW_EXAMPLES,
    "certificates": """\
examples:
  analyzer certificates trace.pcapng
  analyzer certificates trace.pcapng --long            every extension of each
  analyzer certificates trace.pcapng --pem DIR         as DIR/<SHA-256>.pem
  analyzer certificates trace.pcapng --format json | jq .sha256""",
    "inventory": INVENTORY_EXAMPLES,
    "stats": STATS_EXAMPLES,
    "export": EXPORT_EXAMPLES,
    "packets": """\
examples:
  analyzer packets trace.pcapng | less -S
  analyzer packets trace.pcapng --format csv -o packets.csv
  analyzer -r trace.pcapng -Y tls -T fields -e frame.number -e tls.record.version   as tshark prints them""",
    "packet": """\
examples:
  analyzer packet trace.pcapng 6            the field tree of frame 6, and its bytes
  analyzer packet trace.pcapng -Y dns       the same of every packet that passes the display filter""",
    "fields": """\
examples:
  analyzer fields server_name               the fields of -Y that have this in their name or label
  analyzer fields --findings                what each finding means, how bad it is, and what would refute it
  analyzer fields --findings downgrade
  analyzer fields --causes --format json    why something did not decrypt, and what makes a chain invalid""",
    "filter": """\
examples:
  analyzer filter 'tcp.port == 443 and not ip.src == 10.0.0.0/8'
  analyzer filter 'tls.handshake.type == "Client Hello"' --format json""",
    "live": LIVE_EXAMPLES,
    "compare": COMPARE_EXAMPLES,
    "report": REPORT_EXAMPLES,
    "crosscheck": CROSSCHECK_EXAMPLES,
    "verify": VERIFY_EXAMPLES,
    "seal": SEAL_EXAMPLES,
    "validate": VALIDATE_EXAMPLES,
    "interfaces": """\
examples:
  analyzer interfaces                       names, addresses, state, and what is missing to capture there
  analyzer interfaces --format json | jq -r 'select(.state == "up") | .name'""",
    "keys": """\
examples:
  analyzer keys trace.pcapng -k keys.log    for which sessions the log has secrets, and what is wrong with it
  analyzer keys trace.pcap -k keys.log --format json | jq 'select(.verdict == "none")'""",
}

ABOUTS = {
    "summary": "What is in the captures, on one page: hosts, sessions, what was decrypted, failures, findings.",
    "sessions": "One record for every TLS session. JSON has one object a line, each as its session ends.",
    "show": "One session in full: the handshake as a ladder, certificates, and the fields of every message.",
    "http": "One row for every HTTP exchange, decrypted or plain: method, URL, status, type, size, SHA-256.",
    "follow": "The bytes of one session, decrypted where the keys allow, or of a TCP stream. What is missing is said there.",
    "certificates": "Every distinct certificate, with the sessions that sent it.",
    "inventory": "Servers, clients, certificates and their expiry, what is weak, and what resists quantum computers.",
    "stats": "Counts with plots: protocols, conversations, endpoints, traffic over time, TLS or HTTP; and tables of tshark.",
    "export": "What sessions carried, as files, HAR or plain packets; or the capture with their secrets inside.",
    "packets": "The packet list: one row a packet.",
    "packet": "One packet: the field tree of every layer with byte ranges, and its bytes.",
    "live": "The same analysis while packets arrive, on interfaces or from a pipe. Ctrl-C ends it, and the summary comes.",
    "compare": "Two captures compared: one traffic at two places, or two times. What was lost or changed between; what is new.",
    "report": "The forensic report: evidence with hashes, findings, every session, in one page, a PDF or as data.",
    "crosscheck": "The same capture through tshark, field by field: what both see, and why they differ where that is known.",
    "verify": "Whether a bundle is as it was written: hashes, log, signature, time stamp. Works without a network.",
    "seal": "A time stamp on a bundle, from an authority (RFC 3161). The only command that goes online.",
    "validate": "Tries this installation on known material. The pack for a laboratory's file says what was run and seen.",
    "interfaces": "The interfaces of this machine, and what is missing to capture there.",
    "fields": "The fields that -Y can filter by, or the codes that records carry, and what each means.",
    "filter": "What a display filter means, in words and as a tree. A mistake is shown at its place, with exit status 2.",
    "keys": "The audit of key logs: which sessions have which secrets, and which lines are unused, bad or contradicting.",
}

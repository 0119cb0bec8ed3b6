"""The shape of the repository: tests mirror the package, compiled modules are declared, every file begins with its
description."""

import ast
import configparser
import csv
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "analyzer"
MODULES = sorted(path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py"))

MAX_LINES = 450
"""Maximum lines of a file with one topic; most have under 400."""

MAX_ATTRIBUTES = 20
"""Maximum attributes of an object, including those of its base classes. An object with more has several purposes."""

MANY_ATTRIBUTES = {
    "api/session_object.py:Session": "its attributes are the keys of the session record",
    "api/quic_parts.py:Quic": "its attributes are the keys of the session record's `quic`",
    "capture/packet_reader.py:PacketReader": "one object for all packets, whose buffer compiled code reads as C fields",
    "flows/connection.py:Endpoint": "one object for each side of a connection, which compiled code reads as C fields",
    "packet/packet.py:Packet": "one object for all packets, filled again for each, whose fields compiled code reads in C",
}
"""The classes that have more, as `package/file.py:Class`, and the reason."""

TESTED_ELSEWHERE = {
    "engine/inner_tunnel.py": "engine/test_inner_streams.py",
    "engine/eap_copies.py": "engine/test_eap_joins.py",
    "engine/eap_plaintext.py": "engine/test_eap_joins.py",
    "engine/radius_names.py": "engine/test_eap_joins.py",
    "cli/field_writers.py": "cli/test_field_rows.py",
    "cli/header_field_rows.py": "cli/test_field_rows.py",
    "cli/packet_list.py": "cli/test_packets.py",
    "store/quic_info.py": "cli/test_packets_of_quic.py",
    "tls/quic/quic_layers.py": "cli/test_packet_of_quic.py",
    "tls/dtls/dtls_layers.py": "cli/test_packet_of_dtls.py",
    "cli/tshark_arguments.py": "cli/test_field_rows.py",
    "cli/color_legend.py": "cli/test_packet_columns.py",
    "cli/live_chosen.py": "cli/test_live_command.py",
    "cli/live_failures.py": "cli/test_live_workers.py",
    "filters/later_values.py": "cli/test_live_filter.py",
    "filters/event_values.py": "filters/test_header_filter.py",
    "packet/header_tests.py": "filters/test_header_filter.py",
    "cli/export_reading.py": "cli/test_export.py",
    "store/manifest_schema.py": "store/test_schema.py",
    "cli/filtered_frames.py": "cli/test_display_filter.py",
    "filters/asn1_grammar.py": "filters/test_certificate_fields.py",
    "filters/capture_facts.py": "filters/test_session_fields.py",
    "filters/certificate_grammar.py": "filters/test_certificate_fields.py",
    "filters/dhcp_options.py": "filters/test_scapy_fields.py",
    "filters/dns_reader.py": "filters/test_dns_fields.py",
    "filters/extension_grammar.py": "filters/test_certificate_fields.py",
    "filters/http2_frame_reader.py": "filters/test_http2_fields.py",
    "filters/name_grammar.py": "filters/test_certificate_fields.py",
    "filters/stapled_responses.py": "filters/test_ocsp_fields.py",
    "filters/websocket_reader.py": "filters/test_websocket_fields.py",
    "filters/header_names.py": "filters/test_protocol_fields.py",
    "filters/handshake_fields.py": "filters/test_tls_fields.py",
    "filters/message_values.py": "filters/test_tls_fields.py",
    "tls/dtls/opened_record.py": "filters/test_dtls_fields.py",
    "store/srtp_export.py": "cli/test_export_srtp.py",
    "store/srtp_schema.py": "cli/test_export_srtp.py",
    "cli/export_arguments.py": "cli/test_export.py",
    "analysis/http_statistics.py": "cli/test_stats.py",
    "analysis/tls_statistics.py": "cli/test_stats.py",
    "cli/frame_reading.py": "cli/test_stats.py",
    "cli/stats_arguments.py": "cli/test_stats.py",
    "cli/stats_csv.py": "cli/test_stats.py",
    "cli/stats_record.py": "cli/test_stats.py",
    "cli/stats_svg.py": "cli/test_stats.py",
    "cli/stats_text.py": "cli/test_stats.py",
    "cli/tshark_conversations.py": "cli/test_tshark_taps.py",
    "cli/tshark_expert.py": "cli/test_tshark_taps.py",
    "cli/tshark_hierarchy.py": "cli/test_tshark_taps.py",
    "cli/tshark_http.py": "cli/test_tshark_taps.py",
    "cli/tshark_intervals.py": "cli/test_tshark_taps.py",
    "cli/tshark_tree.py": "cli/test_tshark_dns.py",
    "store/stats_schema.py": "store/test_schema.py",
    "store/har_entry.py": "store/test_har_archive.py",
    "filters/decrypted_streams.py": "filters/test_websocket_fields.py",
    "filters/der_parts.py": "filters/test_ocsp_fields.py",
    "filters/frame_fields.py": "filters/test_frame_values.py",
    "filters/frame_view.py": "filters/test_frame_values.py",
    "filters/header_places.py": "filters/test_frame_values.py",
    "filters/tcp_direction.py": "filters/test_tcp_fields.py",
    "filters/value_sources.py": "filters/test_field_table.py",
    "filters/value_strings.py": "filters/test_field_table.py",
    "cli/follow_arguments.py": "cli/test_text_view.py",
    "cli/follow_stream.py": "cli/test_text_view.py",
    "cli/outcome_view.py": "cli/test_show.py",
    "text/outcome_text.py": "cli/test_show.py",
    "text/wire_steps.py": "cli/test_show.py",
    "analysis/alert_causes.py": "analysis/test_outcome.py",
    "analysis/chain_schemes.py": "analysis/test_certificate_fit.py",
    "analysis/chain_outcome.py": "analysis/test_outcome.py",
    "analysis/foreign_answer.py": "analysis/test_outcome.py",
    "analysis/offer_causes.py": "analysis/test_outcome.py",
    "analysis/outcome_facts.py": "analysis/test_outcome.py",
    "analysis/calm_outcome.py": "analysis/test_outcome.py",
    "analysis/outcome_steps.py": "analysis/test_outcome.py",
    "analysis/refused_upgrade.py": "analysis/test_connection_outcome.py",
    "analysis/reset_origin.py": "analysis/test_outcome.py",
    "analysis/same_server.py": "cli/test_failure_text.py",
    "analysis/sealed_alert.py": "analysis/test_outcome.py",
    "analysis/silent_peer.py": "analysis/test_outcome.py",
    "engine/told_frames.py": "cli/test_field_rows.py",
    "engine/connection_end.py": "analysis/test_outcome.py",
    "engine/failed_connections.py": "analysis/test_connection_outcome.py",
    "engine/tls_servers.py": "analysis/test_connection_outcome.py",
    "flows/carrier.py": "engine/test_inner_streams.py",
    "analysis/eap_outcome.py": "engine/test_eap_conversation.py",
    "engine/eap_links.py": "engine/test_eap_ports.py",
    "engine/eap_side.py": "engine/test_eap_conversation.py",
    "flows/ending.py": "analysis/test_outcome.py",
    "tls/record/sealed_sizes.py": "analysis/test_outcome.py",
    "__init__.py": "test_api.py",
    "__main__.py": "test_build.py",
    "analysis/key_audit.py": "cli/test_keys.py",
    "application/discarded_data.py": "cli/test_follow.py",
    "cli/dns_lines.py": "cli/test_follow.py",
    "store/dns_schema.py": "store/test_schema.py",
    "store/exported_streams.py": "store/test_exported_objects.py",
    "application/dns_message.py": "application/test_doq.py",
    "application/http3_stream.py": "application/test_http3.py",
    "application/pseudo_fields.py": "application/test_http2.py",
    "application/undecided_streams.py": "application/test_http3.py",
    "cli/compare_arguments.py": "cli/test_compare.py",
    "cli/compare_page.py": "cli/test_compare.py",
    "cli/compare_text.py": "cli/test_compare.py",
    "cli/two_places_text.py": "cli/test_compare.py",
    "cli/two_times_text.py": "cli/test_compare.py",
    "store/compare_record.py": "cli/test_compare.py",
    "store/compare_schema.py": "store/test_schema.py",
    "store/place_facts.py": "analysis/test_two_places.py",
    "cli/crosscheck_arguments.py": "cli/test_crosscheck.py",
    "crosscheck/facts.py": "crosscheck/test_comparison.py",
    "crosscheck/joined_capture.py": "cli/test_crosscheck.py",
    "crosscheck/own_facts.py": "crosscheck/test_second_opinion.py",
    "store/crosscheck_schema.py": "store/test_schema.py",
    "capture/blocks.py": "capture/test_packet_reader.py",
    "capture/file_facts.py": "capture/test_packet_reader.py",
    "capture/frame_reader.py": "capture/test_packet_reader.py",
    "capture/live/capture_error.py": "capture/live/test_live_capture.py",
    "capture/live/hardware_types.py": "capture/live/test_interface_facts.py",
    "capture/live/live_options.py": "capture/live/test_live_capture.py",
    "capture/live/ring_capture.py": "capture/live/test_live_capture.py",
    "capture/live/ring_socket.py": "capture/live/test_live_capture.py",
    "capture/live/scapy_capture.py": "capture/live/test_live_capture.py",
    "capture/source.py": "capture/test_capture_reader.py",
    "cli/arguments.py": "cli/test_main.py",
    "cli/exit_status.py": "cli/test_main.py",
    "store/named_host.py": "store/test_part.py",
    "store/compare_modes.py": "cli/test_main.py",
    "cli/session_argument.py": "cli/test_session_choice.py",
    "cli/number_argument.py": "cli/test_main.py",
    "cli/shared_arguments.py": "cli/test_main.py",
    "cli/certificate_text.py": "cli/test_certificates.py",
    "cli/inventory_arguments.py": "cli/test_inventory.py",
    "cli/inventory_csv.py": "cli/test_inventory.py",
    "cli/inventory_text.py": "cli/test_inventory.py",
    "cli/inventory_weakness_text.py": "cli/test_inventory.py",
    "store/inventory_record.py": "store/test_inventory_tables.py",
    "store/inventory_schema.py": "store/test_schema.py",
    "cli/completion.py": "cli/test_main.py",
    "cli/decryption_counts.py": "cli/test_summary.py",
    "cli/document_targets.py": "cli/test_report.py",
    "store/capture_record.py": "cli/test_summary.py",
    "report/proofs.py": "report/test_verification.py",
    "report/session_lines.py": "cli/test_verify.py",
    "cli/proof_arguments.py": "cli/test_verify.py",
    "cli/report_bundle.py": "cli/test_verify.py",
    "cli/signing_files.py": "cli/test_verify.py",
    "store/verification_schema.py": "store/test_schema.py",
    "cli/validate_arguments.py": "cli/test_validate.py",
    "store/validation_schema.py": "validation/test_validation_run.py",
    "text/session_csv.py": "cli/test_sessions.py",
    "validation/capture_reading.py": "validation/test_validation_run.py",
    "validation/capture_trials.py": "validation/test_validation_run.py",
    "validation/expected_sessions.py": "validation/test_validation_run.py",
    "validation/pack_document.py": "validation/test_pack_forms.py",
    "validation/pack_text.py": "validation/test_pack_forms.py",
    "validation/requirements.py": "validation/test_sentence_folder.py",
    "validation/result_section.py": "validation/test_pack_forms.py",
    "validation/vector_trials.py": "tls/test_rfc8448_sessions.py",
    "cli/command_texts.py": "cli/test_main.py",
    "cli/report_arguments.py": "cli/test_report.py",
    "report/exchange_rows.py": "report/test_attachments.py",
    "report/crosscheck_section.py": "report/test_build_document.py",
    "report/forms.py": "cli/test_report.py",
    "report/examination.py": "report/test_collected_facts.py",
    "store/report_schema.py": "report/test_collected_facts.py",
    "text/file_findings.py": "cli/test_summary.py",
    "text/six_steps.py": "cli/test_spoken_language.py",
    "cli/six_steps_view.py": "cli/test_spoken_language.py",
    "text/handshake_steps.py": "cli/test_show.py",
    "report/document.py": "report/test_html_page.py",
    "report/evidence_section.py": "report/test_build_document.py",
    "report/findings_section.py": "report/test_build_document.py",
    "report/front_section.py": "report/test_build_document.py",
    "report/scope_section.py": "report/test_build_document.py",
    "report/session_section.py": "report/test_build_document.py",
    "report/source_section.py": "report/test_build_document.py",
    "report/tls_section.py": "report/test_build_document.py",
    "report/traffic_section.py": "report/test_build_document.py",
    "report/case_graph.py": "report/test_case_uco.py",
    "cli/message_fields.py": "cli/test_show.py",
    "cli/files.py": "cli/test_summary.py",
    "cli/findings.py": "cli/test_summary.py",
    "cli/http_totals_text.py": "cli/test_summary.py",
    "cli/not_examined.py": "cli/test_summary.py",
    "cli/page.py": "cli/test_summary.py",
    "cli/session_totals_text.py": "cli/test_summary.py",
    "cli/traffic_text.py": "cli/test_summary.py",
    "cli/ladder.py": "cli/test_show.py",
    "cli/time_argument.py": "cli/test_trust_options.py",
    "cli/output_arguments.py": "cli/test_output_files.py",
    "cli/capture_run.py": "cli/test_main.py",
    "cli/part_frames.py": "cli/test_part_arguments.py",
    "cli/part_listener.py": "cli/test_part_arguments.py",
    "cli/rows.py": "cli/test_sessions.py",
    "cli/live_arguments.py": "cli/test_live_settings.py",
    "cli/live_board.py": "cli/test_live_view.py",
    "cli/live_pages.py": "cli/test_live_view.py",
    "cli/live_summary.py": "cli/test_live.py",
    "capture/live/pipe_capture.py": "cli/test_live.py",
    "text/message_summary.py": "cli/test_show.py",
    "codec/build.py": "test_build.py",
    "codec/json_form.py": "codec/test_field_tables.py",
    "codec/field_kinds.py": "codec/test_field_tables.py",
    "codec/field_spec.py": "codec/test_field_tables.py",
    "codec/runner.py": "invariants/test_messages.py",
    "codec/errors.py": "invariants/test_messages.py",
    "codec/writer.py": "invariants/test_messages.py",
    "packet/scapy_dissection.py": "packet/test_layers.py",
    "packet/packet.py": "packet/test_headers.py",
    "packet/header_tables.py": "packet/test_layers.py",
    "packet/field_tree.py": "packet/test_layers.py",
    "engine/capture_events.py": "engine/test_dispatcher.py",
    "engine/captured_process.py": "capture/processes/test_process_blocks.py",
    "engine/frame_facts.py": "capture/processes/test_process_blocks.py",
    "flows/connection.py": "flows/test_reassembly.py",
    "engine/dispatch_limits.py": "engine/test_dispatcher.py",
    "engine/session_table.py": "engine/test_dispatcher.py",
    "engine/tcp_stream.py": "engine/test_dispatcher.py",
    "flows/limits.py": "flows/test_tcp.py",
    "flows/listener.py": "flows/test_tcp.py",
    "flows/tcp_numbers.py": "flows/test_reassembly.py",
    "flows/sink.py": "flows/test_reassembly.py",
    "flows/udp_flow.py": "flows/test_udp.py",
    "secrets/labels.py": "secrets/test_keylog.py",
    "store/before_schema.py": "store/test_schema.py",
    "store/quic_schema.py": "store/test_schema.py",
    "store/quic_record.py": "engine/test_quic_flows.py",
    "analysis/dtls_outcome.py": "engine/test_dtls_flows.py",
    "engine/datagram_flows.py": "engine/test_dtls_flows.py",
    "engine/dtls_association.py": "engine/test_waiting_hellos.py",
    "tls/dtls/dtls_events.py": "engine/test_dtls_flows.py",
    "tls/dtls/dtls_facts.py": "engine/test_dtls_flows.py",
    "tls/dtls/dtls_handshake.py": "engine/test_dtls_flows.py",
    "tls/dtls/judgement.py": "tls/dtls/test_disputes.py",
    "tls/dtls/unproved.py": "tls/dtls/test_disputes.py",
    "tls/dtls/hello_ids.py": "engine/test_dtls_flows.py",
    "engine/quic_link.py": "engine/test_quic_flows.py",
    "engine/quic_moves.py": "tls/quic/test_quic_connection.py",
    "tls/quic/known_ids.py": "tls/quic/test_quic_connection.py",
    "tls/quic/initial_frames.py": "tls/quic/test_quic_connection.py",
    "tls/quic/server_answers.py": "tls/quic/test_quic_connection.py",
    "tls/quic/stream_sink.py": "tls/quic/test_stream_data.py",
    "tls/quic/quic_events.py": "engine/test_quic_flows.py",
    "tls/quic/quic_session.py": "engine/test_quic_flows.py",
    "tls/quic/packet_contents.py": "engine/test_quic_flows.py",
    "tls/quic/transport_facts.py": "engine/test_quic_flows.py",
    "secrets/quic_versions.py": "secrets/test_quic_protection.py",
    "store/chain_options.py": "cli/test_trust_options.py",
    "store/declaration.py": "store/test_schema.py",
    "store/validation_time.py": "cli/test_trust_options.py",
    "store/output_schemas.py": "store/test_schema.py",
    "store/http_record.py": "cli/test_http.py",
    "store/http_schema.py": "cli/test_http.py",
    "store/http_messages.py": "cli/test_plaintext.py",
    "store/secret_files.py": "cli/test_key_files.py",
    "store/summary_schema.py": "store/test_schema.py",
    "cli/summary_record.py": "store/test_schema.py",
    "tls/decryption/key_material.py": "tls/decryption/test_decryption.py",
    "tls/decryption/session_keys.py": "tls/decryption/test_decryption.py",
    "tls/handshake/certificate_messages.py": "tls/test_session_certificates.py",
    "tls/handshake/key_exchange.py": "tls/test_session.py",
    "tls/handshake/parameters.py": "tls/test_session.py",
    "tls/handshake/ssl2.py": "engine/test_detection.py",
    "tls/limits.py": "tls/test_session.py",
    "tls/messages/certificate_tables.py": "invariants/test_messages.py",
    "tls/messages/finish.py": "invariants/test_messages.py",
    "tls/messages/hello.py": "invariants/test_messages.py",
    "tls/messages/key_exchange_tables.py": "invariants/test_messages.py",
    "tls/messages/numbers.py": "invariants/test_messages.py",
    "tls/messages/protocol.py": "invariants/test_messages.py",
    "tls/messages/ssl2_tables.py": "invariants/test_messages.py",
    "tls/record/content_types.py": "tls/record/test_record_reader.py",
    "tls/session_handshake.py": "tls/test_session.py",
    "tls/session_log.py": "tls/test_session.py",
    "x509/__init__.py": "x509/test_judge.py",
    "x509/algorithm_names.py": "x509/test_certificate.py",
    "x509/path_validation.py": "x509/test_judge.py",
    "x509/public_key.py": "x509/test_certificate.py",
    "x509/times.py": "x509/test_certificate.py",
    "x509/verdict.py": "x509/test_judge.py",
    "filters/field_type.py": "filters/test_field.py",
    "filters/filter_error.py": "filters/test_type_check.py",
    "filters/byte_pattern.py": "filters/test_compiled_filter.py",
    "filters/entity_check.py": "filters/test_type_check.py",
    "filters/entity_values.py": "filters/test_compiled_filter.py",
    "filters/evaluation.py": "filters/test_compiled_filter.py",
    "filters/filter_functions.py": "filters/test_compiled_filter.py",
    "filters/filter_lexer.py": "filters/test_type_check.py",
    "packet/header_rows.py": "filters/test_header_columns.py",
    "store/clock.py": "store/test_session_record.py",
    "store/matches.py": "store/test_part.py",
    "filters/grammar_parser.py": "filters/test_filter_parser.py",
    "filters/tree_node.py": "filters/test_filter_parser.py",
    "filters/literal_values.py": "filters/test_compiled_filter.py",
    "filters/quoted_literals.py": "filters/test_compiled_filter.py",
    "filters/syntax_tree.py": "filters/test_type_check.py",
    "cli/filter_options.py": "cli/test_filter.py",
    "filters/filter_tree.py": "cli/test_filter.py",
    "cli/filter_words.py": "cli/test_filter.py",
    "store/filter_schema.py": "cli/test_filter.py",
    "filters/typed_tree.py": "filters/test_type_check.py",
    "filters/packet_values.py": "filters/test_compiled_filter.py",
}
"""The modules whose tests are in another file, because they can only be tested through the code that uses them."""

BESIDE_THE_MIRROR = {
    "captures": "the demonstration captures, through the whole of the analyzer",
    "fuzz": "what holds for any bytes, for every reader",
    "invariants": "what holds for every message table",
    "vectors": "data from RFCs",
}
"""The folders of tests that do not mirror a folder of the package."""

UNDONE = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|NotImplementedError")


def has_code(path: Path) -> bool:
    """Return whether a module defines anything besides its docstring, imports and names such as `__all__`."""
    for node in ast.parse((PACKAGE / path).read_text("utf-8")).body:
        dunder = isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id.startswith("__")
        if not dunder and not isinstance(node, ast.Expr | ast.Import | ast.ImportFrom):
            return True
    return False


def counterparts(path: Path) -> list[Path]:
    """Return the test files for `package/name.py`: package/test_name.py, package/test_name_*.py,
    package/name/test_*.py, or test_package.py."""
    folder, name = ROOT / "tests" / path.parent, path.stem
    mirrored = [folder / f"test_{name}.py", *folder.glob(f"test_{name}_*.py"), *folder.glob(f"{name}/test_*.py")]
    return [test for test in (*mirrored, folder.parent / f"test_{folder.name}.py") if test.is_file()]


def test_every_module_has_its_tests() -> None:
    alone = [path.as_posix() for path in MODULES if has_code(path) and not counterparts(path)]
    untested = [module for module in alone if module not in TESTED_ELSEWHERE]
    assert not untested, f"no tests mirror {', '.join(untested)}"
    assert [module for module in TESTED_ELSEWHERE if module not in alone] == [], "these have tests of their own by now"
    assert [test for test in TESTED_ELSEWHERE.values() if not (ROOT / "tests" / test).is_file()] == []


def test_every_folder_of_tests_mirrors_a_package() -> None:
    folders = {test.parent.relative_to(ROOT / "tests") for test in (ROOT / "tests").rglob("test_*.py")}
    strays = [f.as_posix() for f in folders if f.parts and f.parts[0] not in BESIDE_THE_MIRROR]
    assert [f for f in strays if not (PACKAGE / f).is_dir() and not (PACKAGE / f).with_suffix(".py").is_file()] == []


@pytest.mark.parametrize("path", MODULES, ids=Path.as_posix)
def test_a_file_opens_with_what_it_is_and_has_one_idea(path: Path) -> None:
    text = (PACKAGE / path).read_text("utf-8")
    assert ast.get_docstring(ast.parse(text))
    n_lines = text.count("\n")
    assert n_lines <= MAX_LINES
    assert UNDONE.search(text) is None


def test_scripts_beside_the_package_import_what_is_there() -> None:
    scripts = [*(ROOT / "captures").glob("*.py"), *(ROOT / "benchmarks").glob("*.py")]
    imported = [
        node.module.removeprefix("analyzer.").replace(".", "/")
        for script in scripts
        for node in ast.walk(ast.parse(script.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("analyzer.")
    ]
    assert imported
    assert [name for name in imported if not (PACKAGE / f"{name}.py").is_file() and not (PACKAGE / name).is_dir()] == []


def test_files_that_a_readme_names_are_there() -> None:
    planned = [PACKAGE / "tls" / "quic"]
    pages = [page for page in PACKAGE.rglob("README.md") if page.parent not in planned]
    known = {path.name for folder in ("analyzer", "tests", "captures") for path in (ROOT / folder).rglob("*.py")}
    assert len(pages) >= 3
    for page in [*pages, ROOT / "CONTRIBUTING.md"]:
        assert set(re.findall(r"`(\w+\.py)`", page.read_text("utf-8"))) <= known, page


SAME_NAME = {
    "limits.py": "in both places, how much is kept",
    "packet.py": "in `packet` the packet itself, in `cli` the command that prints one",
}
"""File names that occur in several folders, with the reason."""


def test_a_file_name_has_one_meaning() -> None:
    names = Counter(path.name for path in MODULES if path.name != "__init__.py")
    assert {name for name, n in names.items() if n > 1} == set(SAME_NAME)


class Classes:
    """The classes of the package, as their sources declare them."""

    def __init__(self) -> None:
        self.trees = {path.as_posix(): ast.parse((PACKAGE / path).read_text("utf-8")) for path in MODULES}
        self.found = {
            (path, node.name): node
            for path, tree in self.trees.items()
            for node in ast.walk(tree)
            if isinstance(node, ast.ClassDef)
        }

    def lineage(self, path: str, name: str) -> list[ast.ClassDef]:
        """Return a class of a file, and its base classes in the package."""
        here = self.found.get((path, name))
        if here is None:
            for node in ast.walk(self.trees[path]):
                for alias in node.names if isinstance(node, ast.ImportFrom) else ():
                    module = (getattr(node, "module", None) or "").removeprefix("analyzer.").replace(".", "/")
                    home = next((f for f in (f"{module}.py", f"{module}/__init__.py") if f in self.trees), None)
                    if name == (alias.asname or alias.name) and home is not None and home != path:
                        return self.lineage(home, alias.name)
            return []
        bases = [ast.unparse(base).partition("[")[0] for base in here.bases]
        return [here, *(one for base in bases for one in self.lineage(path, base))]

    def attributes(self, path: str, name: str) -> set[str]:
        """Return the attribute names of an object: slots, fields, and names that methods set."""
        return {attribute for node in self.lineage(path, name) for attribute in attributes_of(node)}


def attributes_of(node: ast.ClassDef) -> Iterator[str]:
    """Return what one class adds to its base classes: slots, annotated fields that are not class variables, and names that
    methods set."""
    for part in node.body:
        if isinstance(part, ast.Assign) and ast.unparse(part.targets[0]) == "__slots__":
            yield from (constant.value for constant in ast.walk(part.value) if isinstance(constant, ast.Constant))
        elif isinstance(part, ast.AnnAssign) and not ast.unparse(part.annotation).startswith(("ClassVar", "Final")):
            yield ast.unparse(part.target)
        elif isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef) and part.args.args:
            itself = part.args.args[0].arg
            for inner in ast.walk(part):
                if isinstance(inner, ast.Attribute) and isinstance(inner.ctx, ast.Store) and ast.unparse(inner.value) == itself:
                    yield inner.attr


def test_no_class_is_a_bag_of_attributes() -> None:
    """Message tables are lists of fields, and may be as long as the messages require."""
    classes = Classes()
    counts = {
        f"{path}:{name}": len(classes.attributes(path, name))
        for path, name in classes.found
        if all(node.name != "Message" for node in classes.lineage(path, name))
    }
    assert counts["codec/runner.py:Reader"] == 9
    assert counts["x509/certificate.py:Certificate"] == 11
    assert {name: count for name, count in counts.items() if count > MAX_ATTRIBUTES and name not in MANY_ATTRIBUTES} == {}
    assert [name for name in MANY_ATTRIBUTES if counts.get(name, 0) <= MAX_ATTRIBUTES] == [], "these have fewer by now"


def test_every_package_is_in_the_layers() -> None:
    packages = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()}
    settings = (ROOT / "setup.cfg").read_text("utf-8")
    listed = settings.partition("layers =\n")[2].partition("\nexhaustive")[0].split()
    assert {package.strip("()") for package in listed} >= packages


def test_compiled_modules_and_declarations_are_the_same(listed_modules: list[str]) -> None:
    files = [path for path in PACKAGE.rglob("*.pxd") if path.stem != "__init__"]
    declared = {".".join(path.relative_to(ROOT).with_suffix("").parts) for path in files}
    assert declared == set(listed_modules)
    assert all(ROOT.joinpath(*name.split(".")).with_suffix(".py").is_file() for name in declared)


def test_only_compiled_modules_import_cython(listed_modules: list[str]) -> None:
    """It is there for annotations, which Cython reads, and nobody evaluates: no installation needs Cython at run time."""
    importing = {
        ".".join(("analyzer", *path.with_suffix("").parts))
        for path in MODULES
        for node in ast.walk(ast.parse((PACKAGE / path).read_text("utf-8")))
        if isinstance(node, ast.Import) and any(alias.name == "cython" for alias in node.names)
    }
    assert "analyzer.tls.session" in importing
    assert importing <= set(listed_modules)


def test_hot_modules_are_compiled(listed_modules: list[str]) -> None:
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg", encoding="utf-8")
    assert set(settings["analyzer:compiled"]["hot"].split()) <= set(listed_modules)


def names_in_c(declarations: str) -> set[str]:
    """Return the module-level names that a .pxd makes C variables or C functions; once compiled, an import does not find
    them."""
    found = set()
    for line in re.sub(r"\([^)]*\)", "()", declarations).splitlines():
        if line.startswith("cdef ") and not line.startswith("cdef class "):
            found |= {part.split()[-1] for part in line.partition("(")[0].split(",")}
    return found


def test_nobody_imports_what_is_c_once_compiled() -> None:
    hidden = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): names_in_c(path.read_text("utf-8"))
        for path in PACKAGE.rglob("*.pxd")
    }
    assert "_LARGEST_BLOCK" in hidden["analyzer.capture.packet_reader"]
    broken = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {node.module}.{name.name}"
        for path in sorted([*PACKAGE.rglob("*.py"), *(ROOT / "tests").rglob("*.py")])
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom)
        for name in node.names
        if name.name in hidden.get(node.module or "", ()) and not is_cimported(path, node.module, name.name)
    ]
    assert broken == []


def is_cimported(path: Path, module: str | None, name: str) -> bool:
    """Return whether the .pxd of a file makes an import of this name a cimport."""
    declarations = path.with_suffix(".pxd")
    lines = declarations.read_text("utf-8").splitlines() if declarations.is_file() else []
    return any(line.startswith(f"from {module} cimport ") and re.search(rf"\b{name}\b", line) for line in lines)


def test_the_name_of_a_cipher_suite_stands_in_one_file() -> None:
    home = PACKAGE / "codec" / "registries" / "cipher_suites.csv"
    with home.open(newline="", encoding="utf-8") as file:
        names = {row["name"] for row in csv.DictReader(file)}
    assert "TLS_AES_128_GCM_SHA256" in names
    elsewhere = {
        path.relative_to(PACKAGE).as_posix(): found
        for path in PACKAGE.rglob("*")
        if path.suffix in {".csv", ".pxd", ".py"} and path != home
        if path.name != "value_names.csv"  # how Wireshark names those that the registry names otherwise
        if (found := names & set(re.findall(r"\w{8,}", path.read_text("utf-8"))))
    }
    assert elsewhere == {}

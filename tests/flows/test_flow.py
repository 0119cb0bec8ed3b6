"""Flows: client, server, and how a flow ends."""

import struct

import pytest
from conversations import ADDRESSES, Tap, ended, packetise, talk

from analyzer.flows.flow import TCP, UDP, Flow
from analyzer.packet.addresses import reverse_key

V4 = ADDRESSES[0] + ADDRESSES[1] + struct.pack(">HH", 50000, 443)
V6 = bytes.fromhex("20010db8000000000000000000000001 20010db8000000000000000000000002") + struct.pack(">HH", 50000, 443)


@pytest.mark.parametrize(
    ("key", "client", "server"),
    [(V4, ("10.0.0.1", 50000), ("10.0.0.2", 443)), (V6, ("2001:db8::1", 50000), ("2001:db8::2", 443))],
    ids=["v4", "v6"],
)
def test_the_key_names_client_and_server(key, client, server):
    flow = Flow(UDP, key, 7, 12345)
    assert (flow.client, flow.server) == (client, server)
    assert (flow.protocol, flow.first_frame, flow.start) == (17, 7, 12345)
    back = Flow(TCP, reverse_key(key), 7, 12345, True)
    assert (back.client, back.server) == (server, client)
    assert (back.protocol, back.mid_stream) == (6, True)


@pytest.mark.parametrize("key", [V4, V6], ids=["v4", "v6"])
def test_all_flows_to_a_server_have_its_address_and_port_in_common(key):
    endpoint = (len(key) - 4) // 2
    wanted = key[endpoint : 2 * endpoint] + key[-2:]
    others = [key[:-4] + struct.pack(">HH", 50001, 443), bytes(endpoint) + key[endpoint:]]
    assert {Flow(TCP, one, 1, 0).server_key() for one in (key, *others)} == {wanted}
    for one in (key[:-4] + struct.pack(">HH", 50000, 8443), key[:endpoint] + bytes(endpoint) + key[-4:], reverse_key(key)):
        assert Flow(TCP, one, 1, 0).server_key() != wanted


def test_a_new_flow_has_not_ended():
    flow = Flow(TCP, V4, 7, -1)
    assert (flow.mid_stream, flow.closed, flow.last_frame, flow.end, flow.limited) == (False, "", 0, 0, 0)


@pytest.mark.parametrize(("fin", "closed"), [(True, "fin"), (False, "end")])
def test_a_flow_that_has_ended_says_when_and_why(fin, closed):
    tap = Tap()
    tap.feed(*packetise(talk(), fin=fin))
    last = tap.at - 1_000_000
    tap.close()
    (session,) = ended(tap.events)
    flow = session.flow
    assert flow.key == V4
    assert (flow.closed, flow.mid_stream, flow.limited) == (closed, False, 0)
    assert (flow.first_frame, flow.last_frame, flow.end) == (1, len(packetise(talk(), fin=fin)), last)
    assert flow.end - flow.start == (flow.last_frame - 1) * 1_000_000

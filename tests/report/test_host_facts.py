from .conftest import Facts


def test_every_byte_has_a_sender_and_a_receiver(demo_facts: Facts):
    hosts = demo_facts["hosts"]
    assert len(hosts) == demo_facts["n_hosts"]
    assert sum(host["bytes_sent"] for host in hosts) == sum(host["bytes_received"] for host in hosts)
    totals = [host["bytes_sent"] + host["bytes_received"] for host in hosts]
    assert totals == sorted(totals, reverse=True)


def test_hosts_have_their_roles_and_names(demo_facts: Facts):
    hosts = demo_facts["hosts"]
    assert sum(host["client_sessions"] for host in hosts) == demo_facts["sessions"]["count"] == 8
    assert sum(host["server_sessions"] for host in hosts) == 8
    names = {name for host in hosts for name in host["names"]}
    assert names == {one["server_name"] for one in demo_facts["sessions"]["brief"] if one["server_name"]}

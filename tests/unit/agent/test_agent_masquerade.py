"""The way out of a node, walked without a kernel."""

from minik8s.agent import masquerade


def test_only_what_leaves_the_pods_for_elsewhere_takes_the_nodes_address():
    text = masquerade.table("10.244.2.0/24").text()
    assert 'oifname != "cni0" ip saddr 10.244.2.0/24 ip daddr != 10.244.0.0/16 masquerade' in text
    assert "type nat hook postrouting priority srcnat;" in text


def test_the_other_family_has_a_table_of_its_own():
    assert masquerade.table("fd00:244:0:2::/64").text().startswith("table ip6 minik8s-pods {")

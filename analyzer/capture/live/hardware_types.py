"""The link types of Linux interfaces: from the ARPHRD_ number of an interface to the LINKTYPE_ number of its packets.

The numbers are those of linux/if_arp.h and https://www.tcpdump.org/linktypes.html. A packet socket gives the header that the
driver made. For most kinds of interfaces nobody has agreed what that header is. Then the socket is asked to leave it out, and
a "cooked" header with what the kernel knows takes its place, as libpcap does it.
"""

LINUX_SLL2 = 276
RAW_IP = 101

ANY = "any"
"""The name that stands for all interfaces."""

_LINK_TYPES = {
    1: 1,  # ARPHRD_ETHER
    772: 1,  # ARPHRD_LOOPBACK: an Ethernet header with addresses of zeros
    801: 105,  # ARPHRD_IEEE80211
    803: 127,  # ARPHRD_IEEE80211_RADIOTAP
    519: RAW_IP,  # ARPHRD_RAWIP
    768: RAW_IP,  # ARPHRD_TUNNEL
    769: RAW_IP,  # ARPHRD_TUNNEL6
    776: RAW_IP,  # ARPHRD_SIT
    0xFFFE: RAW_IP,  # ARPHRD_NONE: tun, WireGuard
}


def link_type_of(hardware_type: int | None) -> int:
    """Return the LINKTYPE_ number for an ARPHRD_ number; LINUX_SLL2 if packets are captured cooked, or for None (`any`)."""
    return LINUX_SLL2 if hardware_type is None else _LINK_TYPES.get(hardware_type, LINUX_SLL2)

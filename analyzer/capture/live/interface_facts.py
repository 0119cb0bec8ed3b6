"""The facts of the interfaces of this machine: names, addresses, state, speed, link type, drops.

scapy lists interfaces and addresses on every system. On Linux the state and the kind come from ioctls (netdevice(7)), the
counters from /proc/net/dev, and the speed from sysfs. All of these need no rights.
"""

import errno
import os
import socket
import struct
import sys
from dataclasses import dataclass
from pathlib import Path

from analyzer.capture.live.capture_error import CaptureError
from analyzer.capture.live.hardware_types import link_type_of

_SIOCGIFFLAGS = 0x8913
_SIOCGIFMTU = 0x8921
_SIOCGIFHWADDR = 0x8927
_LONGEST_NAME = 15
_UP, _LOOPBACK, _RUNNING = 0x1, 0x8, 0x40

_COUNTERS = Path("/proc/thread-self/net/dev")
_SYSFS = Path("/sys/class/net")


@dataclass(frozen=True, slots=True)
class InterfaceFacts:
    """One interface now. What the system does not say is None.

    state: `up`, `no carrier` (up, but without a link) or `down`. hardware_address: the MAC address, where packets have one.
    speed: in Mbit/s. mtu: in bytes. link_type: the LINKTYPE_ number of its packets. loopback: whether it leads back to this
    machine. received_packets, sent_packets, dropped_in, dropped_out: since the interface was made.
    """

    name: str
    index: int
    addresses: tuple[str, ...]
    hardware_address: str | None
    state: str | None
    speed: int | None
    mtu: int | None
    link_type: int | None
    loopback: bool
    received_packets: int | None
    sent_packets: int | None
    dropped_in: int | None
    dropped_out: int | None


def list_interfaces() -> list[InterfaceFacts]:
    """Return the facts of all interfaces, in the order of their indexes.

    Raise CaptureError if one has a name that is not UTF-8, which scapy cannot read.
    """
    try:
        import scapy.layers.l2  # noqa: F401 - which fills `conf`
        from scapy.config import conf

        conf.ifaces.reload()
    except UnicodeDecodeError as error:
        raise CaptureError("the name of an interface is not UTF-8, so they cannot be listed; live can capture them") from error
    counters = _read_counters()
    found = []
    for interface in conf.ifaces.values():
        name = interface.name
        if interface.index < 0:  # one that scapy made up
            continue
        flags = flags_of(name)
        if flags is None and sys.platform == "linux":  # it was removed meanwhile
            continue
        loopback = is_loopback(flags) if flags is not None else "LOOPBACK" in str(interface.flags)
        counts = counters.get(name)
        link_type = _link_type(name)
        addresses = [address for family in (4, 6) for address in interface.ips.get(family, ())]
        found.append(
            InterfaceFacts(
                name=name,
                index=interface.index,
                addresses=tuple(dict.fromkeys(addresses)),
                hardware_address=interface.mac if link_type == 1 and interface.mac else None,
                state=None if flags is None else _state(flags),
                speed=_speed(name),
                mtu=_ioctl_number(name, _SIOCGIFMTU, "i"),
                link_type=link_type,
                loopback=loopback,
                received_packets=counts[1] if counts else None,
                sent_packets=counts[9] if counts else None,
                dropped_in=counts[3] if counts else None,
                dropped_out=counts[11] if counts else None,
            )
        )
    return sorted(found, key=lambda facts: facts.index)


def flags_of(name: str) -> int | None:
    """Return the IFF_ flags of an interface (netdevice(7)); None if there is none of that name, or this is not Linux."""
    return _ioctl_number(name, _SIOCGIFFLAGS, "h")


def is_up(flags: int | None) -> bool:
    """Return whether the flags of an interface say that it is up."""
    return flags is not None and bool(flags & _UP)


def is_loopback(flags: int | None) -> bool:
    """Return whether the flags of an interface say that it leads back to this machine."""
    return flags is not None and bool(flags & _LOOPBACK)


def hardware_type_of(name: str) -> int | None:
    """Return the ARPHRD_ number of an interface (linux/if_arp.h); None if there is none of that name, or this is not Linux."""
    return _ioctl_number(name, _SIOCGIFHWADDR, "H")


def dropped_by_interface(name: str) -> int | None:
    """Return how many received packets the interface or its driver has dropped; None if the system does not say."""
    counts = _read_counters().get(name)
    return None if counts is None else counts[3]


def _link_type(name: str) -> int | None:
    hardware_type = hardware_type_of(name)
    return None if hardware_type is None else link_type_of(hardware_type)


def _state(flags: int) -> str:
    if not flags & _UP:
        return "down"
    return "up" if flags & _RUNNING else "no carrier"


def _ioctl_number(name: str, request: int, form: str) -> int | None:
    """Ask for one number of `struct ifreq`, which begins after the name."""
    encoded = name.encode(errors="surrogateescape")
    if sys.platform != "linux" or not 0 < len(encoded) <= _LONGEST_NAME or b"\0" in encoded:
        return None
    import fcntl  # which Windows has not

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            answer = fcntl.ioctl(asking, request, struct.pack("16s24x", encoded))
        except OSError as error:
            if error.errno in (errno.ENODEV, errno.ENXIO):
                return None
            raise
    number: int = struct.unpack_from(form, answer, 16)[0]
    return number


def _read_counters() -> dict[str, list[int]]:
    """Return the numbers of each line of /proc/net/dev: bytes, packets, errors, drops … received, then the same sent."""
    if not _COUNTERS.exists():
        return {}
    counters = {}
    for line in os.fsdecode(_COUNTERS.read_bytes()).splitlines()[2:]:
        name, _, numbers = line.rpartition(":")
        counters[name.strip()] = [int(number) for number in numbers.split()]
    return counters


def _speed(name: str) -> int | None:
    """Return the speed in Mbit/s. Interfaces without one, such as `lo`, say so with an error or a negative number."""
    folder = _SYSFS / name
    try:
        # Sysfs may show the interfaces of another network namespace.
        if int((folder / "ifindex").read_text()) != socket.if_nametoindex(name):
            return None
        speed = int((folder / "speed").read_text())
    except OSError:
        return None
    return speed if speed > 0 else None

"""Names frames of USB and Bluetooth, which carry no packets of a network that are read here: who sent them, and what they are.

The headers are those of usbmon (Linux), USBPcap (Windows) and macOS before a USB transfer, and HCI H4 (Bluetooth Core, volume 4
part A) and the Link Layer of Low Energy (volume 6 part B). Numbers are little-endian, except for the direction before HCI. Only
what a row of a packet list needs is read. Link types are those of https://www.tcpdump.org/linktypes.html.
"""

from typing import Final, NamedTuple

from analyzer.packet.field_tree import Field, Layer

USB, BLUETOOTH = "USB", "Bluetooth"

BUSES: Final = {
    **dict.fromkeys((186, 189, 220, 249, 266, 288, 293, 294, 295), USB),
    **dict.fromkeys((187, 201, 251, 254, 255, 256), BLUETOOTH),
}
"""The bus of each link type."""

PLACES: Final = {**dict.fromkeys((189, 220, 249, 266), (0, 0)), 187: (1, 0), 201: (1, 4), 251: (2, 0), 256: (2, 10)}
"""For filters: by link type, which of `usb`, `hci_h4` and `btle` its frames are, and how many bytes are before that header."""

USB_LINUX, USB_MMAPPED, USBPCAP, USB_DARWIN = 189, 220, 249, 266
HCI_H4, HCI_H4_WITH_DIRECTION, LE_LINK, LE_LINK_WITH_RADIO = 187, 201, 251, 256

_ISOCHRONOUS, _INTERRUPT, _CONTROL, _BULK = "isochronous", "interrupt", "control", "bulk"
_TRANSFERS = (_ISOCHRONOUS, _INTERRUPT, _CONTROL, _BULK)
_ENDPOINTS = (_CONTROL, _ISOCHRONOUS, _BULK, _INTERRUPT)
_EVENTS = {0x43: "complete", 0x45: "error", 0x53: "submit"}
_HCI = {1: ("HCI_CMD", "command"), 2: ("HCI ACL", "ACL data"), 3: ("HCI SCO", "SCO data"), 4: ("HCI_EVT", "event"),
        5: ("HCI ISO", "ISO data")}  # fmt: skip
_ADVERTISING = 0x8E89BED6
_ADVERTISEMENTS = {
    0: "ADV_IND", 1: "ADV_DIRECT_IND", 2: "ADV_NONCONN_IND", 3: "SCAN_REQ", 4: "SCAN_RSP", 5: "CONNECT_IND", 6: "ADV_SCAN_IND",
    7: "ADV_EXT_IND", 8: "AUX_CONNECT_RSP",
}  # fmt: skip


class BusFrame(NamedTuple):
    """What a frame is. source, destination: `host` or the address of a device, "" if it is not known. protocol, info: words."""

    source: str
    destination: str
    protocol: str
    info: str


class _Transfer(NamedTuple):
    """A USB transfer. device: its bus, its address there, and the endpoint. inward: whether it is from the device."""

    kind: str
    event: str
    device: tuple[int, int, int]
    inward: bool
    n_bytes: int


def bus_frame(link_type: int, data: bytes) -> BusFrame:
    """Return what a frame of a link type of BUSES is, by its first bytes; `data` is the whole frame."""
    if BUSES[link_type] == USB:
        transfer = _transfer(link_type, data)
        return BusFrame("", "", USB, f"{len(data)} bytes") if transfer is None else _usb(transfer)
    if link_type in (HCI_H4, HCI_H4_WITH_DIRECTION):
        return _hci(link_type, data)
    if link_type in (LE_LINK, LE_LINK_WITH_RADIO):
        return _low_energy(data[10:] if link_type == LE_LINK_WITH_RADIO else data)
    return BusFrame("", "", BLUETOOTH, f"{len(data)} bytes")


def bus_layers(link_type: int, data: bytes) -> list[Layer]:
    """Return the layer of a frame of a link type of BUSES, for its field tree: what `bus_frame` says of it, and its bytes."""
    if not data:
        return []
    source, destination, protocol, info = bus_frame(link_type, data)
    words = {"source": source, "destination": destination, "description": info}
    fields = [Field(name, text, text, -1, 0) for name, text in words.items() if text]
    return [Layer(protocol, 0, len(data), (*fields, Field("data", data, data.hex(), 0, len(data))))]


def _usb(transfer: _Transfer) -> BusFrame:
    device = ".".join(map(str, transfer.device))
    # The event `submit` goes to the device, and `complete` comes back, whatever way the data goes.
    returns = transfer.event != "submit"
    source, destination = (device, "host") if returns else ("host", device)
    info = f"{transfer.kind} {'in' if transfer.inward else 'out'}, {transfer.event}, {transfer.n_bytes:,} bytes of data"
    return BusFrame(source, destination, USB, info)


def _transfer(link_type: int, data: bytes) -> _Transfer | None:
    """Read the header before a USB transfer; None if it is cut, or not one of those that are read."""
    if link_type in (USB_LINUX, USB_MMAPPED) and len(data) >= 48:
        kind = _TRANSFERS[data[9]] if data[9] < 4 else f"transfer {data[9]}"
        device = (_little(data, 12, 2), data[11], data[10] & 0x7F)
        return _Transfer(kind, _EVENTS.get(data[8], f"event {data[8]}"), device, bool(data[10] & 0x80), _little(data, 36, 4))
    if link_type == USBPCAP and len(data) >= 27:
        kind = _TRANSFERS[data[22]] if data[22] < 4 else f"transfer {data[22]}"
        device = (_little(data, 17, 2), _little(data, 19, 2), data[21] & 0x7F)
        event = "complete" if data[16] & 1 else "submit"
        return _Transfer(kind, event, device, bool(data[21] & 0x80), _little(data, 23, 4))
    if link_type == USB_DARWIN and len(data) >= 32:
        kind = _ENDPOINTS[data[31]] if data[31] < 4 else f"transfer {data[31]}"
        # The location names the bus in its highest byte, and the way through hubs in the others.
        device = (data[27], data[29], data[30] & 0x7F)
        return _Transfer(kind, "complete" if data[3] else "submit", device, bool(data[30] & 0x80), _little(data, 4, 4))
    return None


def _hci(link_type: int, data: bytes) -> BusFrame:
    """Read HCI H4: a direction of four bytes with one of its link types, the packet's type, and its header."""
    way = ""
    if link_type == HCI_H4_WITH_DIRECTION:
        way = "received " if data[3:4] == b"\1" else "sent " if data[3:4] == b"\0" else ""
        data = data[4:]
    if len(data) < 4 or data[0] not in _HCI:
        return BusFrame("", "", BLUETOOTH, f"{way}{len(data)} bytes of HCI")
    kind = data[0]
    protocol, words = _HCI[kind]
    # Commands go to the controller, and events come from it. Only data goes in both directions.
    way = way or {1: "sent ", 4: "received "}.get(kind, "")
    source, destination = {"sent ": ("host", "controller"), "received ": ("controller", "host")}.get(way, ("", ""))
    if kind == 1:
        words = f"{words} 0x{_little(data, 1, 2):04x}"
    elif kind == 4:
        words = f"{words} 0x{data[1]:02x}"
    else:
        words = f"{words}, handle 0x{_little(data, 1, 2) & 0x0FFF:04x}"
    return BusFrame(source, destination, protocol, f"{way}{words}, {len(data)} bytes")


def _low_energy(data: bytes) -> BusFrame:
    """Read a packet of the Link Layer: the access address, which tells advertisements from connections, and the header."""
    if len(data) < 6:
        return BusFrame("", "", BLUETOOTH, f"{len(data)} bytes")
    access = _little(data, 0, 4)
    if access != _ADVERTISING:
        return BusFrame("", "", "LE LL", f"connection 0x{access:08x}, {data[5]} bytes")
    kind = data[4] & 15
    sender = data[6:12][::-1].hex(":") if len(data) >= 12 and kind in (0, 1, 2, 4, 6) else ""
    return BusFrame(sender, "Broadcast" if kind in (0, 2, 6) else "", "LE LL", _ADVERTISEMENTS.get(kind, f"type {kind}"))


def _little(data: bytes, at: int, n_bytes: int) -> int:
    return int.from_bytes(data[at : at + n_bytes], "little")

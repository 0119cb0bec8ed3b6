"""The capture in an incident of `live`: a folder with packets, records, a summary and a manifest (see `flight_recorder`)."""

import os

from analyzer.report.bundle_folder import BundleFolder, FolderError
from analyzer.report.verification import EXPORT, FAILS, INCIDENT, BundleError, verify_files

PACKETS = "packets.pcapng"


def packets_of(path: str) -> str:
    """Return where the capture of an incident in this folder would be."""
    return os.path.join(path, PACKETS)


def bundle_capture(path: str) -> str | None:
    """Return the path of the capture in an incident; None if the path is no folder with a manifest.

    All of the folder has to be as its manifest says. Raises BundleError if it is not, or if the manifest is of something else;
    OSError.
    """
    if not os.path.isdir(path) or not os.path.lexists(os.path.join(path, "manifest.json")):
        return None
    try:
        with BundleFolder(path) as folder:
            read, checks = verify_files(folder)
    except FolderError as error:
        raise BundleError(str(error)) from error
    if read.kind != INCIDENT:
        raise BundleError("this is an export, and has no capture in it" if read.kind == EXPORT else "this is a report")
    failed = [check for check in checks if check.result == FAILS]
    if failed:
        raise BundleError(f"{failed[0].file or 'the folder'}: {failed[0].detail} (see analyzer verify)")
    if PACKETS not in folder.names:
        raise BundleError(f"{PACKETS} is not in it")
    return packets_of(path)

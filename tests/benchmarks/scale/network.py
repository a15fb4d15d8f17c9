"""A network of a program's own, in which nobody else's bytes are counted."""

import fcntl
import os
import shutil
import socket
import struct
import subprocess
import sys

_OWN = "SCALE_OWN_NETWORK"
_SET_FLAGS, _UP = 0x8914, 0x1  # SIOCSIFFLAGS and IFF_UP of Linux


def alone() -> bool:
    """Starts this program again in a network that has the loopback device alone, where the system lets it.

    Returns:
        Whether it runs in one; where it does not, what others send themselves is counted too.
    """
    enter = ["unshare", "--net", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    is_alone = _OWN in os.environ
    if is_alone:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
            fcntl.ioctl(made, _SET_FLAGS, struct.pack("16sh14x", b"lo", _UP))
    elif shutil.which("unshare") and subprocess.run([*enter, "true"], capture_output=True, check=False).returncode == 0:
        os.environ[_OWN] = "1"
        sys.stdout.flush()
        os.execvp(enter[0], [*enter, *sys.orig_argv])
    return is_alone

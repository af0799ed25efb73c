"""Between fork and exec of a server process: drop root, and make the process exit with the supervisor.

PostgreSQL refuses to run as root. It runs as the owner of the data instead, or as `nobody` if root creates them.
Programs such as `setpriv` differ between systems.
"""

import ctypes
import os
import pwd
import signal
import stat
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

# linux/prctl.h, linux/securebits.h, linux/capability.h
PR_SET_PDEATHSIG = 1
PR_SET_SECUREBITS = 28
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
SECBIT_NO_SETUID_FIXUP = 4
CAP_DAC_OVERRIDE = 1
CAP_DAC_READ_SEARCH = 2
CAPABILITY_VERSION_3 = 0x20080522

_LIBC = ctypes.CDLL(None, use_errno=True)  # loaded before the fork; only used on Linux


@dataclass(frozen=True, slots=True)
class ServerUser:
    """The user of the server's processes."""

    uid: int
    gid: int

    def own_directory(self, path: Path) -> None:
        """Create the directory, or use an existing one if that is safe, with access for this user only.

        Any user can create files in /tmp, so links and directories of other users are refused.

        Raises:
            PermissionError: The directory belongs to another user.
        """
        path.mkdir(mode=0o700, exist_ok=True)
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {os.geteuid(), self.uid}:
            raise PermissionError(f"{path} belongs to another user: remove it")
        path.chmod(0o700)
        if found.st_uid != self.uid:
            os.chown(path, self.uid, self.gid)


def server_user(data: Path) -> ServerUser:
    """Return this user; for root, the owner of the data, or `nobody` if that is root or there are no data yet."""
    if os.geteuid() != 0:
        return ServerUser(os.geteuid(), os.getegid())
    owner = data.stat() if data.exists() else None
    if owner and owner.st_uid != 0:
        return ServerUser(owner.st_uid, owner.st_gid)
    nobody = pwd.getpwnam("nobody")
    return ServerUser(nobody.pw_uid, nobody.pw_gid)


def before_exec(user: ServerUser, paths: Iterable[Path]) -> Callable[[], None]:
    """Return a `preexec_fn` for a server that needs the paths.

    Raises:
        PermissionError: The user of the server could not reach the paths.
    """
    capability = _capability_to_reach(paths) if os.geteuid() == 0 else None
    supervisor = os.getpid()

    def prepare() -> None:
        if os.geteuid() == 0:
            keeps = capability is not None and _keep_capabilities()
            os.setgroups([])
            os.setgid(user.gid)
            os.setuid(user.uid)
            if capability is not None and keeps:
                _pass_on(capability)
        if sys.platform == "linux":
            _end_with_parent(supervisor)

    return prepare


def _capability_to_reach(paths: Iterable[Path]) -> int | None:
    """Return the capability that the server needs to reach the paths. It allows reading every file."""
    closed = [path for path in paths if _is_closed(path)]
    if not closed:
        return None
    effective = _effective_capabilities()
    for capability in (CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE):
        if effective >> capability & 1:
            return capability
    raise PermissionError(
        f"it does not run as root, and no other user may enter the directories above {closed[0]}: "
        "start as an ordinary user, or set DATA_DIR to a directory that everybody may enter"
    )


def _is_closed(path: Path) -> bool:
    """Return whether only some users may reach the path, as below /root or pytest's tmp_path."""
    return any(not parent.stat().st_mode & stat.S_IXOTH for parent in path.parents)


def _effective_capabilities() -> int:
    """Return the capabilities: none outside Linux; root in a container may have only some."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return 0
    return int(status.split("CapEff:")[1].split()[0], 16)


def _keep_capabilities() -> bool:
    """Keep capabilities across setuid and exec; access(2), by which initdb finds its programs, needs this."""
    return bool(_LIBC.prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0) == 0)


def _pass_on(capability: int) -> None:
    """Drop every capability but one, which survives exec."""
    bit = 1 << capability
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    sets = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)  # effective, permitted, inheritable; twice 32 bits
    _check(_LIBC.capset(header, sets))
    _check(_LIBC.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0))


def _end_with_parent(parent: int) -> None:
    """Ask for SIGINT when the supervisor dies; on other systems the next supervisor stops the server."""
    _check(_LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGINT, 0, 0, 0))
    if os.getppid() != parent:  # the supervisor died before the call
        os._exit(1)


def _check(result: int) -> None:
    if result:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

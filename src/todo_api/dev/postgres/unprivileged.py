"""What a server process does between fork and exec: give up root, and promise to end with its supervisor.

PostgreSQL refuses to run as root. It runs as the owner of the data instead, which is `nobody` for data that root makes.
Programs such as `setpriv` could do this too, but not in one way on every system.
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


@dataclass(frozen=True, slots=True)
class ServerUser:
    """Whom the server's processes run as."""

    uid: int
    gid: int

    def own_directory(self, path: Path) -> None:
        """Makes the directory, or takes it over if it is safe: for its owner alone.

        A name in /tmp can be taken by anybody: a link, or a directory of another user, is refused.

        Raises:
            PermissionError: it belongs to somebody else.
        """
        path.mkdir(mode=0o700, exist_ok=True)
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {os.geteuid(), self.uid}:
            raise PermissionError(f"{path} belongs to somebody else: remove it")
        path.chmod(0o700)
        if found.st_uid != self.uid:
            os.chown(path, self.uid, self.gid)


def server_user(data: Path) -> ServerUser:
    """This user; instead of root the owner of the data, and `nobody` where root owns them or there are none yet."""
    if os.geteuid() != 0:
        return ServerUser(os.geteuid(), os.getegid())
    owner = data.stat() if data.exists() else None
    if owner and owner.st_uid != 0:
        return ServerUser(owner.st_uid, owner.st_gid)
    nobody = pwd.getpwnam("nobody")
    return ServerUser(nobody.pw_uid, nobody.pw_gid)


def before_exec(user: ServerUser, paths: Iterable[Path]) -> Callable[[], None]:
    """What the child is to do before it becomes a server that needs the paths; for `preexec_fn`.

    Raises:
        PermissionError: root would start it, and the user that it runs as could not get to the paths.
    """
    linux = _Linux() if sys.platform == "linux" else None
    capability = _capability_to_reach(paths) if os.geteuid() == 0 else None
    supervisor = os.getpid()

    def prepare() -> None:
        if os.geteuid() == 0:
            keeps = linux.keep_capabilities() if linux and capability else False
            os.setgroups([])
            os.setgid(user.gid)
            os.setuid(user.uid)
            if linux and capability and keeps:
                linux.pass_on(capability)
        if linux:
            linux.end_with_parent(supervisor)

    return prepare


def _capability_to_reach(paths: Iterable[Path]) -> int | None:
    """None where everybody may, which is better: it lets the server read every file."""
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
    """May only some users reach the path? Such as what lies below /root, or below pytest's tmp_path."""
    return any(not parent.stat().st_mode & stat.S_IXOTH for parent in path.parents)


def _effective_capabilities() -> int:
    """None at all outside Linux; root in a container may have only some."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return 0
    return int(status.split("CapEff:")[1].split()[0], 16)


class _Linux:
    """The system calls that the standard library does not have."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)  # loaded before the fork

    def keep_capabilities(self) -> bool:
        """Stays in force after exec: only so does access(2), by which initdb finds its siblings, heed a capability."""
        return bool(self._libc.prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0) == 0)

    def pass_on(self, capability: int) -> None:
        """Drops every capability but one, and lets that one survive exec."""
        bit = 1 << capability
        header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
        sets = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)  # effective, permitted, inheritable; twice 32 bits
        self._check(self._libc.capset(header, sets))
        self._check(self._libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0))

    def end_with_parent(self, parent: int) -> None:
        """Asks for a fast shutdown when the supervisor dies; elsewhere the next supervisor ends what it finds."""
        self._check(self._libc.prctl(PR_SET_PDEATHSIG, signal.SIGINT, 0, 0, 0))
        if os.getppid() != parent:  # it died before the call
            os._exit(1)

    @staticmethod
    def _check(result: int) -> None:
        if result:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

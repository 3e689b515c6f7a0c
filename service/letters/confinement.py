"""A program of its own: runs another one with little memory, little time, and no network.

The first argument is the program; the rest is for that one, which may read the files and folders among its arguments.

Whatever a hostile file does to a parser happens in such a process: without our settings and keys, where nothing is to
be had, and where it can be stopped. It imports nothing of this project.

Memory, CPU time, file size and core dumps are limited by the kernel. On Linux so are system calls (seccomp: no socket,
no other program, no look into another process), and, where the kernel has Landlock, the files that may be opened: this
Python and the fonts. A process that cannot be confined on Linux ends. Elsewhere (a developer's machine) the network is
cut off by Python's audit hook alone, which native code would get round.
"""

import ctypes
import errno
import os
import platform
import resource
import runpy
import struct
import sys
from pathlib import Path

MEMORY_BYTES = 512 << 20
CPU_SECONDS = 10

_FORBIDDEN_CALLS = {
    "x86_64": {
        "socket": 41, "connect": 42, "execve": 59, "kill": 62, "ptrace": 101, "setpgid": 109, "setsid": 112,
        "process_vm_readv": 310, "process_vm_writev": 311, "execveat": 322,
    },
    "aarch64": {
        "socket": 198, "connect": 203, "execve": 221, "kill": 129, "ptrace": 117, "setpgid": 154, "setsid": 157,
        "process_vm_readv": 270, "process_vm_writev": 271, "execveat": 281,
    },
}  # fmt: skip
_FORBIDDEN_EVERYWHERE = {"pidfd_send_signal": 424, "io_uring_setup": 425, "pidfd_open": 434, "pidfd_getfd": 438}
_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

_LIBC = ctypes.CDLL(None, use_errno=True)


def limit_resources() -> None:
    if hasattr(_LIBC, "mallopt"):
        # Each thread's own arena would take 64 MiB of the address space that is counted here.
        _LIBC.mallopt(-8, 1)
    for what, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def forbid_calls() -> None:
    """Seccomp, for all threads to come. A forbidden call answers EPERM. Raises `OSError` when the kernel has none."""
    machine = platform.machine()
    load, equal, at_least, answer = 0x20, 0x15, 0x35, 0x06
    allow, refuse, kill = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x80000000
    calls = sorted((_FORBIDDEN_CALLS[machine] | _FORBIDDEN_EVERYWHERE).values())
    program = [(load, 0, 0, 4), (equal, 1, 0, _AUDIT_ARCH[machine]), (answer, 0, 0, kill), (load, 0, 0, 0)]
    # The numbers from here on are those of another calling convention (x32), by which the list could be got round.
    program.append((at_least, len(calls) + 1, 0, 0x40000000))
    program += [(equal, len(calls) - at, 0, call) for at, call in enumerate(calls)]
    program += [(answer, 0, 0, allow), (answer, 0, 0, refuse)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in program))
    filter = struct.pack("HxxxxxxP", len(program), ctypes.addressof(code))
    _must(_LIBC.prctl(38, 1, 0, 0, 0))
    _must(_LIBC.prctl(22, 2, ctypes.c_char_p(filter), 0, 0))


def forbid_files(readable: list[str]) -> None:
    """Landlock: nothing may be opened but these files and what is below these folders, and nothing written at all."""
    create, add, restrict = 444, 445, 446
    read_file, read_folder, everything = 1 << 2, 1 << 3, (1 << 13) - 1
    ruleset = _LIBC.syscall(create, struct.pack("Q", everything), 8, 0)
    if ruleset < 0 and ctypes.get_errno() in (errno.ENOSYS, errno.EOPNOTSUPP):
        return
    _must(ruleset)
    for entry in map(Path, readable):
        if not entry.is_absolute() or not entry.exists():
            continue
        opened = os.open(entry, os.O_PATH)
        rights = read_file | (read_folder if entry.is_dir() else 0)
        _must(_LIBC.syscall(add, ruleset, 1, struct.pack("=Qi", rights, opened), 0))
        os.close(opened)
    _must(_LIBC.prctl(38, 1, 0, 0, 0))
    _must(_LIBC.syscall(restrict, ruleset, 0))
    os.close(ruleset)


def _must(result: int) -> None:
    if result < 0:
        raise OSError(ctypes.get_errno(), "this process cannot be confined")


def _refuse_network(event: str, _: tuple[object, ...]) -> None:
    # A pair of sockets that are connected to each other reaches nobody, and every event loop has one.
    if event in ("socket.connect", "socket.sendto", "socket.bind", "socket.getaddrinfo"):
        raise PermissionError(event)


def main() -> None:
    program, *arguments = sys.argv[1:]
    limit_resources()
    sys.addaudithook(_refuse_network)
    if sys.platform == "linux":
        system = ["/usr", "/lib", "/lib64", "/etc/ld.so.cache"]
        forbid_files([sys.prefix, sys.base_prefix, str(Path(program).parent), *system, *arguments])
        forbid_calls()
    # One thread for pyvips: more of them would only take more memory.
    os.environ["VIPS_CONCURRENCY"] = "1"
    sys.argv = [program, *arguments]
    runpy.run_path(program, run_name="__main__")


if __name__ == "__main__":
    main()

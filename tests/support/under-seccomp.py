"""Runs a command under a seccomp profile in OCI's format, by the library that container runtimes use.

under-seccomp.py <profile.json> <command...>
"""

import ctypes
import json
import os
import sys

ACTIONS = {"SCMP_ACT_ALLOW": 0x7FFF0000, "SCMP_ACT_ERRNO": 0x00050000}
COMPARISONS = {"SCMP_CMP_NE": 1, "SCMP_CMP_EQ": 4, "SCMP_CMP_MASKED_EQ": 7}
EPERM = 1
NO_SUCH_CALL = -1


class Comparison(ctypes.Structure):
    _fields_ = [
        ("arg", ctypes.c_uint),
        ("op", ctypes.c_int),
        ("a", ctypes.c_uint64),
        ("b", ctypes.c_uint64),
    ]


def main(path, command):
    with open(path, encoding="utf-8") as file:
        profile = json.load(file)
    library = ctypes.CDLL("libseccomp.so.2", use_errno=True)
    library.seccomp_init.restype = ctypes.c_void_p
    default = action(profile["defaultAction"], profile.get("defaultErrnoRet"))
    context = ctypes.c_void_p(library.seccomp_init(ctypes.c_uint32(default)))
    for rule in profile["syscalls"]:
        conditions = [comparison(one) for one in rule.get("args", [])]
        wanted = ctypes.c_uint32(action(rule["action"], rule.get("errnoRet")))
        for name in rule["names"]:
            number = library.seccomp_syscall_resolve_name(name.encode())
            # Younger than the library, or of another architecture: runtimes pass over it, too.
            if number == NO_SUCH_CALL or wanted.value == default:
                continue
            array = (Comparison * len(conditions))(*conditions)
            check(
                name,
                library.seccomp_rule_add_array(context, wanted, number, len(conditions), array),
            )
    # Sets no_new_privs as well.
    check("load", library.seccomp_load(context))
    os.execvp(command[0], command)


def action(name, errno):
    return ACTIONS[name] | ((EPERM if errno is None else errno) if name == "SCMP_ACT_ERRNO" else 0)


def comparison(one):
    return Comparison(
        one["index"], COMPARISONS[one["op"]], one["value"], one.get("valueTwo", 0)
    )


def check(what, answer):
    if answer != 0:
        sys.exit(f"libseccomp, {what}: {os.strerror(-answer)}")


main(sys.argv[1], sys.argv[2:])

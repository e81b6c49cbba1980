"""What the scan looks for, as data. Severities, reasons and remedies are in ../rules.ts."""

import re

DECODERS = {
    "base64.b64decode", "base64.urlsafe_b64decode", "base64.standard_b64decode", "base64.b32decode", "base64.b16decode",
    "base64.b85decode", "base64.a85decode", "base64.decodebytes", "binascii.a2b_base64", "binascii.unhexlify",
    "binascii.a2b_hex", "bytes.fromhex", "bytearray.fromhex", "codecs.decode", "zlib.decompress", "gzip.decompress",
    "bz2.decompress", "lzma.decompress", "marshal.loads", "chr",
}  # fmt: skip
EVALUATORS = {"eval", "exec", "compile"}

# Full name of what is called -> rule. A trailing dot means everything below.
CALLS = {
    "marshal.load": "python.marshal",
    "marshal.loads": "python.marshal",
    "os.system": "python.shell",
    "os.popen": "python.shell",
    "subprocess.getoutput": "python.shell",
    "subprocess.getstatusoutput": "python.shell",
    "asyncio.create_subprocess_shell": "python.shell",
    "subprocess.": "python.subprocess",
    "asyncio.create_subprocess_exec": "python.subprocess",
    "os.exec": "python.subprocess",
    "os.spawn": "python.subprocess",
    "os.posix_spawn": "python.subprocess",
    "pty.": "python.subprocess",
    "os.fork": "python.fork",
    "os.forkpty": "python.fork",
    "ctypes.": "python.native_call",
    "cffi.": "python.native_call",
    "types.CodeType": "python.code_object",
    "types.FunctionType": "python.code_object",
    "sys.settrace": "python.patching",
    "sys.setprofile": "python.patching",
    "sys.addaudithook": "python.patching",
    "gc.get_objects": "python.heap_walk",
    "gc.get_referrers": "python.heap_walk",
    "sys._getframe": "python.heap_walk",
    "inspect.currentframe": "python.heap_walk",
    "inspect.stack": "python.heap_walk",
    "pickle.load": "python.pickle",
    "pickle.loads": "python.pickle",
    "pickle.Unpickler": "python.pickle",
    "cPickle.loads": "python.pickle",
    "_pickle.loads": "python.pickle",
    "dill.load": "python.pickle",
    "dill.loads": "python.pickle",
    "cloudpickle.load": "python.pickle",
    "cloudpickle.loads": "python.pickle",
    "joblib.load": "python.pickle",
    "jsonpickle.decode": "python.pickle",
    "shelve.open": "python.pickle",
    "yaml.unsafe_load": "python.pickle",
    "yaml.full_load": "python.pickle",
}
for name in ("setuid", "setgid", "seteuid", "setegid", "setreuid", "setregid", "setresuid", "setresgid", "setgroups",
             "initgroups", "chroot", "unshare", "setns", "mknod"):  # fmt: skip
    CALLS["os." + name] = "python.privilege"
SHELL_FUNCTIONS = {"subprocess." + name for name in ("run", "call", "check_call", "check_output", "Popen")}

# Attributes by which code climbs from any object to the interpreter's own names.
CLIMB = {"__class__", "__base__", "__bases__", "__mro__"}
GLOBALS = {"__globals__", "__builtins__"}

METADATA_INTS = {0xA9FEA9FE, 0xA9FEAA02}
METADATA = re.compile(
    r"169\.254\.(?:169\.25[34]|170\.2)\b|\b2852039166\b|0xa9fea9fe|metadata\.google\.internal"
    r"|100\.100\.100\.200|fd00:ec2::254|::ffff:a9fe:a9fe|metadata\.azure\.internal",
    re.IGNORECASE,
)
PROC = re.compile(
    r"/proc/(?:1/|kcore|kallsyms|kmem|sysrq-trigger|sys/kernel/|keys\b|(?:self|thread-self|[0-9]+|\*|\{\}|%[sd])/(?:mem|maps|environ|root|cwd|fd|ns)\b)"
    r"|/dev/(?:k?mem|kmsg|port)\b|/sys/(?:kernel/|fs/cgroup/.*release_agent)"
)

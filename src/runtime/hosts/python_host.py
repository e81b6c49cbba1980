"""Runs Python handlers and bundled scripts inside a sandbox.

The first process only forks: a child is always waiting, takes one call from the control pipe, serves it and ends. So every run has a
fresh heap, no process ever holds the data of two runs, and user code never holds a descriptor that another run uses.

Descriptor 3 brings calls, 4 takes answers away. A frame is two big-endian lengths, a JSON header and a body.
Nothing is imported here that is not needed for the first answer: a cold start is mostly imports.
"""

import sys
import posix

CALLS, ANSWERS = 3, 4
MAX_HEADER = 64 * 1024
NONCE = 32
MAX_OUTPUT = 6 * 1024 * 1024
# Elsewhere it runs without a sandbox, for development: what it must not do to the whole machine it does not do there.
SANDBOXED = sys.argv[0].startswith("/opt/skillet/hosts/")
ROOT = "" if SANDBOXED else posix.environ[b"SKILLET_ROOT"].decode()
SKILL = ROOT + "/skill"
PACKAGES = SKILL + "/.skillet/site-packages"
SIGKILL = 9


def main(config):
    prctl(4, 0)  # PR_SET_DUMPABLE: a child cannot open the memory or the descriptors of this process.
    prctl(36, 1)  # PR_SET_CHILD_SUBREAPER: whatever a run leaves behind becomes a child of this process.
    # Before the skill's folder is on the path: this process imports nothing that a bundle brings a module of the same name for.
    answers = Answers()
    first = standing()
    sys.path[:0] = [SKILL, PACKAGES]
    sys.dont_write_bytecode = True
    cold = not config.get("restarted")
    served = config.get("served")
    if cold and config["ahead"]:
        get_ready(config, USUAL)
        cold = False
    while True:
        reader, writer = posix.pipe()
        names, notes = posix.pipe() if cold else (None, None)
        child = posix.fork()
        if child == 0:
            posix.close(ANSWERS)
            posix.close(reader)
            prctl(4, 1)
            if not SANDBOXED:
                posix.setsid()
            if cold:
                posix.close(names)
                BEFORE.update(sys.modules)
            else:
                rehearse(config["handler"])
            serve(config, writer, notes)
        posix.close(writer)
        write_raw(ANSWERS, encode({"type": "ready", "after": served}), b"")
        served = (read_exactly(reader, NONCE) or b"").decode("ascii", "replace")
        size = answers.read(reader)
        status = end_everything(child)
        if size == 0:
            write_raw(ANSWERS, encode({"type": "ended", "nonce": served, **ending(status)}), b"")
        elif size < 0 or posix.read(reader, 1):
            write_raw(ANSWERS, encode({"type": "fault", "message": "a frame too long, or more than one result"}), b"")
        else:
            answers.pass_on(size)
        answers.forget()
        posix.close(reader)
        if SANDBOXED:
            for folder in FOLDERS:
                wipe(folder)
                attempt(posix.utime, folder, (0, 0))
            if standing() != first:
                posix._exit(1)
        if cold:
            posix.close(notes)
            get_ready({**config, "served": served}, USUAL + posix.read(names, 32768).decode("ascii", "ignore").split())
            posix.close(names)
            cold = False


class Answers:
    """Passes a run's answer on, through memory that is given back after it: what forks later must not find it."""

    def __init__(self):
        import mmap

        self.free = mmap.MADV_DONTNEED
        self.pages = mmap.mmap(-1, 8 + MAX_HEADER + MAX_OUTPUT, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self.view = memoryview(self.pages)

    def read(self, fd):
        """The length of the frame; 0 when the pipe ends before it does, -1 when it is too long."""
        have, need = 0, 8
        while have < need:
            size = posix.readv(fd, [self.view[have:need]])
            if size == 0:
                return 0
            have += size
            if have == need == 8:
                header, body = (int.from_bytes(self.view[at : at + 4], "big") for at in (0, 4))
                if header > MAX_HEADER or body > MAX_OUTPUT:
                    return -1
                need += header + body
        return have

    def pass_on(self, size):
        write_all(ANSWERS, self.view[:size])

    def forget(self):
        self.pages.madvise(self.free)


def end_everything(child):
    """Kills every other process in the sandbox and waits until none is left. Returns the wait status of `child`."""
    if not SANDBOXED:
        return end_group(child)
    try:
        posix.kill(-1, SIGKILL)
    except ProcessLookupError:
        pass
    status = 0
    try:
        while True:
            pid, result = posix.waitpid(-1, 0)
            if pid == child:
                status = result
    except ChildProcessError:
        return status


def end_group(child):
    """Of the machine's processes only those of the run that have not left its group."""
    try:
        posix.killpg(child, SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
    return posix.waitpid(child, 0)[1]


def ending(status):
    if posix.WIFSIGNALED(status):
        return {"signal": posix.WTERMSIG(status), "code": None}
    return {"signal": None, "code": posix.WEXITSTATUS(status)}


def wipe(folder):
    """Empties a folder. What cannot be removed ends the sandbox: nothing may pass from one run to the next."""
    with posix.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                posix.chmod(entry.path, 0o700)
                wipe(entry.path)
                posix.rmdir(entry.path)
            else:
                posix.unlink(entry.path)


FOLDERS = ("/tmp", "/dev/shm")


def standing():
    """What a run can change for those after it: limits, priority and processors of this process, how what it shares with them is open, and what its two folders have besides files."""
    folders = [(attempt(posix.stat, folder), attempt(posix.listxattr, folder)) for folder in FOLDERS]
    return (
        attempt(whole, "/proc/self/limits"),
        [attempt(whole, f"/proc/self/fdinfo/{fd}") for fd in range(3)],
        [attempt(posix.get_blocking, fd) for fd in range(3)],
        attempt(posix.getpriority, 0, 0),
        attempt(posix.sched_getscheduler, 0),
        attempt(posix.sched_getaffinity, 0),
        [(status and (status.st_mode, status.st_uid, status.st_gid), names) for status, names in folders],
    )


def attempt(call, *arguments):
    """None where there is no such thing, as in gVisor's kernel, or no more."""
    try:
        return call(*arguments)
    except OSError:
        return None


def whole(path):
    file = posix.open(path, posix.O_RDONLY)
    try:
        return posix.read(file, 65536)
    finally:
        posix.close(file)


# --- what later runs need not do again ---

USUAL = ["os", "json", "traceback"]
CODE = {}


def get_ready(config, modules):
    """Imports what the build found the skill to import and what a run has imported of Python's own, and compiles the skill."""
    import gc

    before = set(sys.modules)
    path, sys.path[:] = sys.path[:], [folder for folder in sys.path if not folder.startswith(SKILL)]
    for name in modules:
        if name.partition(".")[0] in STANDARD:
            import_quietly(name)
    sys.path[:] = path
    # Runs would find Python's module where the skill has one of that name: it counts, as on a cold start.
    if names_of_skill(config) & {name.partition(".")[0] for name in sys.modules if name not in before}:
        restart(config)
    try:
        with open(SKILL + "/.skillet/preimport.json", encoding="utf-8") as file:
            names = loads(file.read().strip())
    except OSError:
        names = []
    for name in names:
        import_quietly(name)
    # A fork of a process with threads may hang.
    if len(posix.listdir("/proc/self/task")) > 1:
        restart(config)
    if config["handler"]["kind"] == "python":
        compile_skill(SKILL + "/" + config["handler"]["file"])
    # What is here now is never garbage: runs do not touch its pages.
    gc.collect()
    gc.freeze()


def restart(config):
    """Begins again, without importing anything ahead."""
    options = dumps({**config, "restarted": True})
    posix.execv(sys.executable, [sys.executable, "-I", "-S", __file__, options])


def names_of_skill(config):
    names = set()
    for folder in (SKILL, PACKAGES, SKILL + "/" + config["handler"].get("file", "").rpartition("/")[0]):
        try:
            names.update(name.partition(".")[0] for name in posix.listdir(folder))
        except OSError:  # There need not be packages.
            pass
    return names


STANDARD = getattr(sys, "stdlib_module_names", frozenset(USUAL)) - {"antigravity", "this", "idlelib", "turtle", "test"}


def import_quietly(name):
    try:
        __import__(name)
    except Exception:  # The run that imports it will tell.
        pass


def compile_skill(path):
    try:
        with open(path, "rb") as file:
            CODE[path] = compile(file.read(), path, "exec", dont_inherit=True)
    except Exception:  # The run that loads it will tell.
        pass


BEFORE = set()


def own_modules():
    """Imported since this process was forked, and Python's own: a skill may have modules of the same names."""
    found = []
    for name, module in list(sys.modules.items()):
        origin = getattr(getattr(module, "__spec__", None), "origin", None)
        if name not in BEFORE and isinstance(origin, str) and not origin.startswith(SKILL):
            found.append(name)
    return " ".join(found).encode("ascii", "ignore")[:32768]


# --- one run, in its own process ---


def rehearse(handler):
    """Does once what a run does around the skill, while nobody waits: what it writes to is no longer shared with the first process then."""
    call = loads('{"run":{"id":"r"},"env":{"A":"b"},"secrets":{},"connections":{"c":{}}}')
    if handler["kind"] == "python":
        environment(call)
        Context(call)
        exec(NOTHING, empty_module("nothing", handler["file"]).__dict__)
    dumps(call).encode()


NOTHING = compile("def nothing(): pass\nnothing()", "nothing", "exec")


def serve(config, writer, notes):
    frame = read_frame(CALLS)
    if frame is None:
        posix._exit(0)
    posix.close(CALLS)
    nonce = loads(frame[0].decode())["nonce"]
    # Before anybody else's code runs: the first process says of what run this is the end, should there be no answer.
    write_all(writer, nonce.encode())
    call = loads(frame[1].decode("utf-8", "surrogatepass"))
    try:
        header, body = answer(config, call)
    except BaseException as error:
        header, body = failure("runtime_error", error), b""
    header["nonce"] = nonce
    if notes is not None:
        write_all(notes, own_modules())
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:  # User code may have closed or replaced it.
            pass
    write_raw(writer, encode(header), body)
    posix._exit(0)


def answer(config, call):
    handler = config["handler"]
    if handler["kind"] == "skill-md":
        value = run_script(call)
    else:
        environment(call)
        value = call_handler(handler, call)
    try:
        output = dumps(value).encode()
    except (TypeError, ValueError, RecursionError) as error:
        return failure("output_invalid", error, "The result is not JSON: "), b""
    if len(output) > MAX_OUTPUT:
        problem = ValueError(f"The result is {len(output)} bytes of JSON; at most {MAX_OUTPUT} are taken.")
        return failure("output_too_large", problem), b""
    return {"type": "result"}, output


def environment(call):
    """Without importing `os`, which takes what is here when it is imported."""
    wanted = merged(call)
    if "os" in sys.modules:
        environ = sys.modules["os"].environ
        environ.clear()
        environ.update(wanted)
    else:
        for name in list(posix.environ):
            posix.unsetenv(name)
        posix.environ.clear()
        for name, value in wanted.items():
            name, value = name.encode("utf-8", "surrogateescape"), value.encode("utf-8", "surrogateescape")
            posix.environ[name] = value
            posix.putenv(name, value)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True, errors="backslashreplace")
    posix.chdir(SKILL)


def merged(call):
    return {**call["env"], **call["secrets"]}


def call_handler(handler, call):
    function = getattr(load(handler["file"]), handler["function"])
    arguments = [call["input"]]
    if handler["takes_context"]:
        arguments.append(Context(call))
    value = function(*arguments)
    if hasattr(value, "__await__"):
        import asyncio

        value = asyncio.run(completed(value))
    return value


async def completed(awaitable):
    return await awaitable


def load(file):
    """The skill's module, from its file; its folder comes first on the path, as with any script."""
    folder, _, base = file.rpartition("/")
    if folder:
        sys.path.insert(0, SKILL + "/" + folder)
    name = base.removesuffix(".py")
    if name in sys.modules:
        name = "skill_" + name
    module = sys.modules[name] = empty_module(name, file)
    code = CODE.get(module.__file__)
    if code is None:
        module.__loader__.exec_module(module)
    else:
        exec(code, module.__dict__)
    return module


def empty_module(name, file):
    import _frozen_importlib
    import _frozen_importlib_external as external

    return _frozen_importlib.module_from_spec(external.spec_from_file_location(name, SKILL + "/" + file))


class View(dict):
    """A dictionary whose keys can be read as attributes too."""

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


class Context(View):
    def __init__(self, call):
        super().__init__(
            env=merged(call), secrets=dict(call["secrets"]), run=View(call["run"]), log=print,
            connections=View({name: View(one) for name, one in call["connections"].items()}),
        )


# --- scripts ---


def run_script(call):
    import select

    given = call["input"]
    path = SKILL + "/" + given["script"]
    pipes = [posix.pipe() for _ in range(3)]
    command = [*interpreter(path), path, *given["args"]]
    env = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/tmp", "LANG": "C.UTF-8", **merged(call)}
    actions = [(posix.POSIX_SPAWN_DUP2, pipes[fd][0 if fd == 0 else 1], fd) for fd in range(3)]
    posix.chdir(SKILL)
    child = posix.posix_spawn(command[0], command, env, file_actions=actions, setsigdef=[13])
    for fd in range(3):
        posix.close(pipes[fd][0 if fd == 0 else 1])
    feed, rest = pipes[0][1], given["stdin"].encode("utf-8", "surrogatepass")
    streams = {pipes[1][0]: (1, bytearray()), pipes[2][0]: (2, bytearray())}
    poll = select.poll()
    posix.set_blocking(feed, False)
    poll.register(feed, select.POLLOUT)
    for fd in streams:
        poll.register(fd, select.POLLIN)
    waiting = 3
    while waiting:
        for fd, event in poll.poll():
            done = False
            if fd == feed:
                try:
                    rest = rest[posix.write(fd, rest[:65536]) :] if rest else rest
                    done = not rest
                except OSError:
                    done = True
            else:
                chunk = posix.read(fd, 65536)
                done = not chunk
                copy, kept = streams[fd]
                write_all(copy, chunk)
                kept += chunk[: max(0, SCRIPT_OUTPUT - len(kept))]
            if done:
                poll.unregister(fd)
                posix.close(fd)
                waiting -= 1
    state = ending(posix.waitpid(child, 0)[1])
    stdout, stderr = (kept.decode("utf-8", "replace") for _, kept in streams.values())
    code = state["code"] if state["signal"] is None else 128 + state["signal"]
    return {"exit_code": code, "stdout": stdout, "stderr": stderr, **last_value(stdout)}


SCRIPT_OUTPUT = 1024 * 1024
NODE = ROOT + "/opt/skillet/node"
INTERPRETERS = {"py": sys.executable, "js": NODE, "mjs": NODE, "ts": NODE, "sh": "/bin/bash"}


def interpreter(path):
    program = INTERPRETERS.get(path.rpartition(".")[2])
    if program is not None:
        return [program]
    if posix.stat(path).st_mode & 0o111 == 0:
        raise PermissionError(f"{path[len(SKILL) + 1:]} is not executable and its name ends in none of: {', '.join(INTERPRETERS)}.")
    return []


def last_value(stdout):
    lines = stdout.rstrip().rsplit("\n", 1)
    try:
        return {"value": loads(lines[-1].strip())}
    except (ValueError, StopIteration, RecursionError):
        return {}


# --- errors ---


def failure(reason, error, prefix=""):
    if isinstance(error, SystemExit):
        message = f"The skill called sys.exit({error.code!r}) instead of returning a result."
    else:
        message = prefix + text_of(error)
    described = {"type": type(error).__name__, "message": message[:8192]}
    if reason == "runtime_error":
        described["stack"] = stack_of(error)[-16384:]
    return {"type": "error", "reason": reason, "error": described}


def text_of(error):
    try:
        return str(error)
    except Exception:
        return "(its text cannot be made)"


def stack_of(error):
    """The traceback without frames of this file and of Python's own, with paths as they are in the package."""
    try:
        import traceback

        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(SKILL + "/")]
        text = "".join(traceback.format_list(frames)) + "".join(traceback.format_exception_only(type(error), error))
        return text.replace(SKILL + "/", "")
    except Exception:
        return ""


# --- frames and JSON ---


def read_exactly(fd, size):
    chunks = []
    while size > 0:
        chunk = posix.read(fd, min(size, 1 << 20))
        if not chunk:
            return None
        chunks.append(chunk)
        size -= len(chunk)
    return b"".join(chunks)


def read_frame(fd):
    """Header and body, or None when the pipe ends first."""
    lengths = read_exactly(fd, 8)
    if lengths is None:
        return None
    header = read_exactly(fd, int.from_bytes(lengths[:4], "big"))
    body = read_exactly(fd, int.from_bytes(lengths[4:], "big"))
    return None if header is None or body is None else (header, body)


def write_raw(fd, header, body):
    write_all(fd, len(header).to_bytes(4, "big") + len(body).to_bytes(4, "big") + header)
    write_all(fd, body)


def write_all(fd, data):
    view = memoryview(data)
    while view:
        view = view[posix.write(fd, view) :]


def encode(header):
    return dumps(header).encode()


def make_json():
    """The C parts of the json module by themselves: importing the module costs as much as starting Python."""
    try:
        import _json

        class Options:
            strict = True
            object_hook = object_pairs_hook = None
            parse_float, parse_int = float, int
            memo = {}

            @staticmethod
            def parse_constant(name):
                raise ValueError(f"{name} is not JSON")

        scan = _json.make_scanner(Options)

        def refuse(value):
            raise TypeError(f"an object of type {type(value).__name__} has no form in JSON")

        def decode(text):
            value, end = scan(text, 0)
            if end != len(text):
                raise ValueError("more than one JSON value")
            return value

        def encode_value(value):
            encoder = _json.make_encoder({}, refuse, _json.encode_basestring_ascii, None, ":", ",", False, False, False)
            return "".join(encoder(value, 0))

        if decode('{"a":[1,"b",null]}') != {"a": [1, "b", None]} or encode_value({"a": [1.5, "b"]}) != '{"a":[1.5,"b"]}':
            raise ImportError
        return decode, encode_value
    except (ImportError, TypeError, AttributeError):
        import json

        return json.loads, lambda value: json.dumps(value, allow_nan=False, separators=(",", ":"))


def make_prctl():
    try:
        import _ctypes

        address = _ctypes.dlsym(_ctypes.dlopen(None, 2), "prctl")
        call = lambda option, value: _ctypes.call_function(address, (option, value, 0, 0, 0))
        call(3, 0)
    except (ImportError, AttributeError, TypeError, OSError):
        import ctypes

        call = lambda option, value: ctypes.CDLL(None).prctl(option, value, 0, 0, 0)

    def prctl(option, value):
        if call(option, value) != 0:
            raise OSError(f"prctl {option} was refused")

    return prctl


loads, dumps = make_json()
prctl = make_prctl()

if __name__ == "__main__":
    main(loads(sys.argv[1]))

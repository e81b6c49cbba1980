"""The bundle: a tar of the package's files and of what was built, the same bytes for the same contents."""

import os
import tarfile


def write(package, built, kind):
    with open(3, "wb", buffering=1 << 20) as out, tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT) as tar:
        contents = {path: os.path.join(package, path) for path in files(package) if belongs(path)}
        contents.update({path: os.path.join(built, path) for path in files(built)})
        for path in sorted(contents):
            add(tar, path, contents[path])


def files(root):
    for folder, folders, names in os.walk(root):
        folders.sort()
        for name in names:
            full = os.path.join(folder, name)
            if os.path.isfile(full) and not os.path.islink(full):
                yield os.path.relpath(full, root)


def belongs(path):
    """Not what Skillet makes itself: a package cannot bring compiled code that hides behind its sources."""
    return not path.startswith(".skillet/") and "__pycache__" not in path.split("/") and not path.endswith((".pyc", ".pyo"))


def add(tar, path, source):
    info = tarfile.TarInfo(path)
    with open(source, "rb") as file:
        status = os.fstat(file.fileno())
        info.size = status.st_size
        info.mode = 0o755 if status.st_mode & 0o111 else 0o644
        tar.addfile(info, file)

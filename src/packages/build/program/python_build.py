"""Python: dependencies from requirements.txt into .skillet/site-packages, with the hashes of all of them kept as the lock."""

import importlib.util
import json
import marshal
import os
import sys
import warnings

import bundle
import requirements
import tools
from plan import Plan
from places import OPT, PACKAGE, SCRATCH
from report import Failed, emit

KIND = "python"
SITE = f"{SCRATCH}/out/.skillet/site-packages"
UV = f"{OPT}/uv"
# The one that the skill will run on.
PYTHON = sys.executable
# Compiling more than this takes longer than it saves.
COMPILED_BYTES = 20 * 2**20


def plan(task):
    path = f"{PACKAGE}/requirements.txt"
    if not os.path.isfile(path):
        return Plan()
    if os.path.getsize(path) > 2**20:
        raise Failed("build.requirement", "requirements.txt is over 1 MB", "requirements.txt")
    with open(path, encoding="utf-8", errors="replace") as file:
        return requirements.read(file.read())


def run(task, plan):
    if plan.needs:
        install(task, plan)
    emit({"provided": sorted(provided())})
    if task["format"] == "python":
        with open(f"{SCRATCH}/out/.skillet/preimport.json", "w", encoding="utf-8") as file:
            json.dump(preimport(task["imports"]), file)
    compile_all(PACKAGE, f"{SCRATCH}/out", "/skill")
    compile_all(SITE, SITE, "/skill/.skillet/site-packages")


def install(task, plan):
    tools.protect()
    env = {
        "UV_DEFAULT_INDEX": task["index"],
        "UV_CACHE_DIR": f"{SCRATCH}/uv-cache",
        "UV_NO_CONFIG": "1",
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_NO_PROGRESS": "1",
        "UV_HTTP_TIMEOUT": "30",
        "UV_HTTP_RETRIES": "2",
        "UV_CONCURRENT_DOWNLOADS": "8",
    }
    with open(f"{SCRATCH}/requirements.in", "w", encoding="utf-8") as file:
        file.write(plan.text)
    lock = f"{SCRATCH}/requirements.in"
    if not plan.locked:
        lock = f"{SCRATCH}/requirements.lock"
        compiling = [UV, "pip", "compile", "--quiet", "--generate-hashes", "--no-header", "--no-annotate", "--python", PYTHON]
        tools.run("uv", [*compiling, f"{SCRATCH}/requirements.in", "--output-file", lock], SCRATCH, env)
    # A lock of ours is complete; one that came with the package must prove that it is.
    complete = [] if plan.locked else ["--no-deps"]
    installing = [UV, "pip", "install", "--quiet", "--require-hashes", *complete, "--python", PYTHON, "--target", SITE]
    tools.run("uv", [*installing, "-r", lock], SCRATCH, env)
    if os.path.exists(f"{SITE}/.lock"):
        os.remove(f"{SITE}/.lock")
    with open(lock, encoding="utf-8") as file:
        text = "".join(line for line in file if not line.lstrip().startswith(("--index-url", "--extra-index-url", "--find-links")))
    emit({"lock": {"name": "requirements.lock", "text": text}})


def provided():
    """First parts of the names of installed modules."""
    if not os.path.isdir(SITE):
        return set()
    return {name.split(".")[0] for name in os.listdir(SITE) if not name.endswith((".dist-info", ".pth", ".lock")) and name not in ("bin", "__pycache__")}


def preimport(imports):
    there = provided()
    return [
        one["module"]
        for one in imports
        if one["top"] and one["module"] not in ("__future__", "__main__") and (one["stdlib"] or one["module"].split(".")[0] in there)
    ]


def compile_all(root, out, seen_as):
    """Without a check of the source: a bundle never changes, and its files have no times."""
    sources = []
    for folder, _, names in os.walk(root):
        paths = [os.path.relpath(os.path.join(folder, name), root) for name in names if name.endswith(".py")]
        sources += [path for path in paths if bundle.belongs(path) and not os.path.islink(os.path.join(root, path))]
    if sum(os.path.getsize(os.path.join(root, path)) for path in sources) > COMPILED_BYTES:
        return
    warnings.simplefilter("ignore")
    for inside in sorted(sources):
        folder, name = os.path.split(inside)
        target = os.path.join(out, folder, "__pycache__", f"{name[:-3]}.{TAG}.pyc")
        with open(os.path.join(root, inside), "rb") as file:
            source = file.read()
        try:
            code = compile(source, os.path.join(seen_as, inside), "exec", dont_inherit=True)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue  # such as templates and files for other versions: they are used as source, or never
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "wb") as file:
            file.write(importlib.util.MAGIC_NUMBER + HASHED + importlib.util.source_hash(source) + marshal.dumps(code))


# PEP 552: a pyc with a hash that nobody checks.
HASHED = (1).to_bytes(4, "little")
TAG = sys.implementation.cache_tag

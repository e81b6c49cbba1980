"""Reads a package without importing any of it. Runs inside a sandbox: `python3 -I -S <this folder> <package>`.

stdin: {"format", "entry", "scripts", "declared"}; stdout: one JSON object a line: {"file"} before a file is
read (so that a crash names it), {"finding"} for each finding, {"result"} at the end.
"""

import json
import os
import sys

import handler
import imports
import scan
import secrets_in_text
import source


def main():
    package = sys.argv[1]
    task = json.load(sys.stdin)
    sys.setrecursionlimit(3000)
    trees = {}
    for path in source.walk(package):
        emit({"file": path})
        data = source.read(package, path)
        if data is None:
            report(path, 0, "code.too_large", "The file is over 4 MB")
            continue
        for line, rule, message in secrets_in_text.check(path, data):
            report(path, line, rule, message)
        if path.endswith((".py", ".pyw")):
            tree = parse(path, data)
            if tree is not None:
                trees[path] = tree
    result = {"imports": [], "handler": None, "description": None, "input_schema": None, "output_schema": None}
    for path, tree in trees.items():
        emit({"file": path})
        guarded(path, lambda: scan.scan(tree, lambda line, rule, message: report(path, line, rule, message)))
    emit({"file": task["entry"] or ""})
    guarded(task["entry"], lambda: result.update(imports=imports.collect(trees, package, task["entry"])))
    if task["format"] == "python":
        entry = task["entry"]
        if entry in trees:
            found = guarded(entry, lambda: handler.inspect(trees[entry], lambda *finding: report(entry, *finding)))
            result.update(found or {})
        elif not os.path.isfile(os.path.join(package, entry or "")):
            report(entry, 0, "python.handler.missing", f'There is no file "{entry}"')
    emit({"result": result})


def parse(path, data):
    tree = guarded(path, lambda: source.parse(data))
    if isinstance(tree, source.Unreadable):
        report(path, tree.line, tree.rule, tree.message)
        return None
    return tree


def guarded(path, work):
    """Hostile source makes Python's own parser and our walk give up in these ways; it never ends the inspection."""
    try:
        return work()
    except (RecursionError, MemoryError):
        report(path, 0, "python.unreadable", "The code is nested too deeply to be read")
        return None


written = 0


def report(path, line, rule, message):
    global written
    written += 1
    if written <= 500:
        emit({"finding": {"file": path, "line": line or None, "rule": rule, "message": message[:500]}})


def emit(value):
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


main()

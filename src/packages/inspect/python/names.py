"""What a local name stands for: `import os as o; from subprocess import run as r` -> o = os, r = subprocess.run."""

import ast


def aliases(tree):
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for item in node.names:
                found[item.asname or item.name.split(".")[0]] = item.name if item.asname else item.name.split(".")[0]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for item in node.names:
                found[item.asname or item.name] = f"{node.module}.{item.name}"
    for node in ast.walk(tree):  # `f = os.system` and `s = __import__("os")` are names for the same thing
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            name = dotted(node.value, found)
            if name and isinstance(node.value, (ast.Attribute, ast.Call)):
                found.setdefault(node.targets[0].id, name)
    return found


def dotted(node, known):
    """`o.path.join` -> "os.path.join"; `getattr(os, "system")` and `__import__("os").system` too. None for anything else."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if isinstance(node, ast.Name):
        base = known.get(node.id, node.id)
    elif isinstance(node, ast.Call):
        base = called(node, known)
    else:
        base = None
    if base is None:
        return None
    name = ".".join([base, *reversed(parts)])
    return name.removeprefix("builtins.").removeprefix("__builtins__.")


def called(node, known):
    function = dotted(node.func, known)
    first, second = [text(node.args[i]) if len(node.args) > i else None for i in (0, 1)]
    if function in ("__import__", "importlib.import_module") and first:
        return first if function != "__import__" else first.split(".")[0]
    if function == "getattr" and second and second.isidentifier():
        base = dotted(node.args[0], known)
        return f"{base}.{second}" if base else None
    return None


def text(node):
    """The value of a string that is spelled out, also when it is put together with `+`."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = text(node.left), text(node.right)
        return left + right if left is not None and right is not None else None
    return None

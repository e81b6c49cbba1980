"""Which modules the package takes from the standard library and from its dependencies."""

import ast
import os
import sys


def collect(trees, package, entry):
    """[{"module", "file", "line", "stdlib", "top"}]; `top`: imported when the entry file is, so worth importing beforehand."""
    found = {}
    early = reachable(trees, package, entry)
    for path, tree in trees.items():
        outside = top_level(tree)
        for node in ast.walk(tree):
            for module in modules(node):
                if is_local(module, path, package):
                    continue
                top = path in early and id(node) in outside
                old = found.get(module)
                if old is None:
                    stdlib = module.split(".")[0] in sys.stdlib_module_names
                    found[module] = {"module": module, "file": path, "line": node.lineno, "stdlib": stdlib, "top": top}
                elif top:
                    old["top"] = True
    return list(found.values())[:500]


def modules(node):
    if isinstance(node, ast.Import):
        return [item.name for item in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return [node.module]
    return []


def is_local(module, path, package):
    first = module.split(".")[0]
    for folder in {"", os.path.dirname(path)}:
        base = os.path.join(package, folder, first)
        if os.path.isfile(base + ".py") or os.path.isdir(base):
            return True
    return False


def top_level(tree):
    """Import statements that run when the module is imported; not those for type checkers only."""
    found = set()
    waiting = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            found.add(id(node))
        elif isinstance(node, ast.If):
            if "TYPE_CHECKING" not in ast.dump(node.test):
                waiting += node.body
            waiting += node.orelse
        elif isinstance(node, ast.Try):
            waiting += node.body
    return found


def reachable(trees, package, entry):
    """The entry file and the package's own modules that it imports, however far."""
    found, waiting = set(), [entry]
    while waiting:
        path = waiting.pop()
        if path in found or path not in trees:
            continue
        found.add(path)
        for node in ast.walk(trees[path]):
            names = modules(node)
            if isinstance(node, ast.ImportFrom) and node.level:
                names = [node.module] if node.module else [item.name for item in node.names]
            for name in names:
                inner = name.replace(".", "/")
                for folder in (os.path.dirname(path), ""):
                    waiting += [os.path.join(folder, inner + ".py"), os.path.join(folder, inner, "__init__.py")]
    return found

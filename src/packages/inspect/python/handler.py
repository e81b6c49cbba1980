"""Finds `handler` in the entry module, checks how it can be called, and reads its interface from hints and docstrings."""

import ast

import docs
from hints import Hints

CONTEXT_NAMES = {"context", "ctx", "_context", "_ctx", "_"}


def inspect(tree, report):
    node = find(tree)
    if node is None:
        report(0, "python.handler.missing", "The file defines no function named handler")
        return None
    if not isinstance(node, ast.FunctionDef):
        if isinstance(node, ast.AsyncFunctionDef):
            report(node.lineno, "python.handler.signature", "handler is async")
            return None
        if isinstance(node, ast.ClassDef):
            report(node.lineno, "python.handler.signature", "handler is a class")
            return None
        # Imported or assigned: it exists, but what it takes is not written here.
        report(node.lineno, "python.handler.indirect", "handler is imported or assigned, so its interface cannot be read")
        return {"handler": {"function": "handler", "takes_context": False}, "description": docs.description(tree)}
    context = signature(node, report)
    if context is None:
        return None
    hints = Hints(tree)
    first = (node.args.posonlyargs + node.args.args)[0].annotation
    kind = hints.record_kind(first)
    if kind in ("dataclass", "model"):
        name = hints.class_name(first)
        report(node.lineno, "python.handler.dataclass", f"handler is given a dict, not a {name}")
    elif first is not None and not hints.is_object(first):
        report(node.lineno, "python.handler.signature", f"The input of handler is annotated {ast.unparse(first)[:80]}, but it is always a dict")
        return None
    return {
        "handler": {"function": "handler", "takes_context": context},
        "description": docs.description(node, tree),
        "input_schema": hints.input_schema(first, docs.arguments(node)),
        "output_schema": hints.output_schema(node.returns),
    }


def find(tree):
    """The last thing that binds the name when the module runs."""
    found = None
    waiting = list(tree.body)
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names = [node.name]
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [item.asname or item.name for item in node.names]
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = [target.id for target in targets if isinstance(target, ast.Name)]
        elif isinstance(node, (ast.If, ast.Try, ast.With)):
            blocks = [getattr(node, part, []) for part in ("body", "orelse", "finalbody")]
            if not is_main_guard(node):
                waiting[:0] = [inner for block in blocks for inner in block]
            continue
        else:
            continue
        if "handler" in names:
            found = node
    return found


def is_main_guard(node):
    return isinstance(node, ast.If) and "__main__" in ast.unparse(node.test)


def signature(node, report):
    """Whether the context is passed as well; None when it cannot be called with one dict, or with a dict and a context."""
    arguments = node.args
    positional = arguments.posonlyargs + arguments.args
    required = len(positional) - len(arguments.defaults)
    missing = [arg.arg for arg, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if default is None]
    wrong = None
    if not positional:
        wrong = "handler takes no input"
    elif required > 2:
        wrong = f"handler requires {required} arguments; it is called with the input, and with the context if it takes two"
    elif missing:
        wrong = f"handler requires the keyword argument {missing[0]}, which nobody gives"
    elif yields(node):
        wrong = "handler is a generator"
    if wrong:
        report(node.lineno, "python.handler.signature", wrong)
        return None
    return required == 2 or (len(positional) > 1 and positional[1].arg in CONTEXT_NAMES)


def yields(function):
    waiting = list(function.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.Yield, ast.YieldFrom)):
            return True
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            waiting += ast.iter_child_nodes(node)
    return False

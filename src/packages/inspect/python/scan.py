"""The rules of the Python scan: one walk over a module's tree. A lint that names risks; the sandbox is the boundary."""

import ast

from names import aliases, dotted, text
from tables import CALLS, CLIMB, DECODERS, EVALUATORS, GLOBALS, METADATA, METADATA_INTS, PROC, SHELL_FUNCTIONS


def scan(tree, report, depth=0):
    Scan(tree, report, depth).walk()


class Scan:
    def __init__(self, tree, report, depth):
        self.tree = tree
        self.report = report
        self.depth = depth
        self.names = aliases(tree)
        self.decoded = decoded_names(tree, self.names)
        self.quiet = prose(tree)
        self.seen = set()

    def walk(self):
        visits = {
            ast.Call: self.call,
            ast.Attribute: self.attribute,
            ast.Constant: self.constant,
            ast.Name: self.name,
            ast.Assign: self.assign,
            ast.Delete: self.assign,
        }
        for node in ast.walk(self.tree):
            visit = visits.get(type(node))
            if visit:
                visit(node)

    def found(self, node, rule, message):
        key = (node.lineno, rule)
        if key not in self.seen:  # once a line: `__class__.__base__.__subclasses__` is one finding
            self.seen.add(key)
            self.report(node.lineno, rule, message)

    def call(self, node):
        name = dotted(node.func, self.names)
        if name in EVALUATORS:
            self.evaluation(node, name)
        elif name in ("__import__", "importlib.import_module", "importlib.__import__"):
            if node.args and text(node.args[0]) is None:
                self.found(node, "python.dynamic_import", f"{name}() of a computed name")
        elif name == "getattr" and len(node.args) > 1:
            attribute = text(node.args[1])
            if attribute in GLOBALS or attribute in CLIMB or attribute == "__subclasses__":
                self.found(node, "python.escape_idiom", f'getattr(…, "{attribute}")')
        elif name in ("setattr", "delattr") and node.args and dotted(node.args[0], self.names) in ("builtins", "__builtins__"):
            self.found(node, "python.patching", f"{name}() on builtins")
        elif name == "yaml.load":
            loader = next((word.value for word in node.keywords if word.arg == "Loader"), node.args[1] if len(node.args) > 1 else None)
            if loader is None or "Safe" not in (dotted(loader, self.names) or ""):
                self.found(node, "python.pickle", "yaml.load() without a safe loader")
        elif name:
            self.named_call(node, name)

    def named_call(self, node, name):
        if name in SHELL_FUNCTIONS and any(word.arg == "shell" and not is_false(word.value) for word in node.keywords):
            self.found(node, "python.shell", f"{name}() with shell=True")
            return
        rule = CALLS.get(name) or next((rule for start, rule in CALLS.items() if is_below(name, start)), None)
        if rule:
            self.found(node, rule, f"{name}() is called")

    def evaluation(self, node, name):
        if not node.args:
            return
        argument = node.args[0]
        code = text(argument)
        if code is None:
            if self.is_decoded(argument):
                self.found(node, "python.exec_decoded", f"{name}() of data that is decoded first")
            else:
                self.found(node, "python.eval", f"{name}() of a computed string")
        elif self.depth < 3:
            try:  # code in a string is code: the same rules, at the line of the call
                inner = ast.parse(code)
            except (SyntaxError, ValueError):
                return
            scan(inner, lambda _line, rule, message: self.found(node, rule, message), self.depth + 1)

    def is_decoded(self, node):
        for part in ast.walk(node):
            if isinstance(part, ast.Call) and (
                dotted(part.func, self.names) in DECODERS or (isinstance(part.func, ast.Attribute) and part.func.attr == "fromhex")
            ):
                return True
            if isinstance(part, ast.Name) and part.id in self.decoded:
                return True
        return False

    def attribute(self, node):
        if node.attr in GLOBALS:
            self.found(node, "python.escape_idiom", f"The attribute {node.attr} is used")
        elif node.attr == "__subclasses__":
            climbs = any(
                (isinstance(part, ast.Attribute) and part.attr in CLIMB) or (isinstance(part, ast.Name) and part.id == "object")
                for part in ast.walk(node.value)
            )
            if climbs:
                self.found(node, "python.escape_idiom", "All classes of the interpreter are reached by __subclasses__")
        elif node.attr == "modules" and dotted(node, self.names) == "sys.modules" and not isinstance(node.ctx, ast.Load):
            self.found(node, "python.patching", "sys.modules is replaced")

    def name(self, node):
        if node.id == "__builtins__":
            self.found(node, "python.escape_idiom", "The name __builtins__ is used")

    def assign(self, node):
        for target in node.targets:
            if isinstance(target, ast.Subscript) and dotted(target.value, self.names) == "sys.modules":
                self.found(node, "python.patching", "sys.modules is changed")
            elif isinstance(target, ast.Attribute):
                base = dotted(target.value, self.names)
                if base == "builtins" and self.names.get("builtins") == "builtins":
                    self.found(node, "python.patching", f"builtins.{target.attr} is replaced")
                elif target.attr == "__code__":
                    self.found(node, "python.code_object", "The code of a function is replaced")

    def constant(self, node):
        if isinstance(node.value, str) and id(node) not in self.quiet:
            address = METADATA.search(node.value)
            if address:
                self.found(node, "code.metadata_address", f'The cloud metadata address "{address.group()}" is in the code')
            path = PROC.search(node.value)
            if path:
                self.found(node, "code.proc_access", f'The path "{path.group()}" is in the code')
        elif type(node.value) is int and node.value in METADATA_INTS:
            self.found(node, "code.metadata_address", "The cloud metadata address is in the code as a number")


def decoded_names(tree, names):
    """Variables that were given something decoded."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            targets, value = node.targets, node.value
        elif isinstance(node, (ast.AnnAssign, ast.NamedExpr)) and node.value is not None:
            targets, value = [node.target], node.value
        else:
            continue
        if any(isinstance(part, ast.Call) and dotted(part.func, names) in DECODERS for part in ast.walk(value)):
            found.update(target.id for target in targets if isinstance(target, ast.Name))
    return found


def prose(tree):
    """Strings that are statements of their own, such as docstrings: nothing ever reads them."""
    return {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)}


def is_below(name, start):
    return start[-1] == "." and name.startswith(start) or start in ("os.exec", "os.spawn") and name.startswith(start)


def is_false(node):
    return isinstance(node, ast.Constant) and not node.value

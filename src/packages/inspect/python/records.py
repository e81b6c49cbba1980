"""Classes that describe an object: TypedDict, dataclass, pydantic model, NamedTuple; and enums."""

import ast

from names import dotted
from values import literal

ENUMS = {"Enum", "IntEnum", "StrEnum"}


def kind_of(node, names, classes, seen=()):
    """`typeddict`, `dataclass`, `model`, `enum` or None, also by way of a base class of the same file."""
    for decorator in node.decorator_list:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        if (dotted(called, names) or "").rpartition(".")[2] in ("dataclass", "define", "frozen"):
            return "dataclass"
    for base in node.bases:
        name = (dotted(base, names) or "").rpartition(".")[2]
        if name == "TypedDict":
            return "typeddict"
        if name == "BaseModel":
            return "model"
        if name in ENUMS:
            return "enum"
        if name in classes and name not in seen and name != node.name:
            inherited = kind_of(classes[name], names, classes, (*seen, node.name))
            if inherited:
                return inherited
    return None


def fields(node, names, classes, seen=()):
    """{name: (annotation, required, default or ...)}, bases first."""
    found = {}
    for base in node.bases:
        if isinstance(base, ast.Name) and base.id in classes and base.id not in seen and base.id != node.name:
            found.update(fields(classes[base.id], names, classes, (*seen, node.name)))
    kind = kind_of(node, names, classes)
    total = not any(word.arg == "total" and isinstance(word.value, ast.Constant) and word.value.value is False for word in node.keywords)
    for part in node.body:
        if not isinstance(part, ast.AnnAssign) or not isinstance(part.target, ast.Name):
            continue
        if isinstance(part.annotation, ast.Subscript) and (dotted(part.annotation.value, names) or "").endswith("ClassVar"):
            continue
        if kind == "typeddict":
            found[part.target.id] = (part.annotation, total, ...)
        else:
            found[part.target.id] = (part.annotation, *default_of(part.value, names))
    return found


def default_of(value, names):
    """(required, default or ...) of a dataclass or model field."""
    if value is None:
        return True, ...
    if isinstance(value, ast.Call) and (dotted(value.func, names) or "").rpartition(".")[2] in ("field", "Field", "ib"):
        for word in value.keywords:
            if word.arg == "default":
                return False, literal(word.value)
            if word.arg in ("default_factory", "factory"):
                return False, {"list": [], "dict": {}}.get(dotted(word.value, names), ...)
        if value.args:
            first = literal(value.args[0])
            return (True, ...) if isinstance(value.args[0], ast.Constant) and value.args[0].value is ... else (False, first)
        return True, ...
    return False, literal(value)

"""JSON Schema from type hints, for what can be read in the same file: TypedDict, dataclass, enums, aliases, plain annotations."""

import ast

import docs
from records import fields, kind_of
from names import aliases
from values import literal, union

PLAIN = {
    "str": {"type": "string"},
    "bytes": {"type": "string"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "complex": {"type": "number"},
    "bool": {"type": "boolean"},
    "None": {"type": "null"},
    "datetime.datetime": {"type": "string", "format": "date-time"},
    "datetime.date": {"type": "string", "format": "date"},
    "datetime.time": {"type": "string", "format": "time"},
    "uuid.UUID": {"type": "string", "format": "uuid"},
    "decimal.Decimal": {"type": "number"},
    "Decimal": {"type": "number"},
}
OBJECTS = {"dict", "Dict", "Mapping", "MutableMapping", "OrderedDict", "defaultdict", "DefaultDict"}
ARRAYS = {"list", "List", "Sequence", "MutableSequence", "Iterable", "Collection", "deque"}
SETS = {"set", "Set", "frozenset", "FrozenSet", "AbstractSet"}
WRAPPERS = {"Required", "NotRequired", "ReadOnly", "Final", "ClassVar", "InitVar"}


class Hints:
    def __init__(self, tree):
        self.names = aliases(tree)
        self.classes = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
        self.aliases = {}
        for node in tree.body:
            if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                self.aliases[node.targets[0].id] = node.value
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
                self.aliases[node.target.id] = node.value
        self.open = []
        self.recursive = set()
        self.defs = {}
        self.closed = True

    def input_schema(self, annotation, described):
        """Closed where the fields are known: a wrong key is an error the caller should hear of."""
        return self.root(annotation, True, described) or {"type": "object"}

    def output_schema(self, annotation):
        """Open: a key more does no harm. None where nothing is promised."""
        if annotation is None or self.record_kind(annotation) is None and self.is_object(annotation) and not isinstance(self.bare(annotation), ast.Subscript):
            return None
        schema = self.root(annotation, False, {})
        return schema or None

    def root(self, annotation, closed, described):
        if annotation is None:
            schema = {"type": "object"}
        else:
            self.defs, self.recursive, self.open, self.closed = {}, set(), [], closed
            schema = self.schema(annotation)
            if "$ref" in schema and set(schema) == {"$ref"}:
                schema = self.defs[schema["$ref"].rpartition("/")[2]]
        for name, what in described.items():
            if name in schema.get("properties", {}) and "description" not in schema["properties"][name]:
                schema["properties"][name] = {**schema["properties"][name], "description": what}
        return {**schema, "$defs": self.defs} if annotation is not None and self.defs else schema

    def record_kind(self, annotation):
        node = self.classes.get(self.class_name(annotation) or "")
        return kind_of(node, self.names, self.classes) if node else None

    def class_name(self, annotation):
        node = self.bare(annotation)
        return node.id if isinstance(node, ast.Name) else None

    def is_object(self, annotation):
        schema = self.root(annotation, True, {})
        options = schema.get("anyOf", [schema])
        return schema == {} or any(option.get("type") == "object" or option == {} for option in options)

    def bare(self, node):
        """Without quotes and wrappers, with aliases followed."""
        for _ in range(20):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                try:
                    node = ast.parse(node.value, mode="eval").body
                except (SyntaxError, ValueError):
                    return node
            elif isinstance(node, ast.Name) and node.id in self.aliases and node.id not in self.classes:
                node = self.aliases[node.id]
            elif isinstance(node, ast.Subscript) and self.short(node.value) in WRAPPERS:
                node = node.slice
            else:
                break
        return node

    def short(self, node):
        return node.attr if isinstance(node, ast.Attribute) else self.names.get(node.id, node.id).rpartition(".")[2] if isinstance(node, ast.Name) else ""

    def schema(self, annotation):
        node = self.bare(annotation)
        if isinstance(node, ast.Constant) and node.value is None:
            return {"type": "null"}
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            return union([self.schema(node.left), self.schema(node.right)])
        if isinstance(node, ast.Subscript):
            return self.subscript(self.short(node.value), node.slice)
        if isinstance(node, ast.Call) and self.short(node.func) == "TypedDict" and len(node.args) > 1:
            return self.functional(node)
        if isinstance(node, ast.Name) and node.id in self.classes:
            return self.record(node.id)
        full = ast.unparse(node) if isinstance(node, ast.Attribute) else self.names.get(node.id, node.id) if isinstance(node, ast.Name) else ""
        short = full.rpartition(".")[2]
        if full in PLAIN:
            return dict(PLAIN[full])
        if short in OBJECTS:
            return {"type": "object"}
        if short in ARRAYS | {"tuple", "Tuple"}:
            return {"type": "array"}
        if short in SETS:
            return {"type": "array", "uniqueItems": True}
        return {"type": "string", "format": "date-time"} if full == "datetime" else {}

    def subscript(self, name, inside):
        parts = inside.elts if isinstance(inside, ast.Tuple) else [inside]
        if name == "Annotated":
            words = [part.value for part in parts[1:] if isinstance(part, ast.Constant) and isinstance(part.value, str)]
            words += [word.value.value for part in parts[1:] if isinstance(part, ast.Call) for word in part.keywords
                      if word.arg == "description" and isinstance(word.value, ast.Constant)]  # fmt: skip
            return {**self.schema(parts[0]), **({"description": words[0]} if words else {})}
        if name == "Optional":
            return union([self.schema(inside), {"type": "null"}])
        if name == "Union":
            return union([self.schema(part) for part in parts])
        if name == "Literal":
            values = [literal(part) for part in parts]
            return {"enum": values} if all(value is not ... for value in values) else {}
        if name in OBJECTS:
            values = self.schema(parts[1]) if len(parts) > 1 else {}
            return {"type": "object", **({"additionalProperties": values} if values else {})}
        if name in ARRAYS | SETS:
            items = self.schema(parts[0])
            return {"type": "array", **({"items": items} if items else {}), **({"uniqueItems": True} if name in SETS else {})}
        if name in ("tuple", "Tuple"):
            if len(parts) == 2 and isinstance(parts[1], ast.Constant) and parts[1].value is ...:
                return {"type": "array", "items": self.schema(parts[0])}
            return {"type": "array", "prefixItems": [self.schema(part) for part in parts], "minItems": len(parts), "maxItems": len(parts)}
        return {}

    def record(self, name):
        if name in self.open:
            self.recursive.add(name)
            return {"$ref": f"#/$defs/{name}"}
        node = self.classes[name]
        kind = kind_of(node, self.names, self.classes)
        if kind is None:
            return {}
        if kind == "enum":
            values = [literal(part.value) for part in node.body if isinstance(part, ast.Assign)]
            return {"enum": [value for value in values if value is not ...]}
        self.open.append(name)
        schema = self.object(fields(node, self.names, self.classes), docs.arguments(node))
        self.open.pop()
        about = docs.description(node)
        if about:
            schema["description"] = about
        if name in self.recursive:
            self.defs[name] = schema
            return {"$ref": f"#/$defs/{name}"}
        return schema

    def functional(self, node):
        keys = node.args[1].keys if isinstance(node.args[1], ast.Dict) else []
        total = not any(word.arg == "total" and literal(word.value) is False for word in node.keywords)
        found = {literal(key): (value, total, ...) for key, value in zip(keys, node.args[1].values, strict=True) if isinstance(literal(key), str)} if keys else {}
        return self.object(found, {})

    def object(self, found, described):
        properties, required = {}, []
        for name, (annotation, needed, default) in found.items():
            schema = self.schema(annotation)
            if name in described and "description" not in schema:
                schema = {**schema, "description": described[name]}
            if default is not ...:
                schema = {**schema, "default": default}
            properties[name] = schema
            wrapper = self.short(annotation.value) if isinstance(annotation, ast.Subscript) else ""
            if wrapper == "Required" or (needed and wrapper != "NotRequired"):
                required.append(name)
        closed = {"additionalProperties": False} if self.closed else {}
        return {"type": "object", "properties": properties, **({"required": required} if required else {}), **closed}

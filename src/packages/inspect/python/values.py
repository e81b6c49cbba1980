"""JSON values that source spells out, and unions of schemas."""

import ast


def union(schemas):
    """`str | None` -> {"type": ["string", "null"]}; literals joined; anything else anyOf. An unknown part makes all unknown."""
    flat = []
    for schema in schemas:
        flat += schema["anyOf"] if set(schema) == {"anyOf"} else [schema]
    if any(schema == {} for schema in flat):
        return {}
    flat = [schema for place, schema in enumerate(flat) if schema not in flat[:place]]
    if len(flat) == 1:
        return flat[0]
    nullable = [schema for schema in flat if schema != {"type": "null"}]
    if all(set(schema) == {"enum"} for schema in nullable):
        return {"enum": [value for schema in nullable for value in schema["enum"]] + ([None] if len(nullable) < len(flat) else [])}
    if all(set(schema) == {"type"} for schema in flat):
        return {"type": sum((schema["type"] if isinstance(schema["type"], list) else [schema["type"]] for schema in flat), [])}
    return {"anyOf": flat}


def literal(node):
    """The JSON value that is spelled out; `...` when it is none."""
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError):
        return ...
    return value if is_json(value) else ...


def is_json(value):
    if isinstance(value, float):
        return value == value and abs(value) != float("inf")
    if isinstance(value, list):
        return all(is_json(item) for item in value)
    if isinstance(value, dict):
        return all(isinstance(key, str) and is_json(item) for key, item in value.items())
    return value is None or isinstance(value, (str, int, bool))

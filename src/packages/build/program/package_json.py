"""package.json and package-lock.json, vetted: names and ranges from the registry, nothing that leads to another place."""

import json
import os
import re

from plan import Plan
from report import Failed, finding

RANGE = re.compile(r"^(?:npm:(?:@[\w.-]+/)?[\w.-]+(?:@|$))?[\w.\-+^~<>=*|\s]*$")
NAME = re.compile(r"^(?:@[a-z0-9~-][a-z0-9._~-]*/)?[A-Za-z0-9~-][A-Za-z0-9._~-]*$")
# A tarball of a registry: npm is told to take it from the configured one, whatever the host in here.
TARBALL = re.compile(r"^https?://[^/@\s]+/(?:[^\s]*/)?-/[^/\s]+\.tgz$")
TYPES_ONLY = ("skillet", "@agent-spm/types")
KINDS = ("dependencies", "optionalDependencies", "peerDependencies")


def read(package):
    manifest = load(package, "package.json")
    plan = Plan()
    kept = {key: manifest[key] for key in ("name", "version", "type", "peerDependenciesMeta") if key in manifest}
    plan.locked = os.path.isfile(os.path.join(package, "package-lock.json"))
    for kind in (*KINDS, *(("devDependencies",) if plan.locked else ())):
        wanted = manifest.get(kind) or {}
        if not isinstance(wanted, dict):
            raise Failed("build.requirement", f"{kind} is not an object", "package.json")
        if not plan.locked:
            wanted = {name: spec for name, spec in wanted.items() if name not in TYPES_ONLY}
        for name, spec in wanted.items():
            plan.refused |= kind != "devDependencies" and refused(name, spec)
            if kind in ("dependencies", "optionalDependencies"):
                plan.needs.append(name)
        if wanted:
            kept[kind] = wanted
    if isinstance(manifest.get("overrides"), dict):
        kept["overrides"] = manifest["overrides"]
        for name, spec in leaves(manifest["overrides"]):
            plan.refused |= refused(name, spec)
    for key in ("workspaces", "bundleDependencies", "bundledDependencies"):
        if manifest.get(key) and plan.locked:
            kept[key] = manifest[key]
    if plan.locked and plan.needs:
        plan.refused |= lock_refused(load(package, "package-lock.json"))
    plan.text = json.dumps({"name": "skill", "version": "0.0.0", **kept, "private": True})
    return plan


def refused(name, spec):
    if not NAME.match(name) and not name == ".":
        finding("build.requirement", f'"{name[:80]}" is not a package name', "package.json")
        return True
    if not isinstance(spec, str) or not (RANGE.match(spec) or re.fullmatch(r"\$[\w./@-]+", spec)):
        finding("build.direct_url", f'"{name}": "{str(spec)[:120]}" leads to another place than the registry', "package.json")
        return True
    return False


def lock_refused(lock):
    wrong = False
    packages = lock.get("packages")
    if not isinstance(packages, dict):
        raise Failed("build.lock_out_of_step", "package-lock.json is of an old version; make it again with npm 7 or newer", "package-lock.json")
    for path, one in packages.items():
        if not path or not isinstance(one, dict) or one.get("dev"):
            continue
        resolved = one.get("resolved")
        if one.get("link") or (resolved is not None and not TARBALL.match(str(resolved))):
            finding("build.direct_url", f'"{path[:100]}" comes from "{str(resolved)[:120]}", not from the registry', "package-lock.json")
            wrong = True
        elif resolved is not None and not one.get("integrity"):
            finding("build.hash_missing", f'"{path[:100]}" has no integrity hash', "package-lock.json")
            wrong = True
    return wrong


def leaves(overrides):
    for name, spec in overrides.items():
        if isinstance(spec, dict):
            yield from leaves(spec)
        else:
            yield re.sub(r"(?<=.)@.*$", "", name), spec


def load(package, name):
    path = os.path.join(package, name)
    if os.path.getsize(path) > 8 * 2**20:
        raise Failed("build.requirement", f"{name} is over 8 MB", name)
    try:
        with open(path, encoding="utf-8") as file:
            value = json.load(file)
    except (ValueError, RecursionError) as error:
        raise Failed("build.requirement", f"{name} is not JSON: {error}", name) from None
    if not isinstance(value, dict):
        raise Failed("build.requirement", f"{name} is not an object", name)
    return value

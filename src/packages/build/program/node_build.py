"""TypeScript: dependencies by npm without any of their scripts, then one file by esbuild."""

import json
import os
import re

import package_json
import tools
from plan import Plan
from places import OPT, PACKAGE, SCRATCH
from report import Failed, emit, finding

KIND = "node"
APP = f"{SCRATCH}/app"
NODE = f"{OPT}/node"
NPM = f"{OPT}/npm/bin/npm-cli.js"
ESBUILD = f"{OPT}/esbuild"
# Types of Skillet: no code of theirs exists at run time, whatever the import looks like.
TYPES_ONLY = ("skillet/types", "@agent-spm/types")
# Dependencies in CommonJS expect these; as globals they cannot clash with what a module declares.
BANNER = (
    "import{createRequire as __skilletRequire}from'node:module';"
    "globalThis.require??=__skilletRequire(import.meta.url);"
    "globalThis.__filename??=import.meta.filename;globalThis.__dirname??=import.meta.dirname;"
)
ERROR = re.compile(r"\[ERROR\] ([^\n]*)\n(?:\s*\n)?(?:\s+([^\s:][^\n:]*):(\d+):\d+:)?")


def plan(task):
    return package_json.read(PACKAGE) if os.path.isfile(f"{PACKAGE}/package.json") else Plan()


def run(task, plan):
    if plan.needs:
        install(task, plan)
    bundle(task)


def install(task, plan):
    tools.protect()
    os.makedirs(APP)
    with open(f"{APP}/package.json", "w", encoding="utf-8") as file:
        file.write(plan.text)
    if plan.locked:
        with open(f"{PACKAGE}/package-lock.json", "rb") as source, open(f"{APP}/package-lock.json", "wb") as target:
            target.write(source.read())
    env = {
        "npm_config_registry": task["index"],
        "npm_config_replace_registry_host": "always",
        "npm_config_omit_lockfile_registry_resolved": "true",
        "npm_config_cache": f"{SCRATCH}/npm-cache",
        "npm_config_userconfig": f"{SCRATCH}/home/npmrc",
        "npm_config_globalconfig": f"{SCRATCH}/home/npmrc-global",
        "npm_config_ignore_scripts": "true",
        "npm_config_omit": "dev",
        "npm_config_audit": "false",
        "npm_config_fund": "false",
        "npm_config_update_notifier": "false",
        "npm_config_progress": "false",
        "npm_config_loglevel": "error",
        "npm_config_logs_max": "0",
        "npm_config_allow_git": "none",
        "npm_config_fetch_retries": "1",
        "npm_config_fetch_timeout": "30000",
    }
    tools.run("npm", [NODE, NPM, "ci" if plan.locked else "install"], APP, env)
    with open(f"{APP}/package-lock.json", encoding="utf-8") as file:
        text = file.read()
    # One that came with the package is among its files already, as it was; it is kept beside so that every version has one.
    emit({"lock": {"name": "package-lock.json", "text": text}})


def bundle(task):
    entry = f"{PACKAGE}/" + task["entry"]
    with open(f"{SCRATCH}/stub.mjs", "w", encoding="utf-8") as file:
        # By way of the namespace, so that what a CommonJS module exports is found as well, and validate may be missing.
        file.write(f"import * as skill from {json.dumps(entry)}\nconst of = (name) => skill[name] ?? skill.default?.[name]\n")
        file.write("export const execute = of('execute')\nexport const validate = of('validate')\n")
    with open(f"{SCRATCH}/types.cjs", "w", encoding="utf-8") as file:
        file.write("module.exports = {}\n")
    argv = [ESBUILD, f"{SCRATCH}/stub.mjs", "--bundle", "--platform=node", "--format=esm", "--target=node24", "--log-limit=10", "--log-level=error",
            "--color=false", "--source-root=/skill", "--banner:js=" + BANNER, "--sourcemap=inline", "--sources-content=false",
            *(f"--alias:{name}={SCRATCH}/types.cjs" for name in TYPES_ONLY)]  # fmt: skip
    try:  # to stdout, so that the paths in the source map are those of the package
        tools.run("esbuild", argv, PACKAGE, {"NODE_PATH": f"{APP}/node_modules"}, f"{SCRATCH}/out/.skillet/index.mjs")
    except Failed as failure:
        *others, last = explained(failure)
        for one in others:
            finding(one.rule, one.message, one.file, one.line)
        raise last from None


def explained(failure):
    """Each error of esbuild on its own, with its place."""
    if failure.rule not in ("build.failed", "build.dependency_not_found"):
        return [failure]
    return [explain(*found.groups()) for found in ERROR.finditer(failure.message)] or [failure]


def explain(message, file, line):
    file = re.sub(r"^(?:\.\./)+", "", file) if file else None
    rule = "build.failed"
    if message.startswith("Could not resolve"):
        rule = "build.unresolved_import"
    elif ".node" in message and "loader" in message:
        rule = "build.native_addon"
    return Failed(rule, message, file, int(line) if line else None)

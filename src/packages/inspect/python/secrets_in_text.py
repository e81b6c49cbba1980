"""Credentials and hidden characters in any file. Linear patterns only: the file is a tenant's."""

import re

PATTERNS = [
    ("secret.private_key", "A private key", r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:\\[rn]|[\s\"'+,:-]|[A-Za-z-]{1,20}: ?[^\n]{0,80}\n){0,30}[A-Za-z0-9+/=]{40}"),
    ("secret.aws_key", "An AWS access key id", r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b"),
    ("secret.github_token", "A GitHub token", r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{60})"),
    ("secret.slack_token", "A Slack token", r"\bxox[abposr]-[0-9A-Za-z]{8,16}-[0-9A-Za-z-]{10}"),
    ("secret.google_key", "A Google API key", r"\bAIza[0-9A-Za-z_-]{35}\b"),
    ("secret.stripe_key", "A Stripe live key", r"\b[rs]k_live_[0-9A-Za-z]{24}"),
    ("secret.model_key", "A model provider's key", r"\bsk-(?:ant-[a-z0-9]{3,8}-|proj-|svcacct-)[A-Za-z0-9_-]{40}"),
    ("secret.npm_token", "An npm token", r"\bnpm_[A-Za-z0-9]{36}\b"),
    ("secret.pypi_token", "A PyPI token", r"\bpypi-AgE[A-Za-z0-9_-]{60}"),
    ("secret.url_password", "A URL with a password", r"\b[a-z][a-z0-9+.-]{1,15}://[A-Za-z0-9._%-]{1,64}:[^\s:/@\"'{}$<>%*]{4,64}@[A-Za-z0-9.-]{1,100}"),
    # Tag characters spell invisible text (a flag emoji, U+1F3F4 first, is their one honest use); the others reorder what is shown.
    ("text.hidden", "Characters that people do not see, or that change the order of what they see", "(?<![\U0001f3f4\U000e0020-\U000e007f])[\U000e0000-\U000e007f]|[\u202a-\u202e\u2066-\u2069]"),
]
COMPILED = [(rule, what, re.compile(pattern)) for rule, what, pattern in PATTERNS]
# Documentation spells keys like this; they open nothing.
PLACEHOLDER = re.compile(r"EXAMPLE|(.)\1{9}|x{6}|(?i:user(?:name)?:pass(?:word)?@|:secret@|:postgres@|changeme)")


def check(path, data):
    if path.endswith((".pyc", ".pyo")):
        yield 0, "code.bytecode", "Compiled Python, which cannot be read; it is left out of the bundle"
        return
    if data[:4] in (b"\x7fELF", b"MZ\x90\x00", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe") or path.endswith((".node", ".so", ".pyd", ".dll")):
        yield 0, "code.native", "A compiled program or library, which cannot be read"
        return
    if not data or b"\0" in data[:8192]:
        return
    text = data.decode("utf-8", "replace")
    for rule, what, pattern in COMPILED:
        for count, found in enumerate(pattern.finditer(text)):
            if count == 20:
                break
            if rule != "text.hidden" and PLACEHOLDER.search(found.group()):
                continue
            yield text.count("\n", 0, found.start()) + 1, rule, what + " is in the file"

import { JAVASCRIPT_RULES } from './rules-javascript.ts'
import { PYTHON_RULES } from './rules-python.ts'
import type { ScanRule } from './scan-rule.ts'

/** Every rule of the scan. It is a lint that names risks early; the sandbox is the boundary. */
export const SCAN_RULES: Readonly<Record<string, ScanRule>> = {
  ...PYTHON_RULES,
  ...JAVASCRIPT_RULES,
  'code.too_large': {
    severity: 'deny',
    why: 'A source file of many megabytes is data or generated code that nobody can review.',
    fix: 'Move data out of the source into a data file, or split the file.',
  },
  'code.native': {
    severity: 'warn',
    why: 'A compiled program cannot be scanned.',
    fix: 'Ship source, or take the library from the package index as a dependency.',
  },
  'code.bytecode': {
    severity: 'warn',
    why: 'Compiled Python may differ from the source beside it, and would be used instead of it.',
    fix: 'Leave __pycache__ and .pyc files out of the package; Skillet compiles the sources itself.',
  },
  'code.metadata_address': {
    severity: 'deny',
    why: 'Cloud metadata services hand out credentials of the machine; skills never reach them.',
    fix: 'Remove it; give the skill the credentials it needs as secrets of the stage.',
  },
  'code.proc_access': {
    severity: 'deny',
    why: 'These kernel files show or change other processes and the machine; no skill has business there.',
    fix: 'Remove it; what a skill may know of its run is in its context.',
  },
  'text.hidden': {
    severity: 'warn',
    why: 'Invisible characters can carry instructions, and reordered ones show other code than runs.',
    fix: 'Delete the characters; most editors can show them.',
  },
  'secret.private_key': secret('A private key'),
  'secret.aws_key': secret('An access key id, usually with its key beside it'),
  'secret.github_token': secret('A token'),
  'secret.slack_token': secret('A token'),
  'secret.google_key': secret('An API key'),
  'secret.stripe_key': secret('A key that moves money'),
  'secret.model_key': secret('An API key'),
  'secret.npm_token': secret('A token that can publish packages'),
  'secret.pypi_token': secret('A token that can publish packages'),
  'secret.url_password': { ...secret('A password in a URL'), severity: 'warn' },
  'scan.stopped': {
    severity: 'deny',
    why: 'Code that brings the scanner down, or that takes it too long, was not looked at.',
    fix: 'Simplify the file that is named: no code generated in one huge expression.',
  },
}

function secret(what: string): ScanRule {
  return {
    severity: 'deny',
    why: `${what} in a package is readable for everybody who may read the version, for ever.`,
    fix: 'Revoke it, remove it from the package, and give it to the skill as a secret of the stage.',
  }
}

import type { ScanRule } from './scan-rule.ts'

export const JAVASCRIPT_RULES: Readonly<Record<string, ScanRule>> = {
  'js.syntax': {
    severity: 'deny',
    why: 'It can never run, and cannot be scanned.',
    fix: 'Correct the syntax, or give a file that is not JavaScript another ending.',
  },
  'js.unreadable': {
    severity: 'deny',
    why: 'What the scan cannot read it cannot vouch for.',
    fix: 'Split very long or deeply nested code; let Skillet bundle instead of shipping a bundle.',
  },
  'js.execute.missing': {
    severity: 'deny',
    why: 'A TypeScript skill is called through its execute function.',
    fix: 'Write "export async function execute(params, context)" in the entry file.',
  },
  'js.execute.signature': {
    severity: 'deny',
    why: 'execute and validate are called with params and context, and answer with a value or a promise.',
    fix: 'Make it a function of (params, context).',
  },
  'js.exec_decoded': {
    severity: 'deny',
    why: 'Code that is hidden from readers until it runs: the mark of malware.',
    fix: 'Put the code into the package as source.',
  },
  'js.native_binding': {
    severity: 'deny',
    why: 'The inner bindings of Node go around its public interface; nothing needs them.',
    fix: 'Use the public modules of Node.',
  },
  'js.escape_idiom': {
    severity: 'deny',
    why: 'The way from any object to a function made of text: used to break out of JavaScript sandboxes.',
    fix: 'Call functions by their names.',
  },
  'js.privilege': {
    severity: 'deny',
    why: 'Changing the user has no use in a sandbox, and is refused there.',
    fix: 'Remove the call.',
  },
  'js.eval': {
    severity: 'warn',
    why: 'If the string comes from the input, the caller chooses what runs.',
    fix: 'Use JSON.parse, or an object of functions.',
  },
  'js.child_process': {
    severity: 'warn',
    why: 'Programs on the server differ from machine to machine, and are not part of the version.',
    fix: 'Prefer a library; never put input into a shell command.',
  },
  'js.vm': {
    severity: 'warn',
    why: 'The vm module runs text as code, and is no sandbox.',
    fix: 'Call functions of the package instead.',
  },
  'js.inspector': {
    severity: 'warn',
    why: 'A debugger in a skill sees and changes everything in its process.',
    fix: 'Remove it; use the log of the context.',
  },
  'js.worker_flags': {
    severity: 'warn',
    why: 'Flags of a worker can load code and change what Node permits.',
    fix: 'Start workers without execArgv and env.',
  },
  'js.dynamic_import': {
    severity: 'warn',
    why: 'Which module is loaded cannot be seen beforehand, and cannot be bundled.',
    fix: 'Import by name, or choose from an object of imported modules.',
  },
  'js.prototype_write': {
    severity: 'warn',
    why: 'Changing the prototypes of everything breaks libraries in ways that are hard to find.',
    fix: 'Use a function or a class of your own; Object.create(null) or Map for keys from outside.',
  },
  'js.module_internals': {
    severity: 'warn',
    why: 'Changing how modules are loaded changes what every import means.',
    fix: 'Import what you need by its name.',
  },
  'js.process_control': {
    severity: 'warn',
    why: 'It ends or changes the process that serves the skill.',
    fix: 'Return, or throw an error.',
  },
  'js.v8': {
    severity: 'warn',
    why: 'Engine flags and snapshots change or show the whole process.',
    fix: 'Remove it; use JSON for data.',
  },
}

import type { ScanRule } from './scan-rule.ts'

export const PYTHON_RULES: Readonly<Record<string, ScanRule>> = {
  'python.syntax': {
    severity: 'deny',
    why: 'It can never run, and cannot be scanned.',
    fix: 'Correct the syntax for the Python of this server, or give a file that is not Python another ending.',
  },
  'python.unreadable': {
    severity: 'deny',
    why: 'What the scan cannot read it cannot vouch for.',
    fix: 'Save the source as UTF-8 without NUL bytes, and split very long or deeply nested code.',
  },
  'python.handler.missing': {
    severity: 'deny',
    why: 'A Python skill is called through its handler.',
    fix: 'Define "def handler(input: dict) -> dict:" in the entry file.',
  },
  'python.handler.signature': {
    severity: 'deny',
    why: 'The handler is called with the input as one dict, and with the context if it takes two arguments.',
    fix: 'Write "def handler(input: dict) -> dict:" or "def handler(input: dict, context) -> dict:"; run async code inside with asyncio.run().',
  },
  'python.handler.indirect': {
    severity: 'warn',
    why: 'Its types and docstring are in another file, so no schema can be generated.',
    fix: 'Define handler in the entry file and call the other function from it, or declare the schemas in skill.yaml.',
  },
  'python.handler.dataclass': {
    severity: 'warn',
    why: 'The schema is made from the class, but the handler is given plain JSON.',
    fix: 'Annotate with a TypedDict, or build the object yourself: MyInput(**input).',
  },
  'python.import.undeclared': {
    severity: 'warn',
    why: 'A module that is in no dependency is missing when the skill runs.',
    fix: 'Add the package that provides it to requirements.txt.',
  },
  'python.exec_decoded': {
    severity: 'deny',
    why: 'Code that is hidden from readers until it runs: the mark of malware.',
    fix: 'Put the code into the package as source.',
  },
  'python.marshal': {
    severity: 'deny',
    why: 'marshal loads code objects, which hides code from readers and from the scan.',
    fix: 'Use json for data, and source files for code.',
  },
  'python.escape_idiom': {
    severity: 'deny',
    why: 'The way from any object to the interpreter’s globals: used to break out of Python, hardly ever otherwise.',
    fix: 'Import what you need by its name.',
  },
  'python.privilege': {
    severity: 'deny',
    why: 'Changing user, root or namespace has no use in a sandbox, and is refused there.',
    fix: 'Remove the call.',
  },
  'python.eval': {
    severity: 'warn',
    why: 'If the string comes from the input, the caller chooses what runs.',
    fix: 'Use json.loads, ast.literal_eval, or a dictionary of functions.',
  },
  'python.code_object': {
    severity: 'warn',
    why: 'Functions made from code objects cannot be scanned.',
    fix: 'Define the function in source.',
  },
  'python.shell': {
    severity: 'warn',
    why: 'A shell interprets its text: input in it becomes commands.',
    fix: 'Use subprocess.run with a list of arguments and no shell.',
  },
  'python.subprocess': {
    severity: 'warn',
    why: 'Programs on the server differ from machine to machine, and are not part of the version.',
    fix: 'Prefer a Python library; check that the program is part of the runtime.',
  },
  'python.fork': {
    severity: 'warn',
    why: 'Processes count against the limit of the sandbox and are killed when the run ends.',
    fix: 'Use threads or asyncio; start runs in parallel instead.',
  },
  'python.native_call': {
    severity: 'warn',
    why: 'Native calls go around everything Python checks; the system call filter of the sandbox remains.',
    fix: 'Use a Python library if there is one.',
  },
  'python.pickle': {
    severity: 'warn',
    why: 'Loading a pickle runs what its author wants.',
    fix: 'Use json, or load only what the package itself ships; for YAML use yaml.safe_load.',
  },
  'python.dynamic_import': {
    severity: 'warn',
    why: 'Which module is loaded cannot be seen beforehand.',
    fix: 'Import by name, or choose from a dictionary of imported modules.',
  },
  'python.patching': {
    severity: 'warn',
    why: 'Changing the interpreter for everybody in the process breaks libraries in ways that are hard to find.',
    fix: 'Pass what is different as an argument instead.',
  },
  'python.heap_walk': {
    severity: 'warn',
    why: 'Walking frames or all objects reaches data that was not given to the skill.',
    fix: 'Pass the data along as arguments.',
  },
}

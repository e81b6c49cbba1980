// Reads the JavaScript and TypeScript of a package without running any of it. Runs inside a sandbox:
// `node main.mjs <package>`; stdin: {"format", "entry"}. It speaks the same lines as the Python inspector:
// {"file"} before a file is read (so that a crash of the parser names it), {"finding"} for each finding, {"result"} at the end.

import { lstatSync, readFileSync, readdirSync, writeSync } from 'node:fs'
import { extname, join } from 'node:path'
import { parseSync } from 'oxc-parser'
import { inspectEntry } from './entry.mjs'
import { scan } from './scan.mjs'
import { lineOf } from './tree.mjs'

const MAX_SOURCE = 2 ** 20
const LANGUAGES = {
  '.js': 'js',
  '.mjs': 'js',
  '.cjs': 'js',
  '.jsx': 'jsx',
  '.ts': 'ts',
  '.mts': 'ts',
  '.cts': 'ts',
  '.tsx': 'tsx',
}

const root = process.argv[2]
const task = JSON.parse(readFileSync(0, 'utf8'))
let written = 0
let result = { handler: null, description: null, input_schema: null, output_schema: null }

for (const path of walk('')) {
  emit({ file: path })
  const parsed = guarded(path, () => parse(path))
  if (parsed) guarded(path, () => scan(parsed, (line, rule, message) => report(path, line, rule, message)))
  if (task.format === 'typescript' && path === task.entry && parsed) {
    result =
      guarded(path, () => inspectEntry(parsed, (line, rule, message) => report(path, line, rule, message))) ?? result
  }
}
if (task.format === 'typescript' && !exists(task.entry)) {
  report(task.entry, 0, 'js.execute.missing', `There is no file "${task.entry}"`)
}
emit({ result })

function parse(path) {
  const { size } = lstatSync(join(root, path))
  if (size > MAX_SOURCE) {
    report(path, 0, 'js.unreadable', `The source is ${size} bytes long; 1 MB is read at most`)
    return null
  }
  const source = readFileSync(join(root, path), 'utf8')
  const parsed = parseSync(path, source, { lang: LANGUAGES[extname(path)], preserveParens: false, ...kindOf(path) })
  const error = parsed.errors.find((one) => one.severity.startsWith('Error'))
  if (error) {
    const at = error.labels[0]?.start ?? 0
    report(path, lineOf(source, at), 'js.syntax', `This cannot be parsed: ${error.message}`)
    return null
  }
  return { source, program: parsed.program, comments: parsed.comments }
}

function kindOf(path) {
  return /\.c[jt]s$/.test(path)
    ? { sourceType: 'commonjs' }
    : /\.m[jt]s$/.test(path)
      ? { sourceType: 'module' }
      : { sourceType: 'unambiguous' }
}

function guarded(path, work) {
  try {
    return work()
  } catch (error) {
    report(
      path,
      0,
      'js.unreadable',
      error instanceof RangeError
        ? 'The code is nested too deeply to be read'
        : `This cannot be read: ${String(error?.message).slice(0, 200)}`,
    )
    return null
  }
}

function* walk(folder) {
  const entries = readdirSync(join(root, folder), { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
  for (const entry of entries) {
    const path = folder ? `${folder}/${entry.name}` : entry.name
    if (entry.isDirectory()) yield* walk(path)
    else if (entry.isFile() && extname(path) in LANGUAGES) yield path
  }
}

function exists(path) {
  try {
    return lstatSync(join(root, path)).isFile()
  } catch {
    return false
  }
}

function report(file, line, rule, message) {
  if (++written <= 500) emit({ finding: { file, line: line || null, rule, message: message.slice(0, 500) } })
}

// Synchronous, so that what was said is out when the parser brings the process down.
function emit(value) {
  let rest = Buffer.from(`${JSON.stringify(value)}\n`)
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(1, rest))
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error
    }
  }
}

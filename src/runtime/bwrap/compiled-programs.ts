import { execFile } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { chmod, rename } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'

/** Python programs of ours that run in sandboxes, compiled for each Python that runs them: a cold start would compile them each time. */
export interface CompiledPrograms {
  /** File name of the program for that interpreter: the compiled one as soon as there is one, until then its source. */
  name(program: string, python: string): string
  /** Resolves when nothing is made any more. */
  settled(): Promise<void>
}

/**
 * Compiles what is asked for, beside whoever asks first: a server that starts has better things to do.
 * @param folder Holds the sources, and what is made of them, once for each version of an interpreter.
 */
export function compilePrograms(folder: string): CompiledPrograms {
  const names = new Map<string, string>()
  const making = new Set<Promise<void>>()

  async function make(key: string, program: string, python: string, name: string): Promise<void> {
    // Where compiling fails the source serves as well.
    if (await compiled(folder, program, python, name)) names.set(key, name)
  }

  return {
    name(program, python) {
      const key = `${python} ${program}`
      const known = names.get(key)
      if (known !== undefined) return known
      const source = `${program}.py`
      names.set(key, source)
      const stat = statSync(python, { throwIfNoEntry: false })
      if (stat === undefined) return source
      const name = `${program}-${basename(python)}-${stat.size}-${Math.floor(stat.mtimeMs)}.pyc`
      if (existsSync(join(folder, name))) {
        names.set(key, name)
        return name
      }
      const made = make(key, program, python, name).finally(() => making.delete(made))
      making.add(made)
      return source
    },
    async settled() {
      await Promise.all(making)
    },
  }
}

/** @returns False where it could not be done. */
async function compiled(folder: string, program: string, python: string, name: string): Promise<boolean> {
  const source = `${program}.py`
  const draft = join(folder, `${name}.${process.pid}`)
  try {
    const what = [join(folder, source), draft, source]
    await promisify(execFile)(python, ['-I', '-S', '-c', COMPILE, ...what], { env: {}, cwd: '/' })
    await chmod(draft, 0o644)
    await rename(draft, join(folder, name))
    return true
  } catch {
    return false
  }
}

const COMPILE =
  'import py_compile, sys; py_compile.compile(sys.argv[1], cfile=sys.argv[2], dfile=sys.argv[3], doraise=True)'

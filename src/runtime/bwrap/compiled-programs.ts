import { execFile } from 'node:child_process'
import { access, chmod, rename, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'

/** Python programs of ours that run in sandboxes, compiled for each Python that may run them: a cold start would compile them each time. */
export interface CompiledPrograms {
  /** File name of the program for that interpreter: the compiled one as soon as there is one, until then its source. */
  name(program: string, python: string): string
  /** Resolves when nothing is made any more. */
  readonly settled: Promise<void>
}

/** @param folder Holds the sources, and what is made of them, once for each version of an interpreter. */
export function compilePrograms(
  folder: string,
  programs: readonly string[],
  pythons: readonly string[],
): CompiledPrograms {
  const names = new Map<string, string>()
  const compileFor = async (python: string): Promise<void> => {
    for (const program of programs) names.set(`${python} ${program}`, await compiled(folder, program, python))
  }
  return {
    name: (program, python) => names.get(`${python} ${program}`) ?? `${program}.py`,
    settled: Promise.all(pythons.map(compileFor)).then(() => undefined),
  }
}

/** Where compiling fails the source serves as well. */
async function compiled(folder: string, program: string, python: string): Promise<string> {
  const source = `${program}.py`
  try {
    const { size, mtimeMs } = await stat(python)
    const name = `${program}-${basename(python)}-${size}-${Math.floor(mtimeMs)}.pyc`
    if (await exists(join(folder, name))) return name
    const draft = join(folder, `${name}.${process.pid}`)
    await promisify(execFile)(python, ['-I', '-S', '-c', COMPILE, join(folder, source), draft, source], {
      env: {},
      cwd: '/',
    })
    await chmod(draft, 0o644)
    await rename(draft, join(folder, name))
    return name
  } catch {
    return source
  }
}

const COMPILE =
  'import py_compile, sys; py_compile.compile(sys.argv[1], cfile=sys.argv[2], dfile=sys.argv[3], doraise=True)'

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )

/** What a SKILL.md package takes as input, with nothing left out. */
export interface ScriptCall {
  readonly script: string
  readonly args: readonly string[]
  readonly stdin: string
}

/** Reads `{script, args?, stdin?}`. A text says what is wrong with it. Only scripts that the package was accepted with are run. */
export function readScriptCall(input: unknown, scripts: readonly string[]): ScriptCall | string {
  if (typeof input !== 'object' || input === null) return 'The input must be an object with "script".'
  const { script, args = [], stdin = '' } = input as Partial<Record<string, unknown>>
  if (typeof script !== 'string' || !scripts.includes(script)) {
    const known = scripts.length === 0 ? 'it has none' : `it has ${scripts.slice(0, 20).join(', ')}`
    return `The skill has no script ${JSON.stringify(script)?.slice(0, 200)}; ${known}.`
  }
  if (!Array.isArray(args) || args.length > MAX_ARGS || !args.every(isArgument)) {
    return `"args" must be a list of at most ${MAX_ARGS} strings without NUL, each at most ${MAX_ARG_CHARS} characters.`
  }
  if (typeof stdin !== 'string') return '"stdin" must be a string.'
  return { script, args: args as string[], stdin }
}

const MAX_ARGS = 256
/** The kernel's own limit for one argument is 128 KiB. */
const MAX_ARG_CHARS = 30_000

const isArgument = (value: unknown): boolean =>
  typeof value === 'string' && value.length <= MAX_ARG_CHARS && !value.includes('\0')

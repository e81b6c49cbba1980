/**
 * True for a name that a deployment may not set: loaders, interpreters and the platform's own (DESIGN 7). Case does not matter.
 * Refused when a stage is configured, and stripped again when a run is executed.
 */
export function isReservedEnv(name: string): boolean {
  const upper = name.toUpperCase()
  return RESERVED_NAMES.has(upper) || RESERVED_PREFIXES.some((prefix) => upper.startsWith(prefix))
}

/** The given environment without reserved names and without names or values that no process can have. */
export function stripReservedEnv(env: Readonly<Record<string, string>>): Record<string, string> {
  const kept: Record<string, string> = Object.create(null) as Record<string, string>
  for (const [name, value] of Object.entries(env)) {
    const possible = name !== '' && !/[=\0]/.test(name) && !value.includes('\0')
    if (possible && !isReservedEnv(name)) kept[name] = value
  }
  return kept
}

/** The same of what is named as they are, but no variable. */
export function withoutReserved<T>(named: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(named).filter(([name]) => !isReservedEnv(name)))
}

/** In upper case. */
export const RESERVED_PREFIXES: readonly string[] = [
  'AWS_',
  'AGENT_RUNNER_',
  'SKILLET_',
  'PYTHON',
  'LD_',
  'DYLD_',
  'GCONV_',
  'MALLOC_',
  'GLIBC_',
]

/** In upper case. */
export const RESERVED_NAMES: ReadonlySet<string> = new Set([
  'NODE_OPTIONS',
  'NODE_PATH',
  'NODE_CHANNEL_FD',
  'NODE_CHANNEL_SERIALIZATION_MODE',
  'NODE_UNIQUE_ID',
  'NODE_EXTRA_CA_CERTS',
  'NODE_V8_COVERAGE',
  'NODE_COMPILE_CACHE',
  'NODE_REPL_EXTERNAL_MODULE',
  'NODE_REDIRECT_WARNINGS',
  'BASH_ENV',
  'ENV',
  'BASHOPTS',
  'SHELLOPTS',
  'PS4',
  'IFS',
  'PROMPT_COMMAND',
  'OPENSSL_CONF',
  'OPENSSL_MODULES',
  'OPENSSL_ENGINES',
  'LOCPATH',
  'NLSPATH',
  'RES_OPTIONS',
  'HOSTALIASES',
  'LOCALDOMAIN',
  'RESOLV_HOST_CONF',
  'PERL5LIB',
  'PERL5OPT',
  'RUBYOPT',
  'RUBYLIB',
  'JAVA_TOOL_OPTIONS',
  'GIT_SSH_COMMAND',
  'UV_THREADPOOL_SIZE',
])

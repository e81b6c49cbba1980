/** What the process ends with. Part of the interface: docs/cli.md lists them for scripts. */
export const EXIT = {
  ok: 0,
  /** The run failed or was cancelled, or the server refused for a reason without a code of its own. */
  failed: 1,
  usage: 2,
  unreachable: 3,
  /** No key, a wrong one, or one that may not do this. */
  refused: 4,
  notFound: 5,
  /** The validator rejected the package. */
  rejected: 6,
  interrupted: 130,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

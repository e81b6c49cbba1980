import type { YAMLParseError } from 'yaml'

/** What to write instead of a slip in YAML; null: what the rule says in general. */
export interface Slip {
  readonly message: string
  readonly fix: string | null
}

/** What the parser found, in words of those who write skills. */
export function slipOf({ code, message }: Pick<YAMLParseError, 'code' | 'message'>): Slip {
  return SLIPS[code] ?? { message: sentence(message), fix: null }
}

const SLIPS: Readonly<Partial<Record<YAMLParseError['code'], Slip>>> = {
  BLOCK_AS_IMPLICIT_KEY: {
    message: 'There is a second ": " in the value.',
    fix: 'Put the value in quotes, or begin what belongs to it on a line of its own.',
  },
  TAB_AS_INDENT: { message: 'The line is indented with a tab.', fix: 'Indent with spaces.' },
  MULTIPLE_DOCS: { message: 'A second document begins here.', fix: 'Remove the line and what follows it.' },
}

/** Of several lines the first, with an end. */
function sentence(message: string): string {
  const line = message.split('\n')[0]!.slice(0, 300).trimEnd()
  return /[.!?]$/.test(line) ? line : `${line}.`
}

import { readFileSync } from 'node:fs'

/** Of this package. */
export function packageVersion(): string {
  // Beside src in a clone and beside dist in an installed package.
  const file = new URL('../../package.json', import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}

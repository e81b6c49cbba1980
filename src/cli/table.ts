/** Aligned columns, two spaces apart. Cells must not hold line breaks or colours; numbers align to the right. */
export function table(header: readonly string[], rows: readonly (readonly (string | number | null)[])[]): string {
  const cells = rows.map((row) => row.map((cell) => (cell === null ? '-' : String(cell))))
  const widths = header.map((title, i) => Math.max(title.length, ...cells.map((row) => row[i]?.length ?? 0)))
  const right = header.map((_, i) => rows.length > 0 && rows.every((row) => typeof row[i] !== 'string'))
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => (right[i] ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd()
  return [line(header), ...cells.map(line)].map((text) => `${text}\n`).join('')
}

/** Milliseconds for people. */
export function duration(ms: number | null): string {
  if (ms === null) return '-'
  if (ms < 10) return `${ms.toFixed(1)} ms`
  return ms < 10_000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`
}

export function bytes(count: number): string {
  if (count < 1000) return `${count} B`
  return count < 1e6 ? `${(count / 1e3).toFixed(1)} kB` : `${(count / 1e6).toFixed(1)} MB`
}

/** One line of at most 70 characters. */
export function clip(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ')
  return line.length <= 70 ? line : `${line.slice(0, 69)}…`
}

import { parse } from 'csv-parse/sync'
import type { SkillContext } from 'skillet/types'
import { type Column, profileColumn } from './profile.ts'

interface Input {
  csv: string
  delimiter?: string
  top?: number
}

interface Output {
  rows: number
  delimiter: string
  columns: Column[]
}

const DELIMITERS = [',', ';', '\t', '|']

/** What a schema cannot say: the header has to name every column, once. */
export async function validate({ csv, delimiter }: Input): Promise<boolean> {
  const [header = []] = read(csv, delimiter ?? guessDelimiter(csv), 1)
  const empty = header.findIndex((name) => name.trim() === '')
  if (empty !== -1) throw new Error(`Column ${empty + 1} has no name in the header line.`)
  const twice = header.find((name, i) => header.indexOf(name) !== i)
  if (twice !== undefined) throw new Error(`Two columns are called "${twice}".`)
  return true
}

export async function execute({ csv, delimiter, top = 5 }: Input, context: SkillContext): Promise<Output> {
  const used = delimiter ?? guessDelimiter(csv)
  const [header = [], ...rows] = read(csv, used)
  console.log(
    `csv-profile ${context.run.version}: ${rows.length} rows, ${header.length} columns, delimiter ${JSON.stringify(used)}`,
  )
  const columns = header.map((name, i) =>
    profileColumn(
      name,
      rows.map((row) => (row[i] ?? '').trim()),
      top,
    ),
  )
  return { rows: rows.length, delimiter: used, columns }
}

function read(csv: string, delimiter: string, lines?: number): string[][] {
  return parse(csv, {
    delimiter,
    bom: true,
    skip_empty_lines: true,
    relax_column_count: true,
    ...(lines && { to: lines }),
  })
}

/** The one that splits the first line into the most fields. */
function guessDelimiter(csv: string): string {
  const [line = ''] = csv.split(/\r?\n/, 1)
  return DELIMITERS.toSorted((a, b) => line.split(b).length - line.split(a).length)[0]!
}

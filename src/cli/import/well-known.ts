import { hash } from 'node:crypto'
import { mkdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { LIMITS } from '../../model/sizes.ts'
import { Name } from '../../model/skills.ts'
import { CliError } from '../cli-error.ts'
import { EXIT } from '../exit-codes.ts'
import { download } from './download.ts'
import { isLocal } from './local.ts'
import { unpackArchive } from './unpack-archive.ts'

/** What a well-known URI names (the discovery RFC, version 0.2.0). Members that we do not know are let through. */
const Index = z.looseObject({
  $schema: z.literal('https://schemas.agentskills.io/discovery/0.2.0/schema.json'),
  skills: z
    .array(
      z.looseObject({
        name: Name,
        type: z.string(),
        url: z.string().min(1).max(4000),
        digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
      }),
    )
    .max(2000),
})
export type DiscoveryIndex = z.infer<typeof Index>

/** Where an index is, for whoever names only the site. */
export const WELL_KNOWN = '.well-known/agent-skills/index.json'

/** @returns Null when the text is no such index. */
export function readIndex(text: string): DiscoveryIndex | null {
  try {
    return Index.safeParse(JSON.parse(text)).data ?? null
  } catch {
    return null
  }
}

/** Fetches what an index names, each into a folder of its name, and checks its digest. @returns What could not be taken, and why */
export async function fetchIndexed(
  index: DiscoveryIndex,
  base: URL,
  folder: string,
  signal: AbortSignal,
): Promise<string[]> {
  const faults: string[] = []
  const named = new Set<string>()
  for (const entry of index.skills) {
    const target = join(folder, entry.name)
    if (named.has(entry.name)) {
      faults.push(`${entry.name}: The index has it twice.`)
      continue
    }
    named.add(entry.name)
    try {
      await fetchOne(entry, urlOf(entry.url, base), target, signal)
    } catch (error) {
      if (!(error instanceof CliError)) throw error
      await rm(target, { recursive: true, force: true })
      faults.push(`${entry.name}: ${error.message} ${error.why ?? ''}`.trim())
    }
  }
  return faults
}

/** Somebody elsewhere may not have this machine ask itself. */
function urlOf(written: string, base: URL): URL {
  const url = URL.parse(written, base.href)
  if (url === null) throw notTaken(`"${written.slice(0, 100)}" is no URL.`)
  if (isLocal(url.hostname) && !isLocal(base.hostname)) throw notTaken('It is on this machine, and the index is not.')
  return url
}

async function fetchOne(
  { name, type, digest }: DiscoveryIndex['skills'][0],
  url: URL,
  target: string,
  signal: AbortSignal,
): Promise<void> {
  if (type !== 'skill-md' && type !== 'archive') throw notTaken(`Its type is "${type.slice(0, 40)}".`)
  const file = `${target}.download`
  try {
    if ((await download(url, file, signal, LIMITS.packageBytes)) === null) throw notTaken('It is not there.')
    if (`sha256:${hash('sha256', await readFile(file))}` !== digest)
      throw notTaken('It does not have the digest that the index names.')
    if (type === 'archive') await unpackArchive(file, target, name)
    else {
      await mkdir(target)
      await rename(file, join(target, 'SKILL.md'))
    }
  } finally {
    await rm(file, { force: true })
  }
}

const notTaken = (why: string): CliError => new CliError(EXIT.failed, 'It was not taken.', { why })

import yauzl from 'yauzl'
import { buffer } from 'node:stream/consumers'

/** The members of the official clients that are used, as they are in all generations. */
export interface SkillsNamespace {
  create(params: Record<string, unknown>): Promise<Wire>
  retrieve(id: string): Promise<Wire>
  list(params?: Record<string, unknown>): AsyncIterable<Wire> & Promise<{ data: Wire[]; next_page: string | null }>
  delete(id: string): Promise<Wire>
  readonly versions: {
    create(id: string, params: Record<string, unknown>): Promise<Wire>
    retrieve(version: string, params: { skill_id: string }): Promise<Wire>
    list(id: string, params?: Record<string, unknown>): AsyncIterable<Wire> & Promise<{ data: Wire[] }>
    delete(version: string, params: { skill_id: string }): Promise<Wire>
    download(version: string, params: { skill_id: string }): Promise<Response>
  }
}
export type Wire = Record<string, unknown> & { readonly id: string }

interface Client {
  readonly skills?: SkillsNamespace
  readonly beta: { readonly skills: SkillsNamespace }
}
type ErrorClass = new (...args: never[]) => Error
/** What is used of a package `@anthropic-ai/sdk`. */
export interface Sdk {
  readonly default: new (options: Record<string, unknown>) => Client
  readonly toFile: (content: Buffer, path: string) => Promise<unknown>
  readonly BadRequestError: ErrorClass
  readonly AuthenticationError: ErrorClass
  readonly NotFoundError: ErrorClass
  readonly ConflictError: ErrorClass
}

/** Every generation of the official client, and which of the two shapes its requests ask for. */
export const GENERATIONS: readonly {
  readonly name: string
  readonly load: () => Promise<unknown>
  readonly of: (client: Client) => SkillsNamespace
  readonly beta: boolean
}[] = [
  { name: '0.98.1 beta', load: () => import('anthropic-sdk-0.98.1'), of: ({ beta }) => beta.skills, beta: true },
  { name: '0.119.0 beta', load: () => import('anthropic-sdk-0.119.0'), of: ({ beta }) => beta.skills, beta: true },
  { name: '0.119.0', load: () => import('anthropic-sdk-0.119.0'), of: ({ skills }) => skills!, beta: false },
  { name: '0.122.0 beta', load: () => import('anthropic-sdk-0.122.0'), of: ({ beta }) => beta.skills, beta: false },
  { name: '0.122.0', load: () => import('anthropic-sdk-0.122.0'), of: ({ skills }) => skills!, beta: false },
  { name: '1.11.0 beta', load: () => import('anthropic-sdk-1.11.0'), of: ({ beta }) => beta.skills, beta: false },
  { name: '1.11.0', load: () => import('anthropic-sdk-1.11.0'), of: ({ skills }) => skills!, beta: false },
]

/** Files of a skill, by their paths below its folder. */
export type SkillFiles = Readonly<Record<string, Buffer>>

export function skillFiles(name: string, body: string = 'Say hello.'): SkillFiles {
  const text = `---\nname: ${name}\ndescription: Tells a thing. Use it when asked.\n---\n${body}\n`
  return {
    'SKILL.md': Buffer.from(text),
    'scripts/run.py': Buffer.from('print("hello")\n'),
    'assets/Übersicht "1".bin': Buffer.from(Array.from({ length: 70_000 }, (_, i) => (i * 31) % 256)),
    'assets/empty.txt': Buffer.alloc(0),
  }
}

/** The files of a zip by their paths. */
export async function unzip(bytes: Buffer): Promise<Record<string, Buffer>> {
  const files: Record<string, Buffer> = {}
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  yauzl.fromBuffer(bytes, { lazyEntries: true }, (failed, zip) => {
    if (failed !== null) return reject(failed)
    zip.on('error', reject)
    zip.on('end', resolve)
    zip.on('entry', (entry: yauzl.Entry) => {
      zip.openReadStream(entry, (error, stream) => {
        if (error !== null) return reject(error)
        buffer(stream).then((content) => {
          files[entry.fileName] = content
          zip.readEntry()
        }, reject)
      })
    })
    zip.readEntry()
  })
  await promise
  return files
}

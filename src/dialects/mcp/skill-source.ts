import { isUtf8 } from 'node:buffer'
import type { Resource } from '@modelcontextprotocol/server'
import type { SkillReadResult, SkillSource } from '@modelcontextprotocol/server/ext/skills'
import type { Services } from '../../http/services.ts'
import { INDEX_URI, indexJson } from './index-json.ts'
import type { Library } from './library.ts'
import { mimeTypeOf } from './mime.ts'
import { invalid, told } from './rpc-error.ts'
import { SKILL_MD, servedPath } from './skill-entry.ts'
import { placeOf, skillUri } from './skill-uri.ts'
import type { Visit } from './visit.ts'

/** The skills of a library as the official extension serves them: every file one resource, and every folder. */
export function skillSource(files: Services['files'], library: Library, visit: Visit): SkillSource {
  return {
    list: ({ cursor }) =>
      told(visit, async () => {
        const { items, ...page } = await library.list(cursor)
        const skills = await Promise.all(items.map(library.describe))
        return { skills: skills.filter((one) => one !== null), ...page }
      }),

    get: (uri) =>
      told(visit, async () => {
        const place = placeOf(uri)
        if (place?.path !== SKILL_MD) return undefined
        const found = await library.find(place)
        return found === null ? undefined : ((await library.describe(found.entry)) ?? undefined)
      }),

    read: (uri) =>
      told(visit, async () => {
        if (uri === INDEX_URI) return { text: await indexJson(library), mimeType: 'application/json' }
        const place = placeOf(uri)
        if (place === null || place.path === '') return undefined
        const source = (await library.find(place))?.source
        const file = source?.files.find((one) => servedPath(one, source) === place.path)
        if (source === undefined || file === undefined) return undefined
        return contentOf((await files.read(source, file.path)).bytes, place.path)
      }),

    readDirectory: (uri, { cursor }) =>
      told(visit, async () => {
        if (cursor !== undefined) throw invalid('The cursor is not one that this server gave out.')
        const place = placeOf(uri)
        const source = place === null ? undefined : (await library.find(place))?.source
        if (place === null || source === undefined) return undefined
        const paths = source.files.map((file) => ({ path: servedPath(file, source), size: file.size }))
        const children = childrenOf(paths, place.path)
        if (children.size === 0) return undefined
        const resources = [...children].map(([name, { folder, size }]): Resource => {
          const path = place.path === '' ? name : `${place.path}/${name}`
          const mimeType = folder ? 'inode/directory' : mimeTypeOf(name)
          return { uri: skillUri({ ...place, path }), name, mimeType, ...(!folder && { size }) }
        })
        return { resources }
      }),
  }
}

/** What lies in a folder itself, by name; nothing where there is no such folder. */
function childrenOf(files: readonly { path: string; size: number }[], folder: string) {
  const prefix = folder === '' ? '' : `${folder}/`
  const children = new Map<string, { folder: boolean; size: number }>()
  for (const { path, size } of files) {
    if (!path.startsWith(prefix)) continue
    const [name = '', ...below] = path.slice(prefix.length).split('/')
    children.set(name, { folder: below.length > 0, size })
  }
  return children
}

/** As text where that gives back the very bytes. */
function contentOf(bytes: Buffer, path: string): SkillReadResult {
  const mimeType = mimeTypeOf(path)
  return isUtf8(bytes) && !bytes.includes(0) ? { text: bytes.toString('utf8'), mimeType } : { bytes, mimeType }
}

import { LIMITS } from '../../model/sizes.ts'
import type { SkillFiles } from '../profiles/skill-files.ts'
import { readBytes } from './text.ts'

/** Files below a folder of this machine. @param name What the skill's folder is named; null where nothing says it. */
export function folderFiles(dir: string, files: SkillFiles['files'], name: string | null): SkillFiles {
  return {
    folder: name,
    files,
    read(path) {
      const bytes = readBytes(dir, path, LIMITS.skillMdBytes)
      // It was small when it was listed.
      if (typeof bytes === 'number') throw new Error(`${path} grew to ${bytes} bytes while it was read.`)
      return bytes
    },
  }
}

import type { Finding, PackageFile } from '../model/packages.ts'
import { serveThread } from '../threads/thread-worker.ts'
import { readDraft, type DraftResult } from './detect.ts'
import { folderFiles } from './manifest/folder-files.ts'
import { pack, type PackRequest } from './pack.ts'
import { checkSkill, type CheckOptions } from './profiles/check-skill.ts'
import { unpack, type UnpackRequest, type UnpackResult } from './zip/unpack.ts'

/** What the thread is asked. */
export type ReaderTask =
  | { readonly kind: 'unpack'; readonly request: UnpackRequest }
  | { readonly kind: 'pack'; readonly request: PackRequest }
  | { readonly kind: 'draft'; readonly dir: string; readonly files: PackageFile[]; readonly fallbackName: string }
  | ({ readonly kind: 'check'; readonly dir: string; readonly files: PackageFile[] } & SkillCheck)

/** By whose demands a skill is measured. `folder`: what its folder is named; null where nothing says it. */
export interface SkillCheck extends CheckOptions {
  readonly folder: string | null
}

serveThread((task: ReaderTask): Promise<UnpackResult | ArrayBuffer> | DraftResult | Finding[] => {
  if (task.kind === 'unpack') return unpack(task.request)
  if (task.kind === 'check') return checkSkill(folderFiles(task.dir, task.files, task.folder), task)
  return task.kind === 'pack' ? pack(task.request) : readDraft(task, task.fallbackName)
})

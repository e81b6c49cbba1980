import type { PackageFile } from '../model/packages.ts'
import { serveThread } from '../threads/thread-worker.ts'
import { readDraft, type DraftResult } from './detect.ts'
import { pack, type PackRequest } from './pack.ts'
import { unpack, type UnpackRequest, type UnpackResult } from './zip/unpack.ts'

/** What the thread is asked. */
export type ReaderTask =
  | { readonly kind: 'unpack'; readonly request: UnpackRequest }
  | { readonly kind: 'pack'; readonly request: PackRequest }
  | { readonly kind: 'draft'; readonly dir: string; readonly files: PackageFile[]; readonly fallbackName: string }

serveThread((task: ReaderTask): Promise<UnpackResult | ArrayBuffer> | DraftResult => {
  if (task.kind === 'unpack') return unpack(task.request)
  return task.kind === 'pack' ? pack(task.request) : readDraft(task, task.fallbackName)
})

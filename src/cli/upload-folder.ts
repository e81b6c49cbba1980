import { setTimeout as pause } from 'node:timers/promises'
import type { Upload } from '../model/skills.ts'
import type { Api } from './api.ts'
import { CliError } from './cli-error.ts'
import { EXIT } from './exit-codes.ts'
import type { Progress } from './progress.ts'
import { bytes } from './table.ts'
import { zipFolder } from './zip-folder.ts'

/** How often the state of a validation is looked at, in milliseconds. */
const LOOK_MS = 120

const STEPS: Readonly<Record<string, string>> = {
  checking: 'Checking the files and the manifest',
  scanning: 'Scanning the code',
  building: 'Building with its dependencies',
}

/**
 * Zips a folder, uploads it to a stage and waits for the verdict. Makes the skill and the stage when they are missing.
 * @returns The upload, accepted or rejected
 */
export async function uploadFolder(
  api: Api,
  target: { readonly skill: string; readonly stage: string; readonly folder: string },
  progress: Progress,
  signal: AbortSignal,
): Promise<Upload> {
  const { skill, stage, folder } = target
  await ensure(
    () => api.findSkill(skill),
    () => api.createSkill(skill, ''),
  )
  await ensure(
    () => api.findStage(skill, stage),
    () => api.putStage(skill, stage, {}),
  )
  const zip = await zipFolder(folder)
  try {
    const ticket = await api.createUpload(skill, stage, { size: zip.size, sha256: zip.sha256 })
    const what = `Uploading ${zip.count === 1 ? '1 file' : `${zip.count} files`}, ${bytes(zip.size)}`
    progress.begin(what)
    await api.sendUpload(ticket, zip.file, (sent) => progress.amount(sent / zip.size))
    const upload = await validated(() => api.findUpload(skill, stage, ticket.upload_id), progress, signal)
    progress.end()
    return upload
  } finally {
    await zip.remove()
  }
}

async function validated(look: () => Promise<Upload>, progress: Progress, signal: AbortSignal): Promise<Upload> {
  let shown: string | null = null
  for (;;) {
    const upload = await look()
    if (upload.state === 'accepted' || upload.state === 'rejected') return upload
    if (upload.state === 'expired') {
      throw new CliError(EXIT.failed, `Upload ${upload.id} expired before it arrived.`, { fix: 'Repeat the command.' })
    }
    if (upload.step !== null && upload.step !== shown) {
      shown = upload.step
      progress.begin(STEPS[shown] ?? shown)
    }
    await pause(LOOK_MS, undefined, { signal })
  }
}

async function ensure(find: () => Promise<unknown>, make: () => Promise<unknown>): Promise<void> {
  try {
    await find()
  } catch (error) {
    if (!(error instanceof CliError) || error.exitCode !== EXIT.notFound) throw error
    await make()
  }
}

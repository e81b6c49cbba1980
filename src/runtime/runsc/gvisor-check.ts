import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { DoctorCheck } from '../doctor-check.ts'
import { INSTALL_RUNSC, findRunsc } from './find-runsc.ts'

/** Which gVisor there is. */
export async function gvisor(): Promise<DoctorCheck> {
  const check = 'gvisor'
  try {
    const { stdout } = await promisify(execFile)(await findRunsc(), ['--version'], { env: {}, cwd: '/' })
    return { check, ok: true, detail: stdout.split('\n')[0]!.trim(), fix: null }
  } catch (error) {
    return { check, ok: false, detail: (error as Error).message, fix: INSTALL_RUNSC }
  }
}

import { readFileSync } from 'node:fs'

/** A seccomp profile in the format of the OCI's runtime specification, which Docker, Podman and Kubernetes read. */
export interface SeccompProfile {
  defaultAction: string
  defaultErrnoRet?: number
  architectures: string[]
  syscalls: SeccompRule[]
}

export interface SeccompRule {
  names: string[]
  action: string
  errnoRet?: number
  comment?: string
  args?: { index: number; op: string; value: number; valueTwo?: number }[]
}

export function readProfile(file: string): SeccompProfile {
  return JSON.parse(readFileSync(file, 'utf8')) as SeccompProfile
}

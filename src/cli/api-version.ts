import type { Page } from '../model/page.ts'
import type { PackageFile } from '../model/packages.ts'
import type { SignatureEnvelope, SigningKey } from '../model/signatures.ts'
import { LIMITS } from '../model/sizes.ts'
import type { Deployment, Version } from '../model/skills.ts'
import type { VersionDetail, VersionDiff } from '../skills/shapes.ts'
import type { Download, Http } from './http.ts'

/** The largest archive that a server makes: files as they are, and what a zip says of each, twice. */
const MOST_BYTES = LIMITS.packageBytes + LIMITS.packageEntries * 4096

/** Versions, and the keys that they are signed under. */
export function createVersionApi({ ok, download }: Http) {
  return {
    listVersions: (skill: string, query: { limit: number; cursor?: string | undefined }): Promise<Page<Version>> =>
      ok('GET', `${skillPath(skill)}/versions`, { query }),
    findVersion: (skill: string, version: string): Promise<VersionDetail> => ok('GET', versionPath(skill, version)),
    versionFiles: (skill: string, version: string): Promise<{ items: PackageFile[] }> =>
      ok('GET', `${versionPath(skill, version)}/files`),
    diffVersions: (skill: string, from: string, to: string): Promise<VersionDiff> =>
      ok('GET', `${skillPath(skill)}/diff`, { query: { from, to } }),
    versionSignature: (skill: string, version: string): Promise<SignatureEnvelope> =>
      ok('GET', `${versionPath(skill, version)}/signature`),
    downloadVersion: (skill: string, version: string, layout: 'folder' | 'root' = 'folder'): Promise<Download> =>
      download(`${versionPath(skill, version)}/archive?layout=${layout}`, MOST_BYTES),
    withdrawVersion: (skill: string, version: string): Promise<Version> => ok('DELETE', versionPath(skill, version)),
    serveVersion: (skill: string, stage: string, version: string): Promise<Deployment> =>
      ok('POST', `${skillPath(skill)}/stages/${encodeURIComponent(stage)}/serve`, { body: { version } }),
    signingKeys: (): Promise<{ items: SigningKey[] }> => ok('GET', '/api/signing-keys'),
    rotateSigningKey: (): Promise<SigningKey> => ok('POST', '/api/signing-keys/rotate'),
  }
}

const skillPath = (skill: string): string => `/api/skills/${encodeURIComponent(skill)}`
const versionPath = (skill: string, version: string): string =>
  `${skillPath(skill)}/versions/${encodeURIComponent(version)}`

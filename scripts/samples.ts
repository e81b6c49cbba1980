import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Deployment } from '../src/model/skills.ts'
import type { Api } from '../src/cli/api.ts'
import { findingsText } from '../src/cli/findings.ts'
import type { Paint } from '../src/cli/io.ts'
import type { Progress } from '../src/cli/progress.ts'
import { uploadFolder } from '../src/cli/upload-folder.ts'

export interface Sample {
  readonly name: string
  /** What it is, for people. */
  readonly kind: string
  readonly folder: string
}

export const SAMPLES: readonly Sample[] = [
  sample('release-notes', 'a Python function with a dependency from PyPI'),
  sample('csv-profile', 'a TypeScript module with a dependency from npm'),
  sample('brand-guidelines', 'an Agent Skills folder with a script'),
]

export const STAGE = 'dev'

export function sampleInput({ folder }: Sample): unknown {
  return JSON.parse(readFileSync(`${folder}/sample-input.json`, 'utf8'))
}

/** Uploads, waits for the verdict and deploys what the server proposes. @throws Error with the findings when it is rejected */
export async function deploySample(
  api: Api,
  { name, folder }: Sample,
  progress: Progress,
  paint: Paint,
  signal: AbortSignal,
): Promise<Deployment> {
  const upload = await uploadFolder(api, { skill: name, stage: STAGE, folder }, progress, signal)
  if (upload.state === 'rejected') {
    throw new Error(`${name} was rejected by the validator:\n${findingsText(upload.findings, paint)}`)
  }
  const { change_level, revision } = await api.proposal(name, STAGE)
  progress.begin(`Deploying to ${STAGE}`)
  const deployment = await api.deploy(name, STAGE, { change_level, revision })
  progress.end()
  return deployment
}

function sample(name: string, kind: string): Sample {
  return { name, kind, folder: fileURLToPath(new URL(`../examples/${name}`, import.meta.url)) }
}

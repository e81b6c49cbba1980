import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createBareDriver } from '../../runtime/bare/bare-driver.ts'
import { draftOf, openTestSandbox } from '../test-sandbox.ts'
import { createInspector } from './inspector.ts'

test('without a sandbox TypeScript is read also where our programs are copies, as of a clone in /root', async () => {
  const sandbox = await openTestSandbox()
  const bare = createBareDriver(sandbox.places)
  try {
    let count = 0
    const copied = async (path: string): Promise<string> => {
      const to = join(sandbox.places.staging, `copy-${++count}`)
      await cp(path, to, { recursive: true })
      return to
    }
    const inspect = createInspector({ tool: bare.tool, files: { ...sandbox.files, expose: copied } })
    const unpacked = await sandbox.unpack({
      'index.ts': 'export function execute(input: { n: number }) { return {} }\n',
    })
    const { findings, input_schema } = await inspect(unpacked, draftOf('typescript', 'index.ts'))
    expect(findings.filter(({ severity }) => severity === 'deny')).toEqual([])
    expect(input_schema).toMatchObject({ properties: { n: { type: 'number' } } })
  } finally {
    await bare.close()
    await sandbox.close()
  }
})

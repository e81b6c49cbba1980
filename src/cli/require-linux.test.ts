import { expect, test } from 'vitest'
import { cli } from '../../tests/support/cli.ts'
import { EXIT } from './exit-codes.ts'

test.each([
  ['darwin', 'macOS'],
  ['win32', 'Windows'],
] as const)('on %s no server is started, and it is said where one can be', async (platform, name) => {
  for (const command of [['serve', '--port', '0'], ['doctor']]) {
    const { code, err } = await cli([...command, '--data', '/nonexistent/data'], { platform })
    expect(code).toBe(EXIT.failed)
    expect(err).toContain(`this is ${name}`)
    expect(err).toContain('docs/drivers.md')
  }
})

test('other commands do not ask what they run on', async () => {
  const { code, err } = await cli(['skill', 'list'], {
    platform: 'darwin',
    env: { SKILLET_URL: 'http://127.0.0.1:9', SKILLET_KEY: 'sk_x' },
  })
  expect(code).toBe(EXIT.unreachable)
  expect(err).not.toContain('macOS')
})

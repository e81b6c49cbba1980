import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestSessions, invoke, openTestSessions } from '../test-sessions.ts'

let sandboxes: TestSessions
beforeAll(async () => {
  sandboxes = await openTestSessions()
})
afterAll(() => sandboxes.close())

const WHICH = 'import sys\ndef handler(input):\n  return [sys.executable, "python%d.%d" % sys.version_info[:2]]'

test('a skill runs on the Python that its version names: each one of this machine', async () => {
  const pythons = sandboxes.places.files.runtimes.all.filter(({ name }) => name.startsWith('python'))
  expect(pythons.length).toBeGreaterThan(0)
  for (const { name, path } of pythons) {
    const session = await sandboxes.python(WHICH, { runtime: name })
    expect((await invoke(session, {})).output).toEqual([path, name])
    await session.kill()
  }
})

test('a version that names no minor version runs on the default Python', async () => {
  const session = await sandboxes.python(WHICH, { runtime: 'python3' })
  const { name, path } = sandboxes.places.files.runtimes.find('python3')!
  expect((await invoke(session, {})).output).toEqual([path, name])
})

test("a package's scripts run on it too", async () => {
  const session = await sandboxes.scripts({ 'which.py': 'import sys\nprint(sys.executable)' })
  const { output } = await invoke(session, { script: 'which.py' })
  expect(output).toMatchObject({ stdout: `${sandboxes.places.files.python}\n` })
})

test.each(['python3.99', 'node18'])('what was built for %s is not run on anything else', async (runtime) => {
  await expect(sandboxes.python(WHICH, { runtime })).rejects.toMatchObject({
    message: expect.stringMatching(`built for ${runtime}, which this machine does not have. It has python3`),
    fix: expect.stringContaining('Upload the package again and deploy it'),
  })
})

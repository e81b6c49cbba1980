import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Page } from '../../src/model/page.ts'
import type { Deployment, Skill, Stage, Upload, Version } from '../../src/model/skills.ts'
import { type Files, type Problem, TestServer, python } from './harness.ts'

let server: TestServer
beforeAll(async () => {
  server = await TestServer.start()
})
afterAll(() => server.stop())

const stageOf = (skill: string): Promise<Stage> => server.ok<Stage>('GET', `/api/skills/${skill}/stages/dev`)

describe('a Python package without skill.yaml', () => {
  const main = `"""Bills."""
from typing import Literal, NotRequired, TypedDict


class Input(TypedDict):
    net: float
    country: Literal["DE", "AT"]
    note: NotRequired[str]


class Bill(TypedDict):
    gross: float


def handler(input: Input) -> Bill:
    """Adds the value-added tax of a country to a net price."""
    return {"gross": round(input["net"] * {"DE": 1.19, "AT": 1.2}[input["country"]], 2)}
`

  test('gets its interface from docstring and type hints, and is held to it', async () => {
    await server.deploy('vat', { 'main.py': main })
    const deployment = await server.ok<Deployment>('GET', '/api/skills/vat/stages/dev/deployment')
    expect(deployment.input_schema).toMatchObject({
      type: 'object',
      properties: { net: { type: 'number' }, country: { enum: ['DE', 'AT'] }, note: { type: 'string' } },
      required: ['net', 'country'],
    })
    expect(deployment.output_schema).toMatchObject({ properties: { gross: { type: 'number' } }, required: ['gross'] })
    expect((await server.ok<Skill>('GET', '/api/skills/vat')).description).not.toBe('')
    expect((await server.run('vat', { net: 100, country: 'AT' })).output).toEqual({ gross: 120 })
    const wrong = await server.call<Problem>('POST', '/api/skills/vat/stages/dev/invoke', {
      input: { net: 1, country: 'FR' },
    })
    expect([wrong.status, wrong.body.errors?.map(({ pointer }) => pointer)]).toEqual([400, ['/country']])
  })
})

describe('the lifecycle hooks of a TypeScript package', () => {
  const files: Files = {
    'spm.yaml': `spm: "1.0"
namespace: test
name: weather
version: 2.1.0
description: Tells the weather of a city.
entry: ./dist/index.js
runtime: node
input:
  type: object
  properties:
    city: { type: string }
    units: { type: string, enum: [celsius, fahrenheit] }
  required: [city]
output:
  type: object
  properties: { temp: { type: number } }
  required: [temp]
`,
    'index.ts': `import { SkillContext, SkillExecuteResult } from 'skillet/types'

interface WeatherInput {
  city: string
  units?: 'celsius' | 'fahrenheit'
}

export async function validate(params: WeatherInput, context: SkillContext): Promise<boolean> {
  if (params.city.trim().length === 0) throw new Error('The city cannot be empty.')
  return true
}

export async function execute(params: WeatherInput, context: SkillContext): Promise<{ temp: number }> {
  const key = context.env.WEATHER_KEY
  if (!key) throw new Error('WEATHER_KEY is missing.')
  context.log('asking for', params.city, 'as', context.run.version)
  const response = await fetch('https://weather.invalid/v1?q=' + encodeURIComponent(params.city) + '&key=' + key)
  return { temp: (await response.json()).temp }
}
`,
  }

  test('validate refuses, env is what the stage declares, and there is no network', async () => {
    await server.deploy('weather', files)
    expect(await server.run('weather', { city: ' ' })).toMatchObject({
      reason: 'validation_error',
      error: { message: 'The city cannot be empty.' },
    })
    expect(await server.run('weather', { city: 'Oslo' })).toMatchObject({
      reason: 'runtime_error',
      error: { message: 'WEATHER_KEY is missing.' },
    })
    await server.ok('PUT', '/api/skills/weather/stages/dev', { config: { env: { WEATHER_KEY: 'k' } } })
    // Configuration is frozen: nothing changes before the next deploy.
    expect((await server.run('weather', { city: 'Oslo' })).error?.message).toBe('WEATHER_KEY is missing.')
    await server.ok('POST', '/api/skills/weather/stages/dev/deploy', { change_level: 'patch' })
    const run = await server.run('weather', { city: 'Oslo' })
    expect(run).toMatchObject({ reason: 'runtime_error', error: { message: 'fetch failed' } })
    expect(await server.ok('GET', `/api/runs/${run.id}/logs`)).toMatchObject({
      items: [{ stream: 'stdout', text: 'asking for Oslo as 2.1.0' }],
    })
  })
})

describe('an Agent Skills folder', () => {
  test('answers with its body and files, without a sandbox', async () => {
    await server.deploy('haiku', {
      'SKILL.md':
        '---\nname: haiku\ndescription: Writes haiku. Use it when asked for a short poem.\n---\n# Haiku\n\nCount 5, 7, 5.\n',
      'references/season-words.md': '# Season words\n',
    })
    const run = await server.run('haiku', {})
    expect(run).toMatchObject({
      status: 'succeeded',
      session: null,
      output: { name: 'haiku', body: '# Haiku\n\nCount 5, 7, 5.\n', directory: '/skill' },
    })
    const { files } = run.output as { files: { path: string }[] }
    expect(files.map(({ path }) => path)).toEqual(['SKILL.md', 'references/season-words.md'])
  })

  test('runs its scripts with arguments and standard input, and only its scripts', async () => {
    await server.deploy('count', {
      'SKILL.md': '---\nname: count\ndescription: Counts words. Use it for texts.\n---\nRun scripts/count.py.\n',
      'scripts/count.py':
        'import json, sys\nprint("counting")\nprint(json.dumps({"words": len(sys.stdin.read().split()), "args": sys.argv[1:]}))\n',
      'scripts/fail.sh': 'echo broken >&2\nexit 3\n',
    })
    expect(
      (await server.run('count', { script: 'scripts/count.py', args: ['-v'], stdin: 'one two three' })).output,
    ).toMatchObject({
      exit_code: 0,
      value: { words: 3, args: ['-v'] },
    })
    expect((await server.run('count', { script: 'scripts/fail.sh' })).output).toMatchObject({
      exit_code: 3,
      stderr: 'broken\n',
    })
    expect(await server.run('count', { script: '../../bin/ls' })).toMatchObject({ status: 'failed' })
    expect((await server.call('POST', '/api/skills/count/stages/dev/invoke', { input: { args: ['x'] } })).status).toBe(
      400,
    )
  })
})

describe('validation', () => {
  test('a rejected package tells everything at once, and what was served is served on', async () => {
    await server.deploy('steady', python('steady', 'def handler(input: dict) -> dict:\n    return {"v": 1}\n'))
    const upload = await server.upload('steady', 'dev', {
      ...python('steady', 'import marshal\n\ndef handle(input):\n    return marshal.loads(input["x"])\n'),
      'broken.py': 'def f(:\n',
      'key.txt': `-----BEGIN ${'PRIVATE'} KEY-----\n${'MIIEvQIBADANBgkq'.repeat(4)}\n`,
    })
    expect(upload.state).toBe('rejected')
    const denied = upload.findings.filter(({ severity }) => severity === 'deny')
    expect(new Set(denied.map(({ file }) => file))).toEqual(new Set(['main.py', 'broken.py', 'key.txt']))
    for (const { message, fix, rule } of denied)
      expect([message, fix, rule].every((text) => text.length > 3)).toBe(true)
    expect(denied.find(({ file }) => file === 'broken.py')?.line).toBe(1)
    expect((await stageOf('steady')).state).toBe('validation_failed')
    expect((await server.run('steady', {})).output).toEqual({ v: 1 })
    const deploy = await server.call<Problem>('POST', '/api/skills/steady/stages/dev/deploy', {
      bump: 'patch',
      change_level: 'major',
    })
    expect([deploy.status, deploy.body.code]).toEqual([409, 'stage_not_ready'])
  })

  test('the same files again are the same digest and the same version, whatever their order', async () => {
    const files = python('twice', 'def handler(input: dict) -> dict:\n    return {}\n', {
      files: { 'a.txt': 'a', 'b.txt': 'b' },
    })
    const first = await server.upload('twice', 'dev', files)
    await server.ok('POST', '/api/skills/twice/stages/dev/deploy', { bump: 'minor', change_level: 'patch' })
    const again: Upload = await server.upload('twice', 'dev', Object.fromEntries(Object.entries(files).toReversed()))
    expect(again).toMatchObject({ state: 'accepted', digest: first.digest })
    await server.ok('POST', '/api/skills/twice/stages/dev/deploy', { change_level: 'patch' })
    const versions = await server.ok<Page<Version>>('GET', '/api/skills/twice/versions')
    expect(versions.items.map(({ digest }) => digest)).toEqual([first.digest])
  })
})

const version = (n: number): Files => python('moves', `def handler(input: dict) -> dict:\n    return {"v": ${n}}\n`)
const answers = async (stage: string): Promise<unknown> => (await server.run('moves', {}, stage)).output

describe('stages', () => {
  test('promote serves the same package elsewhere, roll back the one before', async () => {
    await server.deploy('moves', version(1))
    await server.deploy('moves', version(2))
    await server.ok('POST', '/api/skills/moves/stages/dev/promote', { to: 'prod' })
    await server.deploy('moves', version(3))
    expect([await answers('dev'), await answers('prod')]).toEqual([{ v: 3 }, { v: 2 }])
    await server.ok('POST', '/api/skills/moves/stages/dev/rollback', {})
    expect([await answers('dev'), await answers('prod')]).toEqual([{ v: 2 }, { v: 2 }])
  })
})

describe('isolation of runs', () => {
  const main = `import os
seen = []


def handler(input: dict) -> dict:
    seen.append(1)
    before = os.path.exists("/tmp/mark")
    open("/tmp/mark", "w").close()
    return {"seen": len(seen), "before": before, "env": sorted(os.environ)}
`

  test.each(['session', 'fresh'])(
    '%s: a run sees nothing of the one before, and only its own environment',
    async (isolation) => {
      const name = `mark-${isolation}`
      await server.deploy(name, python(name, main), { isolation, env: { MODE: 'test' } })
      const runs = [await server.run(name, {}), await server.run(name, {}), await server.run(name, {})]
      for (const { output } of runs) {
        expect(output).toMatchObject({ seen: 1, before: false })
        const { env } = output as { env: string[] }
        expect(env).toContain('MODE')
        expect(env.filter((key) => /SKILLET|AWS|NODE|npm|KEY|TOKEN/i.test(key))).toEqual([])
      }
      expect(new Set(runs.map(({ session }) => session)).size).toBe(isolation === 'fresh' ? 3 : 1)
    },
  )
})

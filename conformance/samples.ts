import { type Files, type TestServer, python } from '../tests/e2e/harness.ts'

/** What the scenarios call and read, by the names that they call it by: an underscore of theirs is a hyphen of ours. */
export async function deploySamples(server: TestServer): Promise<void> {
  await Promise.all(SAMPLES.map(([name, files, config]) => server.deploy(name, files, config, 'prod')))
}

/** Runs in a queue of long runs: such tools answer with tasks. */
const LONG = { size: 'L' }

const FIELDS = { name: { type: 'string' }, seconds: { type: 'number' }, label: { type: 'string' } }
const input = { type: 'object', properties: FIELDS }
const skill = (name: string, main: string, schema: object = input): Files => python(name, main, { input: schema })

const GUIDE: Files = {
  'SKILL.md': `---
name: release-notes
description: Writes release notes. Use it when a release is cut.
license: Apache-2.0
metadata:
  team: docs
---
# Release notes

Read references/style.md first.
`,
  'references/style.md': '# Style\n\nShort and plain.\n',
  'references/examples/good.md': 'Fixed: the door closes again.\n',
  'assets/logo.png': Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0xff, 0xfe]),
}

const SECOND: Files = {
  'SKILL.md':
    '---\nname: commit-messages\ndescription: Writes messages of commits. Use it before a commit.\n---\nSay why.\n',
  'references/why.md': 'Because.\n',
}

const SAMPLES: readonly (readonly [string, Files, object])[] = [
  ['release-notes', GUIDE, {}],
  ['commit-messages', SECOND, {}],
  [
    'test-simple-text',
    skill('test-simple-text', 'def handler(input):\n    return "This is a simple text response for testing."\n'),
    {},
  ],
  [
    'test-error-handling',
    skill(
      'test-error-handling',
      'def handler(input):\n    raise ValueError("This tool intentionally returns an error for testing")\n',
    ),
    {},
  ],
  [
    'test-tool-with-progress',
    skill(
      'test-tool-with-progress',
      `import time

def handler(input):
    for percent in (0, 50, 100):
        print(percent, flush=True)
        time.sleep(0.1)
    return "done"
`,
    ),
    {},
  ],
  [
    'test-logging-tool',
    skill('test-logging-tool', 'def handler(input):\n    print("a line")\n    return "done"\n'),
    {},
  ],
  [
    'test-streaming-elicitation',
    skill('test-streaming-elicitation', 'def handler(input):\n    print("a line")\n    return "done"\n'),
    {},
  ],
  [
    'with-header',
    skill('with-header', 'def handler(input):\n    return input["region"]\n', {
      type: 'object',
      properties: { region: { type: 'string', 'x-mcp-header': 'Region' } },
      required: ['region'],
    }),
    {},
  ],
  ['greet', skill('greet', 'def handler(input):\n    return f"Hello, {input[\'name\']}!"\n'), {}],
  [
    'slow-compute',
    skill(
      'slow-compute',
      'import time\n\ndef handler(input):\n    time.sleep(input["seconds"])\n    return {"slept": input["seconds"]}\n',
    ),
    LONG,
  ],
  [
    'failing-job',
    skill(
      'failing-job',
      'import time\n\ndef handler(input):\n    time.sleep(1)\n    raise ValueError("it always fails")\n',
    ),
    LONG,
  ],
  ['confirm-delete', skill('confirm-delete', 'def handler(input):\n    return "deleted"\n'), LONG],
  [
    'protocol-error-job',
    // Ends before it has answered.
    skill('protocol-error-job', 'import os\n\ndef handler(input):\n    os.kill(os.getpid(), 9)\n'),
    LONG,
  ],
]

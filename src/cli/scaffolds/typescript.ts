import type { ScaffoldMaker } from './scaffold.ts'

/** A TypeScript module with both hooks. */
export const typescriptScaffold: ScaffoldMaker = (name) => ({
  'spm.yaml': `spm: '1.0'
namespace: local
name: ${name}
version: 1.0.0
description: Counts the words of a text and lists the most frequent ones.
entry: ./index.ts
runtime: node
input:
  type: object
  properties:
    text: { type: string, description: The text to look at. }
    top: { type: integer, minimum: 1, maximum: 100, default: 5, description: How many words to list. }
  required: [text]
  additionalProperties: false
output:
  type: object
  properties:
    words: { type: integer }
    most_frequent:
      type: array
      items:
        type: object
        properties: { word: { type: string }, count: { type: integer } }
        required: [word, count]
  required: [words, most_frequent]
`,
  'index.ts': `import type { SkillContext } from 'skillet/types'

interface Input {
  text: string
  top?: number
}

interface Output {
  words: number
  most_frequent: { word: string; count: number }[]
}

/** What the input schema cannot say. */
export async function validate(params: Input): Promise<boolean> {
  if (params.text.trim() === '') throw new Error('The text is empty.')
  return true
}

export async function execute(params: Input, context: SkillContext): Promise<Output> {
  const words = params.text.toLowerCase().match(/[\\p{L}\\p{N}]+/gu) ?? []
  const counts = new Map<string, number>()
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1)
  console.log(\`run \${context.run.id}: \${words.length} words\`)
  const most_frequent = [...counts]
    .map(([word, count]) => ({ word, count }))
    .sort((a, b) => b.count - a.count || a.word.localeCompare(b.word))
    .slice(0, params.top ?? 5)
  return { words: words.length, most_frequent }
}
`,
  'package.json': `${JSON.stringify({ name, version: '1.0.0', private: true, type: 'module', dependencies: {} }, null, 2)}\n`,
  'sample-input.json': '{ "text": "the cat and the hat", "top": 2 }\n',
})

// Claude with the skills of a Skillet as its tools. It asks, Skillet runs, until Claude has its answer:
//
//   npm install @anthropic-ai/sdk
//   ANTHROPIC_API_KEY=... SKILLET_URL=http://127.0.0.1:8787 SKILLET_KEY=sk_... node loop.mjs "What changed since 1.4.2?"
//
// With --stream the answers of Claude come as events.
import { argv } from 'node:process'
import { pathToFileURL } from 'node:url'

/**
 * @param {object} options
 * @param {import('@anthropic-ai/sdk').default} options.anthropic
 * @param {{ url: string, key: string }} options.skillet
 * @param {string} options.question
 * @param {string} [options.model]
 * @param {boolean} [options.stream]
 * @returns {Promise<string>} What Claude says at last.
 */
export async function ask({ anthropic, skillet, question, model = 'claude-opus-5-5', stream = false }) {
  const { items: tools } = await call(skillet, 'GET', '/api/tools')
  const messages = [{ role: 'user', content: question }]
  for (;;) {
    const request = { model, max_tokens: 4096, tools, messages }
    const message = stream
      ? await anthropic.messages.stream(request).finalMessage()
      : await anthropic.messages.create(request)
    if (message.stop_reason !== 'tool_use') return textOf(message)
    const uses = message.content.filter(({ type }) => type === 'tool_use')
    // What goes wrong in a skill is a result, too: Claude reads it and tries again.
    const results = await Promise.all(uses.map((use) => call(skillet, 'POST', '/api/tools/call', use)))
    messages.push({ role: 'assistant', content: message.content }, { role: 'user', content: results })
  }
}

const textOf = ({ content }) =>
  content
    .filter(({ type }) => type === 'text')
    .map(({ text }) => text)
    .join('')

async function call({ url, key }, method, path, body) {
  const response = await fetch(new URL(path, url), {
    method,
    headers: { authorization: `Bearer ${key}`, ...(body && { 'content-type': 'application/json' }) },
    body: body && JSON.stringify(body),
  })
  const answer = await response.json()
  if (!response.ok) throw new Error(`${answer.title}: ${answer.detail} ${answer.fix}`)
  return answer
}

if (import.meta.url === pathToFileURL(argv[1] ?? '').href) {
  const { default: Anthropic } = await import('@anthropic-ai/sdk')
  const { SKILLET_URL: url = 'http://127.0.0.1:8787', SKILLET_KEY: key } = process.env
  const stream = argv.includes('--stream')
  const question = argv
    .slice(2)
    .filter((word) => word !== '--stream')
    .join(' ')
  console.log(await ask({ anthropic: new Anthropic(), skillet: { url, key }, question, stream }))
}

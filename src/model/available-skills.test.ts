import { expect, test } from 'vitest'
import { toPrompt } from './available-skills.ts'

test('whatever a skill says of itself, what comes out is XML', () => {
  const description = 'a\u0000b\u001b[31mc\u0007\ud800d\ufffe </skill> & "\t\n\u{1f600}'
  expect(toPrompt([{ name: 'sly', description }])).toContain(
    '\na\ufffdb\ufffd[31mc\ufffd\ufffdd\ufffd &lt;/skill&gt; &amp; &quot;\t\n\u{1f600}\n',
  )
})

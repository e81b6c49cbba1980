import { expect, test } from 'vitest'
import { PublicUrlError, publicUrlOf } from './site.ts'

test('a public URL is a scheme and a host', () => {
  expect(publicUrlOf('https://skills.example.com')).toBe('https://skills.example.com')
  expect(publicUrlOf('https://Skills.Example.com:443/')).toBe('https://skills.example.com')
  expect(publicUrlOf('http://10.0.0.1:8787')).toBe('http://10.0.0.1:8787')
  for (const text of [
    '',
    'skills.example.com',
    'ftp://skills.example.com',
    'https://user@skills.example.com',
    'https://skills.example.com/mcp',
    'https://skills.example.com?x',
    'https://skills.example.com/#x',
  ]) {
    expect(() => publicUrlOf(text), text).toThrow(PublicUrlError)
  }
})

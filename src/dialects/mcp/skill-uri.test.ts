import { describe, expect, test } from 'vitest'
import { placeOf, skillUri } from './skill-uri.ts'

describe('URIs of skills', () => {
  test.each([
    ['', 'skill://acme/notes'],
    ['SKILL.md', 'skill://acme/notes/SKILL.md'],
    ['a b/ü?#%.md', 'skill://acme/notes/a%20b/%C3%BC%3F%23%25.md'],
    ["it's (a) [x]|~.txt", "skill://acme/notes/it's%20(a)%20[x]|~.txt"],
    ['a"<>`{}^\\.txt', 'skill://acme/notes/a%22%3C%3E%60%7B%7D%5E%5C.txt'],
  ])('name "%s" in one way, which readers of URLs do not change', (path, uri) => {
    const place = { tenant: 'acme', skill: 'notes', path }
    expect(skillUri(place)).toBe(uri)
    expect(new URL(uri).href).toBe(uri)
    expect(placeOf(uri)).toEqual(place)
  })

  test.each([
    'skill://acme',
    'skill://acme/',
    'skill://acme//SKILL.md',
    'skill://acme/notes/',
    'skill://acme/notes//SKILL.md',
    'skill://acme/../notes/SKILL.md',
    'skill://acme/notes/..%2F..%2Fother/SKILL.md',
    'skill://acme/notes/a%2Fb',
    'skill://acme/notes/%2E%2E/x',
    'skill://acme/notes/%53KILL.md',
    'skill://acme/notes/%e4%b8',
    'skill://acme/notes/SKILL.md?x',
    'skill://acme/notes/SKILL.md#x',
    'skill://user@acme/notes/SKILL.md',
    'skill://acme:80/notes/SKILL.md',
    'SKILL://acme/notes/SKILL.md',
    'file:///etc/passwd',
    'skill://acme/__proto__/SKILL.md',
    '',
  ])('are not guessed: %s', (uri) => {
    expect(placeOf(uri)).toBeNull()
  })
})

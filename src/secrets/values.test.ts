import { expect, test } from 'vitest'
import { confidentialParts, connectionOf } from './values.ts'

const parts = (url: string) => {
  const { protocol, host, port, username, password, path } = connectionOf(url)
  return [protocol, host, port, username, password, path]
}

test.each([
  ['postgres://u:p@db:5432/orders', ['postgres', 'db', 5432, 'u', 'p', 'orders']],
  ['https://API.Example.org', ['https', 'api.example.org', null, null, null, '']],
  ['https://example.org:443/a/b?c=d', ['https', 'example.org', null, null, null, 'a/b']],
  ['redis://:p%3Aq@10.0.0.1/0', ['redis', '10.0.0.1', null, null, 'p:q', '0']],
  ['mysql://u@[2001:db8::1]:3306/a%20b', ['mysql', '2001:db8::1', 3306, 'u', null, 'a b']],
  ['amqp://u:%C3%A9@mq.internal./vhost', ['amqp', 'mq.internal.', null, 'u', 'é', 'vhost']],
])('%s is taken apart', (url, expected) => {
  expect(parts(url)).toEqual(expected)
})

test('what follows the "?" is there by name', () => {
  const { params } = connectionOf('postgres://db/x?sslmode=require&application_name=a%20b+c&sslmode=disable')
  expect(params).toEqual({ sslmode: 'disable', application_name: 'a b c' })
  expect(connectionOf('postgres://db/x').params).toEqual({})
})

test('the password is confidential in every way in which it is written', () => {
  const url = 'postgres://u:pä@ss@db/x'
  const found = confidentialParts(url, connectionOf(url))
  expect(found).toEqual([url, 'pä@ss', 'p%C3%A4%40ss'])
  expect(confidentialParts('plain', null)).toEqual(['plain'])
  expect(confidentialParts('https://host/x', connectionOf('https://host/x'))).toEqual(['https://host/x'])
})

import { expect, test } from 'vitest'
import { hostsOn } from './file-hosts.ts'

test('an index names the hosts of its files, and what a package links to opens no address and no other port', () => {
  const page = new URL('https://index.example.org:8443/simple/left-pad/')
  const html = `
    <a href="https://files.example.org/a.whl">a</a> <a href="../../files/b.whl">b</a>
    <a href="https://169.254.169.254/latest">c</a> <a href="https://169.254.169.254:80/latest">d</a>
    <a href="https://[fd00::1]/">e</a> <a href="https://0x7f000001/">f</a> <a href="https://localhost/">g</a>
    <a href="https://internal.example.org:5432/">h</a> <a href="http://plain.example.org/">i</a>`
  expect(hostsOn(page, html)).toEqual([
    { name: 'files.example.org', wildcard: false, ports: [443] },
    { name: 'index.example.org', wildcard: false, ports: [8443] },
  ])
  const json = '{"files": [{"url": "https://more.example.org/a.whl"}, {"url": "https://10.0.0.1/a.whl"}]}'
  expect(hostsOn(page, json)).toEqual([{ name: 'more.example.org', wildcard: false, ports: [443] }])
})

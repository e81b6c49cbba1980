import { createServer } from 'node:https'
import { expect, test } from 'vitest'
import { issueCertificate } from '../../net/fixtures/certificate.ts'
import { listen } from '../../net/fixtures/listen.ts'
import { createFileHosts, hostsOn } from './file-hosts.ts'

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

test('what a page of a package says counts for that package alone, and for an hour', async () => {
  const { key, cert, authority } = await issueCertificate('localhost')
  const asked: string[] = []
  let files = 'first'
  const index = createServer({ key, cert }, (request, response) => {
    asked.push(request.url!)
    if (request.url!.includes('missing')) response.statusCode = 404
    response.end(request.url!.includes('nothing') ? '' : `<a href="https://${files}.example.org/a.whl">a</a>`)
  })
  await using server = await listen(index)
  const noProxy = process.env['NO_PROXY']
  process.env['NO_PROXY'] = 'localhost'
  try {
    let time = 0
    const fileHosts = createFileHosts({ now: () => time, ca: [authority] })
    const ask = async (...names: string[]): Promise<string[]> =>
      (await fileHosts(new URL(`https://localhost:${server.port}/simple`), names)).map(({ name }) => name)
    expect(await ask('missing', 'nothing', 'Six', 'other')).toEqual(['first.example.org'])
    expect(asked).toEqual(['/simple/missing/', '/simple/nothing/', '/simple/six/'])
    files = 'evil'
    expect(await ask('evil-package')).toEqual(['evil.example.org'])
    expect(await ask('six')).toEqual(['first.example.org'])
    files = 'second'
    time = 3_600_001
    expect(await ask('six')).toEqual(['second.example.org'])
    expect(await ask('missing')).toEqual([])
  } finally {
    if (noProxy === undefined) delete process.env['NO_PROXY']
    else process.env['NO_PROXY'] = noProxy
  }
})

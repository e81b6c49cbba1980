import { expect, test } from 'vitest'
import { createAddressPolicy } from './policy.ts'
import { TargetRefused, parseTarget } from './target.ts'

const own = (): { address: string; port: number } => ({ address: '0.0.0.0', port: 8787 })
const internet = createAddressPolicy({ own })

const FORM = /^It is no URL that begins with/
const UNREADABLE = /cannot be read/
const ADDRESS = /^Its address is not on the public internet/
const INSIDE = /inside a network/
const NAME = /no name of the DNS/

// The SSRF table: what a tenant may write, and why it is refused before anything is resolved.
test.each<[url: string, why: RegExp]>([
  // forms
  ['', FORM],
  ['hooks.example.com/x', FORM],
  ['//hooks.example.com/x', FORM],
  ['ftp://hooks.example.com/', FORM],
  ['file:///etc/passwd', FORM],
  ['gopher://hooks.example.com/_x', FORM],
  ['javascript:alert(1)', FORM],
  ['data:text/plain,x', FORM],
  ['wss://hooks.example.com/', FORM],
  ['https:hooks.example.com', FORM],
  ['https:/hooks.example.com', FORM],
  [' https://hooks.example.com/', FORM],
  ['https://hooks.example.com/ x', FORM],
  ['https://hooks.example.com\r\nHost: 10.0.0.1', FORM],
  ['ht\ntps://hooks.example.com/', FORM],
  ['https://127.0.0.\t1/', FORM],
  ['https://hooks.example.com\\@10.0.0.1/', FORM],
  ['https:\\\\hooks.example.com/', FORM],
  ['https://', FORM],
  ['https://hooks.example.com\u00a0/', FORM],
  ['https://hooks.example.com\u0000.evil.example/', FORM],
  ['http://hooks.example.com/', /^It is not https/],
  ['HTTP://hooks.example.com/', /^It is not https/],
  ['http://8.8.8.8/', /^It is not https/],
  ['https://user@hooks.example.com/', /user name or password/],
  ['https://user:password@hooks.example.com/', /user name or password/],
  ['https://8.8.8.8@127.0.0.1/', /user name or password/],
  ['https://@hooks.example.com/', /user name or password/],
  ['https://hooks.example.com/#x', /fragment/],
  ['https://hooks.example.com/#', /fragment/],
  ['https://hooks.example.com:0/', /port 0/],
  ['https://hooks.example.com:65536/', UNREADABLE],
  ['https://hooks.example.com:https/', UNREADABLE],
  ['https://hooks.example.com:-1/', UNREADABLE],
  // IPv4, however it is written
  ['https://127.0.0.1/', ADDRESS],
  ['https://127.0.0.1./', ADDRESS],
  ['https://127.1/', ADDRESS],
  ['https://127.0.1/', ADDRESS],
  ['https://2130706433/', ADDRESS],
  ['https://0x7f000001/', ADDRESS],
  ['https://0X7F.1/', ADDRESS],
  ['https://017700000001/', ADDRESS],
  ['https://0177.0.0.1/', ADDRESS],
  ['https://0177.0x0.0.01/', ADDRESS],
  ['https://%31%32%37.0.0.1/', ADDRESS],
  ['https://127%2e0%2e0%2e1/', ADDRESS],
  ['https://１２７.０.０.１/', ADDRESS],
  ['https://127。0。0。1/', ADDRESS],
  ['https://①②⑦.⓪.⓪.①/', ADDRESS],
  ['https://0/', ADDRESS],
  ['https://0.0.0.0/', ADDRESS],
  ['https://10.1.2.3/', ADDRESS],
  ['https://167838211/', ADDRESS],
  ['https://172.31.255.255/', ADDRESS],
  ['https://192.168.0.1/', ADDRESS],
  ['https://100.64.0.1/', ADDRESS],
  ['https://169.254.169.254/latest/meta-data/', ADDRESS],
  ['https://0xa9fea9fe/', ADDRESS],
  ['https://2852039166/', ADDRESS],
  ['https://0251.0376.0251.0376/', ADDRESS],
  ['https://100.100.100.200/', ADDRESS],
  ['https://168.63.129.16/', ADDRESS],
  ['https://192.0.2.1/', ADDRESS],
  ['https://198.18.0.1/', ADDRESS],
  ['https://224.0.0.1/', ADDRESS],
  ['https://255.255.255.255/', ADDRESS],
  ['https://256.1.1.1/', UNREADABLE],
  ['https://1.2.3.4.5/', UNREADABLE],
  ['https://4294967296/', UNREADABLE],
  ['https://0x7f.0.0.0x100/', UNREADABLE],
  ['https://hooks.example.1/', UNREADABLE],
  // IPv6
  ['https://[::1]/', ADDRESS],
  ['https://[0:0:0:0:0:0:0:1]/', ADDRESS],
  ['https://[::]/', ADDRESS],
  ['https://[::ffff:127.0.0.1]/', ADDRESS],
  ['https://[::ffff:7f00:1]/', ADDRESS],
  ['https://[::ffff:8.8.8.8]/', ADDRESS],
  ['https://[::127.0.0.1]/', ADDRESS],
  ['https://[::ffff:0:127.0.0.1]/', ADDRESS],
  ['https://[64:ff9b::10.0.0.1]/', ADDRESS],
  ['https://[64:ff9b:1::a00:1]/', ADDRESS],
  ['https://[2002:7f00:1::]/', ADDRESS],
  ['https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/', ADDRESS],
  ['https://[2001:db8::1]/', ADDRESS],
  ['https://[fe80::1]/', ADDRESS],
  ['https://[fc00::1]/', ADDRESS],
  ['https://[fd00:ec2::254]/', ADDRESS],
  ['https://[fec0::1]/', ADDRESS],
  ['https://[ff02::1]/', ADDRESS],
  ['https://[fe80::1%25eth0]/', UNREADABLE],
  ['https://[fe80::1%eth0]/', UNREADABLE],
  ['https://[2606:4700::1111%251]/', UNREADABLE],
  ['https://[::1/', UNREADABLE],
  ['https://[127.0.0.1]/', UNREADABLE],
  ['https://::1/', UNREADABLE],
  // names
  ['https://localhost/', INSIDE],
  ['https://LOCALHOST/', INSIDE],
  ['https://localhost./', INSIDE],
  ['https://ｌｏｃａｌｈｏｓｔ/', INSIDE],
  ['https://loc%61lhost/', INSIDE],
  ['https://hooks.localhost/', INSIDE],
  ['https://printer.local/', INSIDE],
  ['https://metadata.google.internal/', INSIDE],
  ['https://intranet/', INSIDE],
  ['https://router.lan/', INSIDE],
  ['https://nas.home.arpa/', INSIDE],
  ['https://1.0.0.127.in-addr.arpa/', INSIDE],
  ['https://hooks..example.com/', NAME],
  ['https://.example.com/', NAME],
  ['https://hooks.example.com../', NAME],
  ['https://-hooks.example.com/', NAME],
  ['https://hooks!.example.com/', NAME],
  ["https://a'b.example.com/", NAME],
  [`https://${'a'.repeat(64)}.example.com/`, NAME],
  [`https://${'a.'.repeat(127)}example.com/`, NAME],
  ['https://hooks%00.example.com/', UNREADABLE],
  ['https://hooks%2fexample.com/', UNREADABLE],
  ['https://hooks<>.example.com/', UNREADABLE],
])('%j is refused', (url, why) => {
  const refusal = thrownBy(() => parseTarget(url, internet))
  expect(refusal).toBeInstanceOf(TargetRefused)
  expect((refusal as Error).message).toMatch(why)
})

test.each<[url: string, target: { host: string; port?: number; path?: string; authority?: string }]>([
  ['https://hooks.example.com', { host: 'hooks.example.com', path: '/' }],
  ['https://hooks.example.com/a/b?c=d&e', { host: 'hooks.example.com', path: '/a/b?c=d&e' }],
  ['HTTPS://Hooks.Example.COM/A', { host: 'hooks.example.com', path: '/A' }],
  ['https://hooks.example.com:443/', { host: 'hooks.example.com' }],
  ['https://hooks.example.com:8443/', { host: 'hooks.example.com', port: 8443, authority: 'hooks.example.com:8443' }],
  ['https://hooks.example.com./', { host: 'hooks.example.com' }],
  ['https://my_hooks.example.com/', { host: 'my_hooks.example.com' }],
  ['https://bücher.example/', { host: 'xn--bcher-kva.example' }],
  ['https://xn--bcher-kva.example/', { host: 'xn--bcher-kva.example' }],
  ['https://hooks.example.com/@10.0.0.1', { host: 'hooks.example.com', path: '/@10.0.0.1' }],
  ['https://hooks.example.com?u=https://10.0.0.1', { host: 'hooks.example.com', path: '/?u=https://10.0.0.1' }],
  ['https://127.0.0.1.example.com/', { host: '127.0.0.1.example.com' }],
  ['https://8.8.8.8/', { host: '8.8.8.8' }],
  ['https://134744072/', { host: '8.8.8.8' }],
  ['https://8.8.8.8:8787/', { host: '8.8.8.8', port: 8787, authority: '8.8.8.8:8787' }],
  ['https://[2606:4700:4700::1111]/', { host: '2606:4700:4700::1111', authority: '[2606:4700:4700::1111]' }],
  [
    'https://[2606:4700:4700::1111]:8443/',
    { host: '2606:4700:4700::1111', port: 8443, authority: '[2606:4700:4700::1111]:8443' },
  ],
])('%j may be talked to', (url, { host, port = 443, path = '/', authority = host }) => {
  expect(parseTarget(url, internet)).toEqual({ host, port, path, authority, secure: true })
})

// Of an operator who opened 10.0.0.0/8: what that opens, and what not.
test.each<[url: string, why: RegExp | null]>([
  ['https://10.0.0.5/', null],
  ['http://10.0.0.5:8080/', null],
  ['http://167772165/', null],
  ['http://hooks.corp.internal/', null],
  ['http://localhost:3000/', null],
  ['https://8.8.8.8/', null],
  ['http://8.8.8.8/', /in no network that the operator opened/],
  ['https://192.168.0.1/', ADDRESS],
  ['http://127.0.0.1/', /in no network that the operator opened/],
  ['http://[::ffff:10.0.0.5]/', /in no network that the operator opened/],
  ['http://10.0.0.5:8787/', null],
])('with a network opened: %j', (url, why) => {
  const opened = createAddressPolicy({ networks: ['10.0.0.0/8'], own })
  if (why === null) expect(parseTarget(url, opened).host).not.toBe('')
  else expect(() => parseTarget(url, opened)).toThrow(why)
})

function thrownBy(act: () => unknown): unknown {
  try {
    return act()
  } catch (error) {
    return error
  }
}

// A receiver of webhooks in a process of its own: says its URL, then on `count` how many came and when the first and the last did.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

let count = 0
let first = 0
let last = 0

const server = createServer((request, response) => {
  request.resume()
  request.on('end', () => {
    last = performance.now()
    if (count++ === 0) first = last
    response.writeHead(204).end()
  })
})
server.listen(0, '127.0.0.1', () => {
  process.send!({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` })
})
process.on('message', (asked) => {
  if (asked === 'count') process.send!({ count, ms: last - first })
  if (asked === 'reset') {
    count = 0
    process.send!({})
  }
})
process.on('disconnect', () => process.exit())

// Who follows, in a process of its own: opens the streams that it is told to, and on `report` says how long each event took to each of them.
import { type Socket, connect } from 'node:net'

const [, , address, key, wanted] = process.argv as [string, string, string, string, string]
const { port, hostname } = new URL(address)
/** Connections that are made at once. */
const AT_ONCE = 100

let late: number[] = []

function open(): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>()
  const socket = connect(Number(port), hostname)
  socket.on('error', reject)
  socket.on('close', () => reject(new Error('The server has hung up.')))
  socket.setEncoding('latin1')
  socket.once('data', () => {
    resolve(socket)
    socket.on('data', (text) => {
      const at = performance.timeOrigin + performance.now()
      for (const [, instant] of String(text).matchAll(/^data: .*?"at":"([^"]+)"/gm))
        late.push(at - Date.parse(instant!))
    })
  })
  socket.write(`GET /api/events HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer ${key}\r\n\r\n`)
  return promise
}

const sockets: Socket[] = []
process.on('message', () => {
  process.send!({ late })
  late = []
})
process.once('disconnect', () => process.exit())

while (sockets.length < Number(wanted)) {
  const more = Math.min(AT_ONCE, Number(wanted) - sockets.length)
  sockets.push(...(await Promise.all(Array.from({ length: more }, open))))
}
process.send!({ open: sockets.length })

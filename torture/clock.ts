// Loaded before a server that is tortured: its clock is off by what the file SKILLET_TORTURE_CLOCK says, read again at each SIGUSR2.
import { readFileSync } from 'node:fs'

const file = process.env['SKILLET_TORTURE_CLOCK']!
const RealDate = Date
const realNow = Date.now.bind(Date)
let offset = Number(readFileSync(file, 'utf8'))
process.on('SIGUSR2', () => {
  offset = Number(readFileSync(file, 'utf8'))
})

globalThis.Date = new Proxy(RealDate, {
  construct: (target, parameters: unknown[], self) =>
    Reflect.construct(target, parameters.length === 0 ? [realNow() + offset] : parameters, self) as object,
  get: (target, name, self) =>
    name === 'now' ? () => realNow() + offset : (Reflect.get(target, name, self) as unknown),
})

import { createSocket } from 'node:dgram'
import { createServer, type Server } from 'node:net'

/** Below the ports that the system gives to whoever does not care, such as all who connect: nobody gets one of these between being found free and being used. */
const FIRST = 10_000
const COUNT = 22_000

/** A listener on a port, unless it is taken. */
export function listen(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen({ host: '127.0.0.1', port }, () => resolve(server))
  })
}

/** A port of TCP on which nobody listens. It is this process's until its end: other tests ask for the port of UDP of the same number, and do not get it. */
async function reserve(port: number): Promise<boolean> {
  const guard = createSocket('udp4')
  const isMine = await new Promise<boolean>((resolve) => {
    guard.once('error', () => resolve(false))
    guard.bind({ address: '127.0.0.1', port, exclusive: true }, () => resolve(true))
  })
  const server = isMine ? await listen(port) : undefined
  if (server === undefined) {
    guard.close()
    return false
  }
  guard.unref()
  await new Promise((resolve) => server.close(resolve))
  return true
}

/** The first of so many free ports in a row, a multiple of ten if they are several. */
export async function freePorts(count: number): Promise<number> {
  const step = count === 1 ? 1 : 10
  for (let attempt = 0; attempt < 1000; attempt++) {
    const first = FIRST + Math.floor((Math.random() * (COUNT - count)) / step) * step
    const taken = await Promise.all(Array.from({ length: count }, (_, offset) => reserve(first + offset)))
    if (taken.every((isMine) => isMine)) return first
  }
  throw new Error(`no ${count} free ports in a row`)
}

/** A free port of this machine's loopback. */
export function freePort(): Promise<number> {
  return freePorts(1)
}

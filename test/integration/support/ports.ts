import { createServer, type Server } from 'node:net'

/** A listener on a port of the system's choice, to find ports that are free. */
export function listen(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen({ host: '127.0.0.1', port }, () => resolve(server))
  })
}

/** The first of so many free ports in a row. */
export async function freePorts(count: number): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    // Below the ports that the system gives to whoever does not care.
    const first = 20_000 + Math.floor(Math.random() * 1200) * 10
    const servers = await Promise.all(Array.from({ length: count }, (_, offset) => listen(first + offset)))
    for (const server of servers) server?.close()
    if (servers.every((server) => server !== undefined)) return first
  }
  throw new Error(`no ${count} free ports in a row`)
}

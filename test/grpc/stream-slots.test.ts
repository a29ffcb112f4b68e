import { once } from 'node:events'
import { connect, createServer, type Http2Server, type Http2Session } from 'node:http2'
import { describe, expect, it, onTestFinished } from 'vitest'
import { keepInSlots, StreamSlots } from '../../plugins/grpc/stream-slots.js'

/** Where it listens then. */
async function listening(server: Http2Server): Promise<string> {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : ''}`
}

describe('the open streams of an HTTP/2 session', () => {
  it('are kept in slots with this version of Node, on both sides, and calls go on as ever', async () => {
    const server = createServer()
    const sessions: Http2Session[] = []
    server.on('session', (session) => sessions.push(session))
    let isKept = false
    server.on('stream', (stream) => {
      const [session] = sessions
      // At the first stream, which is moved.
      if (session && !isKept) isKept = keepInSlots(session)
      stream.respond({ ':status': 200 })
      stream.end('woven')
    })
    const client = connect(await listening(server))
    onTestFinished(() => {
      client.destroy()
      server.close()
    })
    expect(keepInSlots(client)).toBe(true)
    const call = async (): Promise<string> => {
      const stream = client.request({ ':path': '/' })
      let text = ''
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
      await once(stream, 'close')
      return text
    }
    for (let round = 0; round < 5; round++) expect(new Set(await Promise.all(Array.from({ length: 50 }, call)))).toEqual(new Set(['woven']))
    expect(isKept).toBe(true)
    // Orderly: it waits for open streams, of which there are none.
    client.close()
    await once(client, 'close')
  })

  it('are ended with their session', async () => {
    const server = createServer()
    server.on('stream', (stream) => stream.on('error', () => undefined))
    const client = connect(await listening(server))
    onTestFinished(() => void server.close())
    expect(keepInSlots(client)).toBe(true)
    const streams = Array.from({ length: 3 }, () => client.request({ ':path': '/' }).on('error', () => undefined))
    await once(client, 'connect')
    const closed = Promise.all(streams.map((stream) => once(stream, 'close')))
    client.destroy()
    await closed
    expect(streams.map(({ destroyed }) => destroyed)).toEqual([true, true, true])
  })

  it('are left alone in what is no session', () => {
    expect(keepInSlots({})).toBe(false)
    expect(keepInSlots({ [Symbol('state')]: { streams: 3 } })).toBe(false)
  })

  it('are found by their numbers, and their slots used again', () => {
    const slots = new StreamSlots()
    const [one, two] = [{ id: 1 }, { id: 3 }]
    slots.set(1, one).set(3, two)
    expect([slots.size, slots.get(3), slots.has(5)]).toEqual([2, two, false])
    expect([slots.delete(1), slots.delete(1), slots.size, slots.get(1)]).toEqual([true, false, 1, undefined])
    slots.set(5, one)
    expect([...slots]).toEqual([
      [3, two],
      [5, one],
    ])
    const visited: number[] = []
    slots.forEach((_stream, id) => {
      visited.push(id)
      slots.delete(id)
    })
    expect([visited, slots.size, [...slots.values()]]).toEqual([[3, 5], 0, []])
  })
})

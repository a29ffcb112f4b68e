import { createBatcher, type Engine, type EngineFactory, type EngineRequest, requestId } from '../../../plugins/consensus/index.js'

export const follow: EngineFactory<{ size: number }> = {
  name: 'follow',
  version: '1.0.0',
  agreement: true,
  tolerates: () => ({ crashed: 0, byzantine: 0 }),
  parseOptions: (raw) => ({ size: typeof raw === 'object' && raw !== null && 'size' in raw ? Number(raw.size) : 100 }),
  create(host, { size }, start): Engine {
    let next = start.head.height
    const deliver = (requests: EngineRequest[]): void => host.deliver(String(next++), requests)
    const batcher = createBatcher<EngineRequest>(
      { batching: 'adaptive', size, timeoutMs: 1000 },
      {
        now: () => host.now,
        setTimer: (delayMs) => host.setTimer('batch', delayMs),
        cancelTimer: () => host.cancelTimer('batch'),
        cut(batch) {
          host.broadcast(Buffer.from(JSON.stringify(batch.map(({ bytes }) => Buffer.from(bytes).toString('base64')))))
          deliver(batch)
        },
      },
    )
    const isLeader = host.self === 0
    return {
      onRequest: (request) => (isLeader ? batcher.add(request) : host.send(0, request.bytes)),
      onMessage(from, message) {
        if (isLeader) return batcher.add({ id: requestId(message), bytes: message })
        if (from !== 0) return host.log('warning', `member ${from} is not the leader`)
        const batch: string[] = JSON.parse(Buffer.from(message).toString()) // a real engine checks hostile bytes
        deliver(batch.map((text) => Buffer.from(text, 'base64')).map((bytes) => ({ id: requestId(bytes), bytes })))
      },
      onTimer: () => batcher.timeUp(),
      onDelivered: () => batcher.finished(),
    }
  },
}

import type { EngineFactory, EngineHost, MemberIndex } from '../../../plugins/consensus/index.js'
import { pbft as wire } from '../../../proto/index.js'
import { toBatch } from '../../../plugins/pbft/messages.js'
import { pbft, type PbftOptions } from '../../../plugins/pbft/index.js'
import { hostWith } from '../../kit/host-with.js'

/** What a liar sends to one member instead of a message; undefined: nothing. */
export type Lie = (message: wire.Payload, to: MemberIndex, host: EngineHost) => wire.Payload | undefined

/** PBFT whose member `liar` lies to the others; it counts its own messages as they were meant. Its votes are not marked: it may vote as it likes. */
export function withLiar(liar: MemberIndex, lie: Lie): EngineFactory<PbftOptions> {
  return {
    ...pbft,
    create: (host, options, start) => pbft.create(host.self === liar ? lyingHost(host, lie) : host, options, start),
  }
}

function lyingHost(host: EngineHost, lie: Lie): EngineHost {
  const tell = (to: MemberIndex, bytes: Uint8Array): void => {
    const message = wire.decodeIncoming(bytes)
    if (!message || message.$case === 'request') return host.send(to, bytes)
    const told = lie(message, to, host)
    if (told) host.send(to, wire.encodePayload(told))
  }
  return hostWith(host, {
    send: tell,
    broadcast: (bytes) => host.members.forEach(({ index }) => (index === host.self ? undefined : tell(index, bytes))),
  })
}

/** PBFT on links that lose a part of all messages without saying so. */
export function withLoss(part: number): EngineFactory<PbftOptions> {
  return {
    ...pbft,
    create: (host, options, start) =>
      pbft.create(
        lyingHost(host, (message) => (host.random() < part ? undefined : message)),
        options,
        start,
      ),
  }
}

/** A primary that proposes another batch to every second member: the same requests at other times. */
export const equivocate: Lie = (message, to) => {
  if (message.$case !== 'prePrepare' || to % 2 === 0 || !message.value.requestBatch) return message
  const batch = toBatch({
    batch: message.value.requestBatch.batch.map((request) => ({ ...request, timestamp: { seconds: (request.timestamp?.seconds ?? 0n) + 1n, nanos: 0 } })),
  })
  return { $case: 'prePrepare', value: { ...message.value, batchDigest: batch.digest, requestBatch: batch.message } }
}

/** Says other digests and checkpoints than it has, and hides every third message. */
export const babble: Lie = (message, to, host) => {
  const chance = host.random()
  if (chance < 0.3) return undefined
  if (message.$case === 'prepare' || message.$case === 'commit')
    return chance < 0.6 ? { ...message, value: { ...message.value, batchDigest: `no such digest ${to}` } } : message
  if (message.$case === 'checkpoint' && chance < 0.6)
    return { $case: 'checkpoint', value: { ...message.value, id: Buffer.from(`forged ${to} ${chance}`).toString('base64') } }
  if (message.$case === 'viewChange' && chance < 0.6) return { $case: 'viewChange', value: { ...message.value, pset: [], qset: [] } }
  return message
}

/** Asks for a view far away again and again, signed as its own. */
export const hurry: Lie = (message) =>
  message.$case === 'viewChange' ? { $case: 'viewChange', value: { ...message.value, view: message.value.view + 1000 } } : message

import type { ConsensusReport, NetworkStatus, VitalsReading } from '../../proto/index.js'
import type { Answer, Picture, Watched } from '../../plugins/top/model.js'

export const NOW_MS = 60_000

/** What a validator of a network of four says of itself in its second minute. */
export function reportOf(index: number, change: Partial<ConsensusReport> = {}): ConsensusReport {
  return {
    id: `vp${index}`,
    engine: 'pbft',
    version: '1.0.0',
    epoch: 0n,
    height: 1204n,
    headHash: new Uint8Array(64).fill(1),
    stateHash: new Uint8Array(64).fill(2),
    valid: true,
    pending: 12n,
    halted: '',
    divergence: '',
    stalled: '',
    members: [0, 1, 2, 3].map((member) => ({ index: member, id: `vp${member}`, self: member === index, connected: true })),
    engineView: JSON.stringify({ view: 3, primary: 3, active: true }),
    swap: undefined,
    sealing: false,
    activation: 0n,
    ...change,
  }
}

export function vitalsOf(index: number, change: Partial<VitalsReading> = {}): VitalsReading {
  return {
    id: `vp${index}`,
    version: '0.1.0',
    upMicros: 60_000_000n,
    cpuMicros: 10_450_000n,
    residentBytes: 188_743_680n,
    heapBytes: 94_371_840n,
    succeeded: 98_000n,
    failed: 10n,
    accepted: 24_500n,
    refused: 0n,
    ended: 24_488n,
    waitedMicros: 300_000_000n,
    commits: 1203n,
    commitMicros: 2_000_000n,
    inbox: 3n,
    outbox: 0n,
    ...change,
  }
}

/** The same a second before. */
const EARLIER = { upMicros: 59_000_000n, cpuMicros: 10_000_000n, succeeded: 97_020n, ended: 24_243n, waitedMicros: 296_937_500n }

export function networkOf(index: number): NetworkStatus {
  const links = [0, 1, 2, 3].filter((member) => member !== index)
  return {
    id: `vp${index}`,
    links: links.map((member) => ({
      id: `vp${member}`,
      address: `127.0.0.1:70${5 + member}1`,
      type: 1,
      dialled: member < index,
      packed: true,
      weft: true,
      connectedMs: 1000n,
      roundTripMicros: 400n,
      queuedMessages: 0n,
      queuedBytes: 0n,
      sentMessages: 1n,
      sentFrames: 1n,
      sentBytes: 1n,
      receivedMessages: 1n,
      receivedBytes: 1n,
      lostMessages: 0n,
    })),
    dials: [],
    rejected: 0n,
  }
}

export function answerOf(index: number, change: Partial<Answer> = {}): Answer {
  return { atMs: NOW_MS, report: reportOf(index), network: networkOf(index), vitals: vitalsOf(index), ...change }
}

/** A validator that answers. */
export function watched(index: number, report: Partial<ConsensusReport> = {}): Watched {
  const before = answerOf(index, { atMs: NOW_MS - 1000, vitals: vitalsOf(index, EARLIER) })
  const target = { name: `vp${index}`, address: `127.0.0.1:70${5 + index}1` }
  return { target, state: 'answers', last: answerOf(index, { report: reportOf(index, report) }), before, reason: '', sinceMs: NOW_MS }
}

export function unreachable(index: number, reason: string): Watched {
  return { ...watched(index), state: 'unreachable', before: undefined, reason, sinceMs: NOW_MS - 12_000 }
}

export function pictureOf(peers: readonly Watched[], change: Partial<Picture> = {}): Picture {
  return { title: 'devnet /tmp/weft-devnet', wallMs: new Date(2026, 0, 2, 12, 1, 33).getTime(), nowMs: NOW_MS, peers, happenings: [], ...change }
}

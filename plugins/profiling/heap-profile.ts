import { Session } from 'node:inspector/promises'
import { PeerError } from '../../kernel/index.js'
import { PprofBuilder } from './pprof-builder.js'
import type { CallFrame, SourceNames } from './source-names.js'

/**
 * Mean bytes between two sampled allocations; Go's is 512 KiB. One more than a multiple of most small object sizes (8 bytes times 1 to 12, 14, 15, 16, ...),
 * so that the size of a sampled object can be told from the weight that V8 gives it, see {@link objectBytes}.
 */
export const SAMPLING_BYTES = 443_521
const ALIGNMENT_BYTES = 8
/** What is larger than a few intervals stands for itself alone. */
const LARGE_BYTES = SAMPLING_BYTES * 16

/** What V8 tells of sampled allocations; the types of Node leave out ids and samples. */
export interface SampledHeap {
  readonly head: SampledNode
  readonly samples: readonly { readonly nodeId: number; readonly size: number }[]
}

interface SampledNode {
  readonly id: number
  readonly callFrame: CallFrame
  readonly children: readonly SampledNode[]
}

/** Samples the allocations of the V8 heap from its start on, and tells which objects still live. Buffers lie outside that heap. */
export class HeapSampler {
  readonly #session = new Session()
  readonly #startMs = Date.now()
  #isRunning = false

  async start(): Promise<void> {
    this.#session.connect()
    this.#isRunning = true
    await this.#session.post('HeapProfiler.startSampling', { samplingInterval: SAMPLING_BYTES })
  }

  stop(): void {
    if (this.#isRunning) this.#session.disconnect()
    this.#isRunning = false
  }

  /** A gzipped pprof profile with the values inuse_objects/count and inuse_space/bytes. `collect`: garbage is collected before. */
  async profile(names: SourceNames, collect: boolean): Promise<Buffer> {
    if (collect) await this.#session.post('HeapProfiler.collectGarbage')
    const { profile } = await this.#session.post('HeapProfiler.getSamplingProfile')
    if (!isSampledHeap(profile))
      throw new PeerError('ERR_PROFILE_FORMAT', 'expected samples in the heap profile of V8, found none', {
        hint: `Node ${process.version} is not supported here`,
      })
    return encodeHeapProfile(profile, names, this.#startMs)
  }
}

/** V8's profile in pprof format. */
export async function encodeHeapProfile({ head, samples }: SampledHeap, names: SourceNames, startMs: number): Promise<Buffer> {
  const builder = new PprofBuilder(names, {
    kinds: [
      ['inuse_objects', 'count'],
      ['inuse_space', 'bytes'],
    ],
    periodKind: ['space', 'bytes'],
    period: SAMPLING_BYTES,
    startMs,
    durationMs: Date.now() - startMs,
  })
  const totals = new Map<number, { objects: number; bytes: number }>()
  for (const { nodeId, size } of samples) {
    const total = totals.get(nodeId) ?? { objects: 0, bytes: 0 }
    total.objects += Math.max(1, size / objectBytes(size))
    total.bytes += size
    totals.set(nodeId, total)
  }
  const walk = (node: SampledNode, stack: readonly CallFrame[]): void => {
    const total = totals.get(node.id)
    if (total !== undefined && stack.length > 0) builder.add(stack, [total.objects, total.bytes])
    for (const child of node.children) walk(child, [child.callFrame, ...stack])
  }
  walk(head, [])
  return builder.encode()
}

/**
 * The size of a sampled object. V8 gives each the weight `size * round(1 / (1 - exp(-size / interval)))`, the bytes that it stands for, and not its size:
 * this is the smallest size that has this weight.
 */
export function objectBytes(weight: number): number {
  if (weight >= LARGE_BYTES) return weight
  // With this interval it is right at once for nearly all small sizes.
  const guess = weight - SAMPLING_BYTES + 1
  if (guess >= ALIGNMENT_BYTES && weightOf(guess) === weight) return guess
  for (let bytes = ALIGNMENT_BYTES; bytes <= weight; bytes += ALIGNMENT_BYTES) if (weight % bytes === 0 && weightOf(bytes) === weight) return bytes
  return weight
}

function isSampledHeap(profile: object): profile is SampledHeap {
  return (
    'samples' in profile &&
    Array.isArray(profile.samples) &&
    'head' in profile &&
    typeof profile.head === 'object' &&
    profile.head !== null &&
    'id' in profile.head
  )
}

function weightOf(bytes: number): number {
  return bytes * Math.floor(1 / (1 - Math.exp(-bytes / SAMPLING_BYTES)) + 0.5)
}

import type { ChildProcess } from 'node:child_process'
import type { Client } from '@grpc/grpc-js'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf, PeerError } from '../../kernel/index.js'
import type { DevnetPlan, PeerPlan } from './plan.js'
import { checkPorts } from './ports.js'
import { end, kill, lastLines, launch, leftover, pidOf, wipe } from './process.js'
import { clientOf, isHalted, notReady, type PeerView, viewOf } from './view.js'

const LOOK_EVERY_MS = 50
const END_MS = 20_000
/** An engine that stays halted for so long, for one reason, does not go on by itself. */
const HALTED_FOR_GOOD_MS = 3000

/** A peer that `start` started. */
export interface StartedPeer {
  readonly peer: PeerPlan
  readonly child: ChildProcess
}

/** A peer and how it is found. */
export interface DevnetPeer {
  readonly peer: PeerPlan
  readonly view: PeerView
}

/** What tells a person of progress. */
export type Say = (text: string) => void

/** A network of peers on this machine, each a process of its own. */
export class Devnet {
  private readonly clients = new Map<string, Client>()

  constructor(
    readonly directory: string,
    readonly plan: DevnetPlan,
    readonly peers: readonly PeerPlan[],
  ) {}

  /** The certificate that all peers show; undefined: no TLS. */
  get certificate(): string | undefined {
    return this.plan.tls ? join(this.directory, 'tls.pem') : undefined
  }

  /** These peers, or all. Throws ERR_USAGE for a name that is none. */
  named(names: readonly string[]): readonly PeerPlan[] {
    const unknown = names.find((name) => this.peers.every(({ id }) => id !== name))
    if (unknown !== undefined) throw new PeerError('ERR_USAGE', `this devnet has no peer ${unknown}: it has ${this.peers.map(({ id }) => id).join(', ')}`)
    return names.length === 0 ? this.peers : this.peers.filter(({ id }) => names.includes(id))
  }

  pid(peer: PeerPlan): number | undefined {
    return pidOf(peer)
  }

  client(peer: PeerPlan): Client {
    const found = this.clients.get(peer.id) ?? clientOf(peer, this.certificate)
    this.clients.set(peer.id, found)
    return found
  }

  /** Starts those of these peers that do not run. Throws ERR_DEVNET_PORTS before anything is started. */
  async start(peers: readonly PeerPlan[], say: Say = () => undefined): Promise<readonly StartedPeer[]> {
    const down = peers.filter((peer) => pidOf(peer) === undefined)
    await checkPorts(down)
    const started: StartedPeer[] = []
    try {
      for (const peer of down) {
        const crashed = leftover(peer)
        if (crashed !== undefined) say(`${peer.id} had crashed or was killed (process ${crashed}); it starts again on its ledger`)
        started.push({ peer, child: launch(peer) })
      }
    } catch (cause) {
      for (const { child } of started) child.kill('SIGTERM')
      throw new PeerError('ERR_DEVNET_START', `the peers cannot be started: ${messageOf(cause)}`, { cause })
    }
    return started
  }

  /**
   * Waits until these peers, and all others that run, can order transactions together. Throws ERR_DEVNET_ENDED with the last lines of its log if one of
   * `started` ends, ERR_DEVNET_NOT_READY with what is missing after `limitMs`, or as soon as nothing is missing but engines that stay halted.
   */
  async ready(started: readonly StartedPeer[], limitMs: number): Promise<readonly DevnetPeer[]> {
    const deadline = performance.now() + limitMs
    const expected = new Set(started.map(({ peer }) => peer.id))
    // Who was away has caught up when it has what the others had at this moment.
    let height: bigint | undefined
    let halted = { reasons: '', sinceMs: 0 }
    for (;;) {
      const found = await this.look()
      height ??= highest(found)
      const up = found.filter(({ peer, view }) => view.state !== 'stopped' || expected.has(peer.id))
      const ids = up.map(({ peer }) => peer.id)
      const missing = up.flatMap(({ peer, view }) => {
        const reason = notReady(view, ids, height)
        return reason === undefined ? [] : [{ isHalted: isHalted(view), text: `${peer.id}: ${reason}` }]
      })
      if (missing.length === 0) return found
      const reasons = missing.map(({ text }) => text).join('; ')
      const ended = started.find(({ child }) => child.exitCode !== null || child.signalCode !== null)
      if (ended) throw endedEarly(ended)
      const nowMs = performance.now()
      if (halted.reasons !== reasons || !missing.every((one) => one.isHalted)) halted = { reasons, sinceMs: nowMs }
      if (nowMs - halted.sinceMs > HALTED_FOR_GOOD_MS) {
        throw new PeerError('ERR_DEVNET_NOT_READY', `the devnet runs, but not all of it can order transactions: ${reasons}`, {
          hint: 'that does not change by itself: peer consensus status, with --config of that peer, says what to do',
        })
      }
      if (nowMs > deadline) {
        throw new PeerError('ERR_DEVNET_NOT_READY', `the devnet is not ready after ${limitMs / 1000} s: ${reasons}`, {
          hint: 'its processes go on: peer devnet status, peer devnet logs; or wait longer with --timeout',
        })
      }
      await sleep(LOOK_EVERY_MS)
    }
  }

  /** How every peer is. */
  look(): Promise<readonly DevnetPeer[]> {
    return Promise.all(
      this.peers.map(async (peer) => {
        const pid = pidOf(peer)
        return { peer, view: pid === undefined ? ({ state: 'stopped' } as const) : await viewOf(pid, this.client(peer)) }
      }),
    )
  }

  /** Ends these peers, the last one first: the first is the primary of the first view. Returns those that had to be forced. */
  async stop(peers: readonly PeerPlan[]): Promise<readonly PeerPlan[]> {
    const forced: PeerPlan[] = []
    for (const peer of [...peers].reverse()) {
      const pid = pidOf(peer)
      if (pid !== undefined && !(await end(pid, peer, END_MS))) forced.push(peer)
    }
    return forced
  }

  /** Ends a peer as a power cut would; nothing happens if it does not run. */
  async kill(peer: PeerPlan): Promise<void> {
    const pid = pidOf(peer)
    if (pid !== undefined) await kill(pid, peer)
  }

  /** Deletes what a peer stored. Throws ERR_DEVNET_RUNNING if it runs. */
  wipe(peer: PeerPlan): void {
    const pid = pidOf(peer)
    if (pid !== undefined) throw new PeerError('ERR_DEVNET_RUNNING', `${peer.id} runs, process ${pid}: its ledger cannot be deleted`)
    wipe(peer)
  }

  /** Closes the connections of this process; the peers go on. */
  close(): void {
    for (const client of this.clients.values()) client.close()
    this.clients.clear()
  }
}

/** The greatest height of those that answer. */
function highest(found: readonly DevnetPeer[]): bigint {
  return found.reduce((height, { view }) => (view.state === 'running' && view.report.height > height ? view.report.height : height), 0n)
}

function endedEarly({ peer, child }: StartedPeer): PeerError {
  const how = child.exitCode === null ? `was ended by ${child.signalCode}` : `ended with exit code ${child.exitCode}`
  return new PeerError(
    'ERR_DEVNET_ENDED',
    `${peer.id} ${how}; its last words, from ${peer.log}:\n${lastLines(peer)
      .map((line) => `  ${line}`)
      .join('\n')}`,
  )
}

import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { temporaryDirectory, TestPeer } from '../support/peer.js'
import { freePort } from '../support/ports.js'
import { TestNetwork } from '../support/test-network.js'
import { Relay } from './relay.js'

const START_MS = 120_000

/** Validators whose every link goes through a relay of its own, and what was done to them. */
export class ChaosNetwork extends TestNetwork {
  /** Members that a fault has taken away: down, or stopped. */
  readonly away = new Set<number>()

  private constructor(
    peers: readonly TestPeer[],
    /** By who dials and who is dialled. */
    private readonly relays: readonly (readonly (Relay | undefined)[])[],
  ) {
    super(peers)
  }

  /** Validators on loopback, running; ended with the test. */
  static async start(count: number, set: Readonly<Record<string, string>>): Promise<ChaosNetwork> {
    const indexes = Array.from({ length: count }, (_, index) => index)
    const addresses = await Promise.all(indexes.map(async () => `127.0.0.1:${await freePort()}`))
    const relays = await Promise.all(indexes.map((from) => Promise.all(addresses.map(async (address, to) => (from === to ? undefined : Relay.to(address))))))
    const peers = addresses.map((address, index) => {
      const roots = (relays[index] ?? []).flatMap((relay) => relay?.address ?? [])
      const own = {
        'peer.id': `vp${index}`,
        'consensus.validators': indexes.map((other) => `vp${other}`).join(','),
        'peer.discovery.rootnode': roots.join(','),
        // Nobody answers there: whoever is told of it by others gets no link around the relays.
        'peer.address': `127.0.0.1:${index + 1}`,
        'peer.listenAddress': address,
      }
      return new TestPeer(temporaryDirectory(), address, '127.0.0.1:0', { set: { ...set, ...own } })
    })
    const network = new ChaosNetwork(peers, relays)
    onTestFinished(() => network.#dispose())
    await Promise.all(indexes.map((index) => network.startPeer(index)))
    return network
  }

  async startPeer(index: number): Promise<void> {
    const peer = this.peer(index)
    const program = peer.launch()
    await program.until(`vp${index} runs`, async () => program.stderr.includes('consensus engine started') && (await peer.isAnswering()), START_MS)
    this.away.delete(index)
  }

  async kill(index: number): Promise<void> {
    this.away.add(index)
    await this.peer(index).killHard()
  }

  stop(index: number): void {
    this.away.add(index)
    this.peer(index).program.signal('SIGSTOP')
  }

  go(index: number): void {
    this.peer(index).program.signal('SIGCONT')
    this.away.delete(index)
  }

  /** Does something to a link, whoever of the two dialled. */
  link(a: number, b: number, change: 'cut' | 'silence' | 'mend'): void {
    this.relays[a]?.[b]?.[change]()
    this.relays[b]?.[a]?.[change]()
  }

  /** A peer that ended although nobody ended it. */
  fallen(): string | undefined {
    const index = this.peers.findIndex((peer, at) => !this.away.has(at) && !peer.program.isRunning)
    return index < 0 ? undefined : `vp${index} ended by itself: ${this.peer(index).program.stderr.slice(-2000)}`
  }

  /** Writes what the peers logged in their present lives; returns the directory. */
  keepLogs(name: string): string {
    return this.writeLogs(join(process.env['WEFT_CHAOS_OUT'] ?? tmpdir(), name))
  }

  async #dispose(): Promise<void> {
    await Promise.all(this.peers.map((peer) => peer.dispose()))
    for (const relay of this.relays.flat()) await relay?.close()
  }
}

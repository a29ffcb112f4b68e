import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { TestClient } from './client.js'
import { freePort } from './ports.js'
import { type Ended, type LaunchOptions, Program, pause, runProgram } from './program.js'

/** How a test's peer differs from the default site. */
export interface PeerSettings {
  /** Keys of the configuration, given as `--set`. */
  readonly set?: Readonly<Record<string, string>>
  /** Further words of `peer node start`, such as `--peer-chaincodedev`. */
  readonly flags?: readonly string[]
  /** Where the peer stores; default: inside its own temporary directory. */
  readonly data?: string
  readonly through?: LaunchOptions['through']
  /** Where the event hub listens; default: a free port. */
  readonly eventsAddress?: string
}

/** A peer in a temporary directory, on ports of its own, that can be killed and started again. */
export class TestPeer {
  readonly data: string
  readonly client: TestClient
  through: readonly string[]
  #program: Program | undefined

  constructor(
    readonly directory: string,
    readonly address: string,
    readonly eventsAddress: string,
    private readonly settings: PeerSettings,
  ) {
    this.data = settings.data ?? join(directory, 'weft-data')
    this.through = settings.through ?? []
    this.client = new TestClient(address)
  }

  get program(): Program {
    if (this.#program === undefined) throw new Error('the peer was never started')
    return this.#program
  }

  get options(): LaunchOptions {
    const env = {
      CORE_PEER_LISTENADDRESS: this.address,
      CORE_PEER_ADDRESS: this.address,
      CORE_PEER_VALIDATOR_EVENTS_ADDRESS: this.eventsAddress,
      CORE_PEER_FILESYSTEMPATH: this.data,
      // Every other door on a port that the system chooses: test files run side by side.
      CORE_REST_ADDRESS: '127.0.0.1:0',
      CORE_METRICS_ADDRESS: '127.0.0.1:0',
    }
    return { cwd: this.directory, env }
  }

  /** Starts the process; does not wait for anything. */
  launch(): Program {
    const sets = Object.entries(this.settings.set ?? {}).flatMap(([key, value]) => ['--set', `${key}=${value}`])
    this.#program = new Program(['node', 'start', ...(this.settings.flags ?? []), ...sets], { ...this.options, through: this.through })
    return this.#program
  }

  /** Starts the process and waits until it accepts transactions. */
  async start(): Promise<this> {
    const program = this.launch()
    await program.until('the peer answers', () => program.stderr.includes('consensus engine started'))
    await program.until('the peer answers', () => this.isAnswering())
    return this
  }

  /** Where REST listens, as the peer says when it has started. */
  get restBase(): string {
    return /REST on (https?:\/\/[^: ]+:\d+)/.exec(this.program.stderr)?.[1] ?? ''
  }

  async isAnswering(): Promise<boolean> {
    try {
      return (await this.client.status(5000)) === 'STARTED'
    } catch {
      return false // not yet, or not any more: that is the answer
    }
  }

  /** `kill -9`. */
  async killHard(): Promise<void> {
    this.program.signal('SIGKILL')
    await this.program.ended
  }

  /** Ends it in good order, if it runs. */
  async stop(): Promise<Ended> {
    if (this.program.isRunning) this.program.signal('SIGTERM')
    return this.program.ended
  }

  /** Runs another command of the program against this peer. */
  cli(...args: string[]): Promise<Ended> {
    return runProgram(args, this.options)
  }

  /** Resident memory of the peer's process, in MiB. */
  memoryMiB(): number {
    const found = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${this.program.pid}/status`, 'utf8'))
    return Number(found?.[1]) / 1024
  }

  /** Waits until the chain has so many blocks. */
  async untilHeight(height: bigint): Promise<void> {
    await this.program.until(`height ${height}`, async () => (await this.client.info()).height >= height)
  }

  async dispose(): Promise<void> {
    this.client.close()
    if (this.#program?.isRunning === true) await this.killHard()
    rmSync(this.directory, { recursive: true, force: true })
  }
}

/** A peer that is not started yet. */
export async function preparePeer(settings: PeerSettings = {}): Promise<TestPeer> {
  const [address, events] = [await freePort(), await freePort()].map((port) => `127.0.0.1:${port}`)
  return new TestPeer(temporaryDirectory(), address ?? '', settings.eventsAddress ?? events ?? '', settings)
}

/** A running peer, ended with the test that asked for it. */
export async function startPeer(settings: PeerSettings = {}): Promise<TestPeer> {
  const peer = await preparePeer(settings)
  onTestFinished(() => peer.dispose())
  return peer.start()
}

export function temporaryDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'weft-it-'))
}

/** Waits until `seen` holds. To look costs the peers CPU: `everyMs` is short only where a moment has to be met. */
export async function until(what: string, seen: () => boolean | Promise<boolean>, timeoutMs = 120_000, everyMs = 50): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!(await seen())) {
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`)
    await pause(everyMs)
  }
}

import { Client } from '@grpc/grpc-js'
import { Command } from 'clipanion'
import { Option, PeerError, messageOf } from '../../../kernel/index.js'
import { EventType, type Interest } from '../../../proto/index.js'
import { GrpcCommand, isRpcError, rpcErrorText } from '../../grpc/index.js'
import { CursorFile } from '../cursor-file.js'
import { type StreamStart, followEvents } from '../event-stream.js'
import { jsonLine, textLine } from '../event-text.js'
import { eventsKeys } from '../keys.js'
import { parseBlockNumber, parsePosition } from '../position.js'

const RETRY_MS = 1000
/** CANCELLED, RESOURCE_EXHAUSTED, UNAVAILABLE: the connection was lost, or the peer asks to come back. */
const LOST: ReadonlySet<number> = new Set([1, 8, 14])
const TYPES = ['block', 'chaincode', 'rejection']

/** `peer events listen`: prints events as they come, from any block on. */
export class EventsListenCommand extends GrpcCommand {
  static override paths = [['events', 'listen']]
  static override usage = Command.Usage({
    category: 'event specific commands.',
    description: 'Print blocks, chaincode events and rejections as they come.',
    details:
      'Registers with the event hub at `peer.validator.events.address`. An event is written out before the cursor moves past it, so a listener that is killed repeats at most what it printed last; whoever keeps the ids that it prints and goes on with `--after` sees every event once.',
    examples: [
      ['Blocks from now on', 'peer events listen'],
      ['All blocks, then new ones, for programs', 'peer events listen --from 0 --json'],
      ['Events of one chaincode, across restarts of both sides', 'peer events listen --chaincode mycc --from 0 --retry --cursor mycc.cursor'],
      ['What was rejected', 'peer events listen --types rejection'],
    ],
  })

  from = Option.String('--from', { description: 'number of the first block; without it: what comes from now on' })
  after = Option.String('--after', { description: 'id of the last event seen: go on after it' })
  chaincode = Option.String('--chaincode', { description: 'events of this chaincode' })
  event = Option.String('--event', { description: 'only chaincode events of this name' })
  types = Option.String('--types', { description: 'comma-separated: block, chaincode, rejection (default: block; with --chaincode: chaincode)' })
  count = Option.String('--count', { description: 'end after so many events' })
  retry = Option.Boolean('--retry', false, { description: 'connect again when the connection is lost, and go on after the last event' })
  cursor = Option.String('--cursor', { description: 'file that keeps the id of the last event printed; goes on after it if it exists' })
  address = Option.String('--address', { description: 'address of an event hub (default: peer.validator.events.address)' })

  private left = Number.POSITIVE_INFINITY
  /** Where to go on after a lost connection. */
  private place: StreamStart | undefined
  private hasReplay = true

  protected async run(): Promise<void> {
    const interests = this.interests()
    const cursor = this.cursor === undefined ? undefined : new CursorFile(this.cursor)
    const start = this.start(cursor?.read())
    const address = (this.address ?? (await this.settings(eventsKeys))['peer.validator.events.address']).replace(/^:/, '127.0.0.1:')
    while (this.left > 0) {
      try {
        await this.follow(address, interests, this.place ?? start, cursor)
        if (this.left === 0) return
        throw new PeerError('ERR_EVENTS_ENDED', 'the peer ended the stream', { retryable: true })
      } catch (error) {
        if (!this.retry || !isLoss(error)) throw error
        this.warn(`${isRpcError(error) ? rpcErrorText(error) : messageOf(error)}; trying again`)
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
      }
    }
  }

  /** An error of a call as v0.6 prints it; an address that does not answer is that of the event hub. */
  protected override failure(error: unknown): unknown {
    if (!(error instanceof PeerError) || error.code !== 'ERR_DIAL_FAILED') return super.failure(error)
    const hint = error.hint?.replaceAll('peer.address', 'peer.validator.events.address')
    return new PeerError(error.code, error.message, { cause: error, details: error.details, ...(hint === undefined ? {} : { hint }) })
  }

  private async follow(address: string, interests: Interest[], start: StreamStart, cursor: CursorFile | undefined): Promise<void> {
    const client = await this.dial(Client, address)
    try {
      for await (const batch of followEvents(client, interests, start, (found) => this.began(found))) {
        const events = batch.slice(0, this.left)
        this.requireReplay()
        await this.print(events.map((event) => (this.json ? jsonLine(event) : textLine(event))).join(''))
        const last = events.at(-1)?.id
        if (last !== undefined && last !== '') {
          this.place = { after: last }
          cursor?.write(last)
        }
        this.left -= events.length
        if (this.left <= 0) return
      }
    } finally {
      client.close()
    }
  }

  private began(place: StreamStart | undefined): void {
    this.place ??= place
    this.hasReplay = place !== undefined
  }

  /** Without ids nothing can be resumed. */
  private requireReplay(): void {
    const isAsked = this.from !== undefined || this.after !== undefined || this.retry || this.cursor !== undefined
    if (this.hasReplay || !isAsked) return
    throw new PeerError('ERR_EVENTS_REPLAY', 'this peer does not replay events: it sends them without ids, as v0.6 does', {
      hint: 'listen without --from, --after, --retry and --cursor',
    })
  }

  /** Resolves when the text is out. */
  private print(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.context.stdout.write(text, (error) => (error ? reject(error) : resolve()))
    })
  }

  private start(kept: string | undefined): StreamStart {
    if (this.from !== undefined && this.after !== undefined) throw wrong('expected one of --from and --after, found both')
    if (this.count !== undefined) {
      if (!/^[1-9]\d{0,14}$/.test(this.count)) throw wrong(`--count: expected a number from 1 on, found ${this.count}`)
      this.left = Number(this.count)
    }
    if (kept !== undefined) return { after: kept }
    if (this.after !== undefined) {
      parsePosition(this.after, '--after')
      return { after: this.after }
    }
    return { from: this.from === undefined ? 'next' : String(parseBlockNumber(this.from, '--from')) }
  }

  private interests(): Interest[] {
    const types = (this.types ?? (this.chaincode === undefined ? 'block' : 'chaincode')).split(',')
    const unknown = types.find((type) => !TYPES.includes(type))
    if (unknown !== undefined) throw wrong(`--types: expected some of ${TYPES.join(', ')}, found ${unknown}`)
    const wantsChaincode = types.includes('chaincode')
    if (wantsChaincode !== (this.chaincode !== undefined) || (this.event !== undefined && !wantsChaincode)) {
      throw wrong('chaincode events need --chaincode NAME; --chaincode and --event need the type chaincode')
    }
    const interests: Interest[] = []
    if (types.includes('rejection')) interests.push({ eventType: EventType.REJECTION, RegInfo: undefined })
    if (types.includes('block')) interests.push({ eventType: EventType.BLOCK, RegInfo: undefined })
    if (this.chaincode !== undefined) {
      const value = { chaincodeID: this.chaincode, eventName: this.event ?? '' }
      interests.push({ eventType: EventType.CHAINCODE, RegInfo: { $case: 'chaincodeRegInfo', value } })
    }
    return interests
  }
}

function isLoss(error: unknown): boolean {
  if (isRpcError(error)) return LOST.has(error.code)
  return error instanceof PeerError && error.retryable
}

function wrong(message: string): PeerError {
  return new PeerError('ERR_EVENTS_OPTIONS', message)
}

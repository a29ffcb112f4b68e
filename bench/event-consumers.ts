import { Client, type ClientDuplexStream, Metadata, credentials } from '@grpc/grpc-js'
import { Event, EventType, EventsService, encode } from '../proto/index.js'

/** Event consumers in a process of their own: node event-consumers.mjs ADDRESS COUNT. Each has a connection; all register for blocks and read everything. */
const [address = '', count = '0'] = process.argv.slice(2)
const REGISTER = Buffer.from(encode(Event, { Event: { $case: 'register', value: { events: [{ eventType: EventType.BLOCK, RegInfo: undefined }] } } }))
const same = (bytes: Buffer): Buffer => bytes
let echoes = 0

function consume(): void {
  const client = new Client(address, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1, 'grpc.max_receive_message_length': -1 })
  const call: ClientDuplexStream<Buffer, Buffer> = client.makeBidiStreamRequest(EventsService.chat.path, same, same, new Metadata(), {})
  let seen = 0
  call.on('data', () => {
    seen += 1
    if (seen === 1 && ++echoes === Number(count)) process.stdout.write('ready\n')
  })
  call.on('error', (error) => process.stderr.write(`${error.message}\n`))
  call.write(REGISTER)
}

for (let started = 0; started < Number(count); started += 1) consume()

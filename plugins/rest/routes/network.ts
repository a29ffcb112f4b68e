import type { FastifyInstance, FastifySchema } from 'fastify'
import { JsonWriter, PEERS_MESSAGE_JSON, type PeerEndpoint, PeersMessage, encode, writeJsonMessage } from '../../../proto/index.js'
import { SCHEMAS, answer, errors } from '../json/schemas.js'

const NEWLINE = 0x0a

/** GET /network/peers: connected peers, and this one last unless it is among them (spec/node.md §6.3). */
export function networkRoutes(app: FastifyInstance, self: () => PeerEndpoint, connected: () => readonly PeerEndpoint[]): void {
  app.get('/network/peers', { schema }, async (_request, reply) => {
    const own = self()
    const others = connected()
    const peers = others.some(({ ID }) => ID?.name === own.ID?.name) ? [...others] : [...others, own]
    const writer = new JsonWriter()
    writeJsonMessage(writer, encode(PeersMessage, { peers }), PEERS_MESSAGE_JSON)
    writer.byte(NEWLINE)
    return reply.send(writer.finish())
  })
}

const schema: FastifySchema = {
  summary: 'Connected peers, and this one',
  response: { 200: answer('The peers.', SCHEMAS.peers), ...errors({ 400: 'The peers are not known.' }) },
}

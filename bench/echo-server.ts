// Baseline: a bare gRPC server that answers each call with as many bytes as the peer would.
import { Server, ServerCredentials } from '@grpc/grpc-js'
import { ECHO } from './echo.js'

const [port = '0', answerBytes = '36'] = process.argv.slice(2)
const answer = Buffer.alloc(Number(answerBytes), 1)
const server = new Server()
server.addService({ echo: ECHO }, { echo: (_call: unknown, callback: (error: null, value: Buffer) => void) => callback(null, answer) })
server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error) => {
  if (error) throw error
})

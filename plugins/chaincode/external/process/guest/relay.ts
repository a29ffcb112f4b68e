/**
 * Inside the sandbox of a Go chaincode, which has a network of its own: starts the chaincode and carries its one connection to the peer
 * through the pipe. Ends when either does.
 */
import { spawn } from 'node:child_process'
import { createServer, Socket } from 'node:net'

const PIPE = 3
const [port = '', file = '', ...args] = process.argv.slice(2)
const pipe = new Socket({ fd: PIPE, readable: true, writable: true })
pipe.on('error', () => process.exit(1))
pipe.on('close', () => process.exit(0))

const server = createServer((connection) => {
  server.close()
  connection.on('error', () => process.exit(1))
  connection.pipe(pipe)
  pipe.pipe(connection)
})

server.listen(Number(port), '127.0.0.1', () => {
  const child = spawn(file, args, { stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env } })
  child.on('error', (error) => {
    process.stderr.write(`error ${error.message}\n`)
    process.exit(1)
  })
  child.on('exit', (code) => process.exit(code ?? 1))
})

// Baseline: a bare fastify route that answers with ready-made bytes: file number :n of a directory.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fastify } from 'fastify'

const [port = '0', directory = '.', count = '1'] = process.argv.slice(2)
const answers = Array.from({ length: Number(count) }, (_, index) => readFileSync(join(directory, String(index))))
const app = fastify()
app.get<{ Params: { n: string } }>('/:n', async ({ params }, reply) => reply.header('Content-Type', 'application/json').send(answers[Number(params.n)]))
await app.listen({ port: Number(port), host: '127.0.0.1' })

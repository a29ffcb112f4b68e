import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'

/** What the daemon was asked. */
export interface Asked {
  readonly method: string
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly body: Buffer
}

/**
 * A Docker daemon of its API alone, as recorded from Engine API 1.2x: images are names that were built, containers are names that were created.
 * `run` is told of a container that starts; what it returns ends it.
 */
export class FakeDocker {
  readonly asked: Asked[] = []
  readonly images = new Set<string>()
  readonly containers = new Map<
    string,
    { readonly image: string; running: boolean; exitCode: number | undefined; readonly ended: ((code: number) => void)[] }
  >()
  /** Instead of building: what the build prints and its error. */
  buildFailure: string | undefined
  run: (name: string, created: Readonly<Record<string, unknown>>) => void = () => undefined
  readonly #directory = mkdtempSync(join(tmpdir(), 'weft-docker-'))
  readonly #server: Server
  #created = new Map<string, Readonly<Record<string, unknown>>>()

  constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => this.#answer(request, Buffer.concat(chunks), response))
    })
  }

  get endpoint(): string {
    return `unix://${join(this.#directory, 'docker.sock')}`
  }

  /** Requests in short: `POST /containers/x/start`. */
  get lines(): string[] {
    return this.asked.map(({ method, path }) => `${method} ${path}`)
  }

  async open(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(join(this.#directory, 'docker.sock'), resolve))
    return this
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
    rmSync(this.#directory, { recursive: true, force: true })
  }

  /** The container's process ends. */
  exit(name: string, code: number): void {
    const container = this.containers.get(name)
    if (container === undefined) return
    container.running = false
    container.exitCode = code
    for (const ended of container.ended.splice(0)) ended(code)
  }

  #answer(request: IncomingMessage, body: Buffer, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://docker')
    const path = url.pathname.replace(/^\/v1\.\d+/, '')
    const { method = '' } = request
    this.asked.push({ method, path, query: Object.fromEntries(url.searchParams), body })
    const [, kind, name = '', act] = path.split('/')
    if (method === 'POST' && path === '/build') return this.#build(url.searchParams.get('t') ?? '', body, response)
    if (method === 'POST' && path === '/containers/create') return this.#create(url.searchParams.get('name') ?? '', body, response)
    const container = this.containers.get(name)
    if (kind !== 'containers') return send(response, 404, { message: 'page not found' })
    if (container === undefined) return send(response, 404, { message: `No such container: ${name}` })
    if (method === 'DELETE') {
      this.exit(name, 137)
      this.containers.delete(name)
      return send(response, 204)
    }
    switch (act ?? '') {
      case 'start':
        container.running = true
        container.exitCode = undefined
        send(response, 204)
        this.run(name, this.#created.get(name) ?? {})
        return undefined
      case 'stop':
        if (!container.running) return send(response, 304)
        this.exit(name, 0)
        return send(response, 204)
      case 'kill':
        if (!container.running) return send(response, 409, { message: `Container ${name} is not running` })
        this.exit(name, 137)
        return send(response, 204)
      case 'wait':
        if (container.exitCode !== undefined) return send(response, 200, { StatusCode: container.exitCode })
        container.ended.push((code) => send(response, 200, { StatusCode: code }))
        return undefined
      default:
        return send(response, 404, { message: 'page not found' })
    }
  }

  #build(image: string, context: Buffer, response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.write(`${JSON.stringify({ stream: `Step 1 : FROM base (${gunzipSync(context).length} bytes)\n` })}\n`)
    if (this.buildFailure === undefined) this.images.add(image)
    else response.write(`${JSON.stringify({ errorDetail: { message: this.buildFailure }, error: this.buildFailure })}\n`)
    response.end()
  }

  #create(name: string, body: Buffer, response: ServerResponse): void {
    const created: Readonly<Record<string, unknown>> = JSON.parse(body.toString())
    const image = String(created['Image'])
    if (!this.images.has(image)) return send(response, 404, { message: `No such image: ${image}:latest` })
    if (this.containers.has(name)) return send(response, 409, { message: `Conflict. The name "${name}" is already in use` })
    this.containers.set(name, { image, running: false, exitCode: undefined, ended: [] })
    this.#created.set(name, created)
    return send(response, 201, { Id: name, Warnings: [] })
  }
}

function send(response: ServerResponse, status: number, body?: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(body === undefined ? undefined : JSON.stringify(body))
}

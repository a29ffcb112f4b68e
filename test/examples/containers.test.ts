import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { defaultLoadersSync } from 'cosmiconfig'
import { expect, test } from 'vitest'
import { createSite, declaredKeys, resolveSettings, variableOf } from '../../kernel/index.js'
import { loadPackagedSite } from '../../kernel/config/load.js'
import { UNUSED_KEYS } from '../../plugins/site/unused-keys.js'
import { PACKAGED } from '../kernel/sites.js'

interface Service {
  readonly environment: Readonly<Record<string, string>>
  readonly ports: readonly string[]
  readonly volumes: readonly string[]
  readonly build: { readonly context: string; readonly dockerfile: string }
  readonly healthcheck: { readonly test: readonly string[] }
  readonly networks: readonly string[]
}
interface Compose {
  readonly services: Readonly<Record<string, Service>>
  readonly volumes: Readonly<Record<string, unknown>>
  readonly networks: Readonly<Record<string, unknown>>
}

const EXAMPLES = resolve(import.meta.dirname, '../../examples')
const file = join(EXAMPLES, 'docker/compose.yaml')
const compose: Compose = defaultLoadersSync['.yaml'](file, readFileSync(file, 'utf8'))
const services = Object.entries(compose.services)
const dockerfile = readFileSync(join(EXAMPLES, 'docker/Dockerfile'), 'utf8')
const instructions = dockerfile
  .replaceAll(/^#.*\n/gm, '')
  .replaceAll('\\\n', ' ')
  .split('\n')
  .filter((line) => line.trim() !== '')
const site = await loadPackagedSite(PACKAGED)
const declared = declaredKeys(site.plugins)
const known = new Map([...declared.keys(), ...UNUSED_KEYS].map((key) => [variableOf(key), key]))
/** Of the engine, whose plugin may not be in the site. */
const isOfEngine = (name: string): boolean => name.startsWith('CORE_PBFT_')

test('the compose file has four validators that know each other by name', () => {
  expect(services.map(([name]) => name)).toEqual(['vp0', 'vp1', 'vp2', 'vp3'])
  for (const [name, { environment, networks }] of services) {
    expect(environment).toMatchObject({ CORE_PEER_ID: name, CORE_PEER_ADDRESS: `${name}:7051`, CORE_PBFT_GENERAL_N: String(services.length) })
    for (const root of (environment['CORE_PEER_DISCOVERY_ROOTNODE'] ?? '').split(',')) expect(services.map(([other]) => `${other}:7051`)).toContain(root)
    for (const network of networks) expect(Object.keys(compose.networks)).toContain(network)
  }
})

test('every variable that the examples set is one that a plugin reads, with a value that it takes', () => {
  const fromDockerfile = [...dockerfile.matchAll(/(CORE_\w+)=(\S+)/g)].map(([, name = '', value = '']): [string, string] => [name, value])
  const unit = readFileSync(join(EXAMPLES, 'systemd/weft-peer.service'), 'utf8')
  const fromUnit = [...unit.matchAll(/^Environment=(CORE_\w+)=(\S+)/gm)].map(([, name = '', value = '']): [string, string] => [name, value])
  for (const environment of [...services.map(([, service]) => Object.entries(service.environment)), fromDockerfile, fromUnit]) {
    const core = environment.filter(([name]) => name.startsWith('CORE_'))
    expect(core.length).toBeGreaterThan(0)
    expect(core.filter(([name]) => !known.has(name) && !isOfEngine(name))).toEqual([])
    const values = core.flatMap(([name, value]) => {
      const key = known.get(name)
      return key !== undefined && declared.has(key) ? [[key, value] as const] : []
    })
    const base = createSite({ plugins: site.plugins })
    expect(() => resolveSettings(values.reduce((so, [key, value]) => so.with(key, value, 'compose'), base))).not.toThrow()
  }
})

test('ports, volumes and files fit together', () => {
  const published = services.flatMap(([, { ports }]) => ports)
  const hostPorts = published.map((port) => port.split(':').at(-2))
  expect(new Set(hostPorts).size).toBe(published.length)
  for (const [name, service] of services) {
    for (const port of service.ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:7051$/) // nobody is authenticated: this machine alone
    expect(service.environment['CORE_PEER_LISTENADDRESS']).toMatch(/:7051$/)
    const targets = service.volumes.map((volume) => volume.split(':'))
    for (const [source = ''] of targets) expect(source.startsWith('./') || source in compose.volumes).toBe(true)
    const mounted = (path: string | undefined): boolean => targets.some(([, target = '']) => path?.startsWith(`${target}/`))
    for (const key of ['FILESYSTEMPATH', 'TLS_CERT_FILE', 'TLS_KEY_FILE', 'TLS_ROOTCERT_FILE']) {
      expect({ name, key, mounted: mounted(service.environment[`CORE_PEER_${key}`]) }).toEqual({ name, key, mounted: true })
    }
    expect(targets.map(([source]) => source)).toContain(`./tls/${name}`)
    const context = resolve(EXAMPLES, 'docker', service.build.context)
    expect(existsSync(join(context, service.build.dockerfile))).toBe(true)
  }
})

test('the image is built of files that are there, and runs as a user of its own', () => {
  const root = resolve(EXAMPLES, '..')
  const copies = instructions.filter((line) => /^COPY (?!--from)/.test(line)).flatMap((line) => line.split(/\s+/).slice(1, -1))
  for (const source of copies) expect(existsSync(join(root, source)), source).toBe(true)
  const last = (word: string): string | undefined => instructions.findLast((line) => line.startsWith(`${word} `))
  expect(last('USER')).toBe('USER weft')
  expect(instructions.filter((line) => line.startsWith('FROM '))).toHaveLength(2)
  const node = /^FROM node:(\d+)-/.exec(instructions[0] ?? '')?.[1]
  expect(Number(node)).toBeGreaterThanOrEqual(20)
  expect(last('ENTRYPOINT')).toBe('ENTRYPOINT ["peer"]')
  for (const line of instructions) expect(line).toMatch(/^(FROM|WORKDIR|COPY|RUN|ENV|USER|VOLUME|EXPOSE|STOPSIGNAL|HEALTHCHECK|ENTRYPOINT|CMD) /)
  const ignored = readFileSync(join(EXAMPLES, 'docker/Dockerfile.dockerignore'), 'utf8')
  expect(ignored).toMatch(/^examples\/docker\/tls$/m)
  expect(ignored).not.toMatch(/^\*\*\/tls$/m) // a plugin is named so
})

test('health is asked by a command of this program that fails where nobody answers', () => {
  const commands = site.plugins.flatMap(({ commands = [] }) => commands.flatMap(({ paths = [] }) => paths.map((path) => path.join(' '))))
  const asked = [
    ...services.map(([, { healthcheck }]) => healthcheck.test),
    ['CMD', ...(/CMD \["(.*)"\]/.exec(instructions.find((line) => line.startsWith('HEALTHCHECK ')) ?? '')?.[1]?.split('", "') ?? [])],
  ]
  for (const [kind, program, ...words] of asked) {
    expect([kind, program]).toEqual(['CMD', 'peer'])
    expect(commands).toContain(words.slice(0, 2).join(' '))
    expect(words).toContain('--wait') // without it the exit code is 0 as in v0.6
  }
})

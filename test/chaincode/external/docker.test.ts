import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createSite, definePlugin, resolveSettings } from '../../../kernel/index.js'
import { dockerEngine, dockerOptions } from '../../../plugins/chaincode/external/docker/engine.js'
import { hostConfigOf } from '../../../plugins/chaincode/external/docker/host-config.js'
import { createDockerLauncher, imageName } from '../../../plugins/chaincode/external/docker/launcher.js'
import { externalKeys } from '../../../plugins/chaincode/external/keys.js'
import { AwaitedChaincodes } from '../../../plugins/chaincode/peer/awaited.js'
import { packBuildContext } from '../../../plugins/chaincode/peer/packaging/build-context.js'
import {
  ChaincodeDeploymentSpec,
  ChaincodeDeploymentSpec_ExecutionEnvironment,
  ChaincodeSpec_Type,
  ChaincodeMessage_Type as T,
  Transaction_Type,
  encode,
} from '../../../proto/index.js'
import { keepingLog } from '../node/quiet-log.js'
import { bench, bytes, invoke, ordered, specOf, transactionOf } from '../peer/kit.js'
import { ScriptedStream } from '../peer/scripted-stream.js'
import { FakeDocker } from './fake-docker.js'

const NAME = 'dev-jdoe-cc'
const PACKAGE = packBuildContext([{ path: 'Dockerfile', bytes: bytes('FROM base\n') }])

let docker: FakeDocker
let log: ReturnType<typeof keepingLog>

beforeEach(async () => {
  docker = await new FakeDocker().open()
  log = keepingLog()
})

afterEach(() => docker.close())

/** A peer whose containers run a chaincode that registers at once and answers everything. */
function peerWithDocker({ registersAs = 'cc' }: { readonly registersAs?: string | undefined } = {}) {
  const awaited = new AwaitedChaincodes()
  const launcher = createDockerLauncher({
    type: 1,
    pack: () => Promise.reject(new Error('not packaged here')),
    engine: dockerEngine({ endpoint: docker.endpoint, tls: undefined }),
    awaited,
    networkId: 'dev',
    peerId: 'jdoe',
    command: (name) => [`/opt/gopath/bin/${name}`, '-peer.address=127.0.0.1:7051'],
    environment: (name) => [`CORE_CHAINCODE_ID_NAME=${name}`],
    host: { NetworkMode: 'host' },
    log,
  })
  const kit = bench({}, { launcher: 'docker' }, { launchers: [launcher] })
  const streams: ScriptedStream[] = []
  docker.run = () => {
    if (registersAs === '') return
    const stream = new ScriptedStream(kit, { awaited, mayRegister: (name) => kit.peer.whyNotRegister(name) })
    stream.onSent = (message) => {
      if (message.type === T.INIT || message.type === T.TRANSACTION) queueMicrotask(() => stream.say(T.COMPLETED, message.txid))
    }
    streams.push(stream)
    stream.register(registersAs)
  }
  return { kit, streams }
}

function deploy() {
  const chaincodeSpec = specOf('cc', ['init'], { type: ChaincodeSpec_Type.GOLANG, chaincodeID: { path: 'example.com/cc', name: 'cc' } })
  const payload = encode(ChaincodeDeploymentSpec, {
    chaincodeSpec,
    effectiveDate: undefined,
    codePackage: PACKAGE,
    execEnv: ChaincodeDeploymentSpec_ExecutionEnvironment.DOCKER,
  })
  return ordered(transactionOf(Transaction_Type.CHAINCODE_DEPLOY, 'cc', 'cc', payload))
}

describe('chaincode in Docker containers', () => {
  it('builds the package as it is, makes way for the container, starts it with command and environment of v0.6, and waits for REGISTER', async () => {
    const { kit, streams } = peerWithDocker()
    const [deployed] = await kit.block(deploy())
    expect(deployed?.result.error, log.lines.join('\n')).toBeUndefined()
    await expect
      .poll(() => docker.lines)
      .toEqual([
        'POST /build',
        `POST /containers/${NAME}/stop`,
        `POST /containers/${NAME}/kill`,
        `DELETE /containers/${NAME}`,
        'POST /containers/create',
        `POST /containers/${NAME}/start`,
        `POST /containers/${NAME}/wait`,
      ])
    const [build, , , , create] = docker.asked
    expect(build?.query['t']).toBe(NAME)
    expect(build?.query['pull']).toBeUndefined()
    expect(Buffer.compare(build?.body ?? Buffer.alloc(0), PACKAGE)).toBe(0)
    expect(create?.query['name']).toBe(NAME)
    expect(JSON.parse(create?.body.toString() ?? '')).toMatchObject({
      Image: NAME,
      Cmd: ['/opt/gopath/bin/cc', '-peer.address=127.0.0.1:7051'],
      Env: ['CORE_CHAINCODE_ID_NAME=cc'],
      HostConfig: { NetworkMode: 'host' },
    })
    expect(streams).toHaveLength(1)
    const [moved] = await kit.block(invoke('cc', 't1', 'anything'))
    expect(moved?.result.error).toBeUndefined()
  })

  it('starts a deployed chaincode again without a build, with one when its image is gone', async () => {
    const { kit, streams } = peerWithDocker()
    await kit.block(deploy())
    streams[0]?.stream.gone('the container was killed')
    docker.asked.length = 0
    const [again] = await kit.block(invoke('cc', 't1', 'anything'))
    expect(again?.result.error, log.lines.join('\n')).toBeUndefined()
    expect(docker.lines).not.toContain('POST /build')
    streams[1]?.stream.gone('the container was killed')
    docker.images.clear()
    const [rebuilt] = await kit.block(invoke('cc', 't2', 'anything'))
    expect(rebuilt?.result.error, log.lines.join('\n')).toBeUndefined()
    expect(docker.lines.filter((line) => line === 'POST /build')).toHaveLength(1)
  })

  it('shows why an image does not build when its container has none to start from', async () => {
    docker.buildFailure = 'The command go install returned a non-zero code: 2'
    const { kit } = peerWithDocker()
    const [failed] = await kit.block(deploy())
    expect(failed?.result.error).toContain('Error starting container: the image dev-jdoe-cc does not build: The command go install returned a non-zero code: 2')
    expect(docker.containers.size).toBe(0)
  })

  it('fails at once when the container ends before it registers, and removes it', async () => {
    const { kit } = peerWithDocker({ registersAs: '' })
    docker.run = (name) => setTimeout(() => docker.exit(name, 3), 50)
    const [failed] = await kit.block(deploy())
    expect(failed?.result.error).toContain('the chaincode did not register: its container ended with exit code 3')
    expect(docker.containers.size).toBe(0)
  })

  it('removes a container that has not registered when the time is over', async () => {
    const { kit } = peerWithDocker({ registersAs: '' })
    docker.run = () => void setTimeout(() => void kit.clock.advance(300_000), 50)
    const [failed] = await kit.block(deploy())
    expect(failed?.result.error).toContain('Timeout expired while starting chaincode cc(networkid:dev,peerid:jdoe,tx:cc)')
    await expect.poll(() => docker.containers.size).toBe(0)
  })

  it('lets nobody register who was not started', async () => {
    const { kit, streams } = peerWithDocker({ registersAs: 'another' })
    docker.run = ((run) => (name, created) => {
      run(name, created)
      setTimeout(() => docker.exit(name, 1), 50)
    })(docker.run)
    const [failed] = await kit.block(deploy())
    expect(failed?.result.error).toContain('did not register')
    expect(streams[0]?.ended?.message).toContain('was not launched by this peer')
  })

  it('ends the container with the stream, and with the peer', async () => {
    const { kit } = peerWithDocker()
    await kit.block(deploy())
    expect(docker.containers.get(NAME)?.running).toBe(true)
    await kit.peer.stop('the peer stops')
    expect(docker.containers.size).toBe(0)
  })

  it('says what to check when no daemon answers', async () => {
    const engine = dockerEngine({ endpoint: 'unix:///nowhere/docker.sock', tls: undefined })
    await expect(engine.build('image', PACKAGE)).rejects.toMatchObject({
      code: 'ERR_CHAINCODE_LAUNCH',
      hint: 'check that a Docker daemon answers at vm.endpoint, unix:///nowhere/docker.sock, and that this peer may use it',
    })
  })
})

describe('the settings of Docker', () => {
  it('name images as v0.6', () => {
    expect(imageName({ networkId: 'dev', peerId: 'vp0' }, 'cc')).toBe('dev-vp0-cc')
    expect(imageName({ networkId: '', peerId: 'vp0' }, 'cc')).toBe('vp0-cc')
    expect(imageName({ networkId: '', peerId: '' }, 'cc')).toBe('cc')
  })

  it('give the host configuration of core.yaml by default', () => {
    expect(hostConfigOf(settingsOf({}))).toEqual({
      NetworkMode: 'host',
      Memory: 2_147_483_648,
      LogConfig: { Type: 'json-file', Config: { 'max-size': '50m', 'max-file': '5' } },
    })
  })

  it('hand every key of it on under its name', () => {
    const settings = settingsOf({
      Dns: ['8.8.8.8'],
      CapDrop: 'ALL,CHOWN',
      Cpuset: '0',
      CpusetMEMs: '1',
      ReadonlyRootfs: true,
      CpuShares: 5,
      MemorySwappiness: 0,
    })
    expect(hostConfigOf(settings)).toMatchObject({
      Dns: ['8.8.8.8'],
      CapDrop: ['ALL', 'CHOWN'],
      CpusetCpus: '0',
      CpusetMems: '1',
      ReadonlyRootfs: true,
      CpuShares: 5,
      MemorySwappiness: 0,
    })
  })

  it('take sockets and addresses, and refuse what is neither', async () => {
    await expect(dockerOptions({ endpoint: 'unix:///run/docker.sock', tls: undefined })).resolves.toEqual({ socketPath: '/run/docker.sock' })
    await expect(dockerOptions({ endpoint: 'tcp://10.0.0.1:2375', tls: undefined })).resolves.toEqual({ protocol: 'http', host: '10.0.0.1', port: 2375 })
    await expect(dockerOptions({ endpoint: 'docker', tls: undefined })).rejects.toMatchObject({ code: 'ERR_CONFIG_INVALID' })
    await expect(dockerOptions({ endpoint: 'tcp://h:1', tls: { cert: undefined, key: undefined, ca: undefined } })).rejects.toThrow('vm.docker.tls.cert.file')
  })
})

/** Values of `vm.docker.hostConfig`, as a site gives them. */
function settingsOf(hostConfig: Readonly<Record<string, unknown>>) {
  const site = createSite({ plugins: [definePlugin({ name: 'docker', config: externalKeys, apply: () => undefined })] })
  const given = Object.entries(hostConfig).reduce((all, [name, value]) => all.with(`vm.docker.hostConfig.${name}`, value, 'test'), site)
  return resolveSettings(given).settings(externalKeys)
}

import type { CodePackage } from '../../runtime.js'
import { refusal } from '../errors.js'
import { packBuildContext } from './build-context.js'
import { carName, golangName, javaName } from './chaincode-name.js'
import { type SourceFile, inVisitingOrder } from './source-files.js'

/** What goes into Dockerfiles besides the chaincode. */
export interface BuildSettings {
  /** Configured beginning of the Dockerfile for the language (`chaincode.golang.Dockerfile`), with `$(ARCH)` and `$(PROJECT_VERSION)`. */
  readonly dockerfile: string
  /** Go's name of this machine's architecture. */
  readonly architecture: string
  readonly projectVersion: string
  /** With TLS: the peer's certificate, and where the container expects it (`peer.tls.cert.file`). */
  readonly tls?: { readonly certificate: Uint8Array; readonly file: string }
}

/** What v0.6 takes of the Go workspace. */
const GO_EXTENSIONS = ['.c', '.h', '.go', '.yaml', '.json']

/**
 * Packages Go source (spec/chaincode.md §12.4): the chaincode, the Dockerfile, then the workspace that it is built with.
 *
 * @param path import path; `http://` and `https://` are taken off
 * @param workspace files below `src` of the first GOPATH element, relative to it
 * @throws PeerError with v0.6's texts for an empty path or no arguments
 */
export function packGolang(
  path: string,
  input: Uint8Array,
  sources: readonly SourceFile[],
  workspace: readonly SourceFile[],
  settings: BuildSettings,
): CodePackage {
  const name = golangName(path, input, sources)
  const importPath = path.replace(/^https?:\/\//, '').replace(/\/+$/, '')
  const binary = importPath.slice(importPath.lastIndexOf('/') + 1)
  const build = `RUN go install ${importPath} && cp src/github.com/hyperledger/fabric/peer/core.yaml $GOPATH/bin && mv $GOPATH/bin/${binary} $GOPATH/bin/${name}`
  const copyCertificate = settings.tls === undefined ? [] : [`COPY src/certs/cert.pem ${settings.tls.file}`]
  const isTaken = ({ path: file }: SourceFile) =>
    !file.startsWith(`${importPath}/`) && !file.includes('.git') && GO_EXTENSIONS.some((extension) => file.endsWith(extension))
  const entries = [
    ...inVisitingOrder(sources).map(({ path: file, bytes }) => ({ path: `src/${importPath}/${file}`, bytes })),
    dockerfile(settings, [build, ...copyCertificate]),
    ...inVisitingOrder(workspace)
      .filter(isTaken)
      .map(({ path: file, bytes }) => ({ path: `src/${file}`, bytes })),
    ...(settings.tls === undefined ? [] : [{ path: 'src/certs/cert.pem', bytes: settings.tls.certificate }]),
  ]
  return { name, bytes: packBuildContext(entries) }
}

/** Packages a Java project; `directory` is the last element of its path. Throws `Build file not found`, and as {@link packGolang}. */
export function packJava(path: string, input: Uint8Array, sources: readonly SourceFile[], settings: BuildSettings): CodePackage {
  const name = javaName(path, input, sources)
  const directory = path.replace(/\/+$/, '').split('/').at(-1) ?? ''
  const ordered = inVisitingOrder(sources)
  const buildFile = ordered.find(({ path: file }) => file === 'build.gradle' || file === 'pom.xml')?.path
  if (buildFile === undefined) throw refusal('Build file not found')
  const build = buildFile === 'build.gradle' ? 'gradle -b build.gradle clean && gradle -b build.gradle build' : 'mvn -f pom.xml clean && mvn -f pom.xml package'
  const steps = [
    'COPY src /root/chaincode',
    `RUN cd /root/chaincode && ${build}`,
    'RUN cp /root/chaincode/build/chaincode.jar /root && cp /root/chaincode/build/libs/* /root/libs',
  ]
  const entries = [
    ...ordered.map(({ path: file, bytes }) => ({ path: `${directory}/${file}`, bytes })),
    dockerfile(settings, steps),
    ...ordered.filter(({ path: file }) => !file.endsWith('.class')).map(({ path: file, bytes }) => ({ path: `src/${file}`, bytes })),
  ]
  return { name, bytes: packBuildContext(entries) }
}

/** Packages a car archive. Throws as {@link packGolang}. */
export function packCar(path: string, input: Uint8Array, archive: Uint8Array, settings: BuildSettings): CodePackage {
  const name = carName(path, input, archive)
  const steps = ['COPY package.car /tmp/package.car', `RUN chaintool buildcar /tmp/package.car -o $GOPATH/bin/${name} && rm /tmp/package.car`]
  return { name, bytes: packBuildContext([dockerfile(settings, steps), { path: 'package.car', bytes: archive }]) }
}

function dockerfile({ dockerfile: base, architecture, projectVersion }: BuildSettings, steps: readonly string[]): SourceFile {
  const begin = base.replaceAll('$(ARCH)', architecture === 'amd64' ? 'x86_64' : architecture).replaceAll('$(PROJECT_VERSION)', projectVersion)
  return { path: 'Dockerfile', bytes: Buffer.from(`${[begin.trimEnd(), ...steps].join('\n')}\n`) }
}

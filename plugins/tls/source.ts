import { createHash } from 'node:crypto'
import { type Clock, type Logger, PeerError, messageOf } from '../../kernel/index.js'
import { checkServerContext } from './context.js'
import { type TlsMaterial, type TlsSettings, loadTls, tlsFiles } from './material.js'
import { readPem, readPemLater } from './pem.js'
import { validityProblem } from './validity.js'

/** The certificates and keys of a running peer, which may be replaced while it runs. */
export interface TlsSource {
  /** What to use for a new connection now; undefined with TLS off. */
  current(): TlsMaterial | undefined
  /** Is told of new material; running connections go on with the old. Returns what ends that. */
  onChange(listener: (material: TlsMaterial) => void): () => void
  /** Looks at the files now. Resolves with what is wrong, which has been logged; undefined if nothing is. */
  reload(): Promise<string | undefined>
  close(): void
}

/** What a source is made with. */
export interface TlsSourceParts {
  readonly settings: TlsSettings
  readonly log: Logger
  readonly clock: Clock
}

const DAY_MS = 86_400_000

/**
 * Reads the TLS files of a site, and again whenever their bytes change, however that was done (renamed files, swapped links). What is wrong with new files is logged,
 * and the old ones stay in use. Throws ERR_TLS_* if there is nothing to begin with.
 */
export function createTlsSource(parts: TlsSourceParts): TlsSource {
  const contents = new Map(parts.settings['peer.tls.enabled'] ? tlsFiles(parts.settings).map((file) => [file.file, readPem(file)]) : [])
  const material = checkedMaterial(parts.settings, contents)
  if (material === undefined) return OFF
  return new FileSource(parts, material, digestOf(contents))
}

const OFF: TlsSource = Object.freeze<TlsSource>({
  current: () => undefined,
  onChange: () => () => undefined,
  reload: async () => undefined,
  close: () => undefined,
})

class FileSource implements TlsSource {
  readonly #listeners = new Set<(material: TlsMaterial) => void>()
  readonly #onHangup = (): void => void this.reload()
  #cancel: () => void = () => undefined
  #looking: Promise<string | undefined> | undefined
  #isClosed = false
  /** What was wrong at the last look: said when it is still so at the next, since files are not replaced all at once. */
  #lastProblem: string | undefined
  #toldProblem: string | undefined
  #toldExpiryMs = Number.NEGATIVE_INFINITY

  constructor(
    private readonly parts: TlsSourceParts,
    private material: TlsMaterial,
    private digest: string,
  ) {
    process.on('SIGHUP', this.#onHangup)
    this.#tellExpiry()
    this.#schedule()
  }

  current(): TlsMaterial {
    return this.material
  }

  onChange(listener: (material: TlsMaterial) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  async reload(): Promise<string | undefined> {
    await this.#looking
    return this.#look(true)
  }

  close(): void {
    this.#isClosed = true
    this.#cancel()
    this.#listeners.clear()
    process.off('SIGHUP', this.#onHangup)
  }

  #schedule(): void {
    const everyMs = this.parts.settings['peer.tls.reloadInterval']
    if (everyMs === 0 || this.#isClosed) return
    this.#cancel = this.parts.clock.setTimer(everyMs, () => {
      // At most one look at a time: one that hangs on a dead file system is waited for.
      void this.#look(false).then(() => this.#schedule())
    })
  }

  /** Never rejects. */
  async #look(isAsked: boolean): Promise<string | undefined> {
    this.#looking = this.#readAnew(isAsked).catch((error: unknown) => this.#keepOld(error, isAsked))
    return this.#looking
  }

  async #readAnew(isAsked: boolean): Promise<undefined> {
    const { settings, log } = this.parts
    const contents = new Map(await Promise.all(tlsFiles(settings).map(async (file) => [file.file, await readPemLater(file)] as const)))
    if (this.#isClosed) return
    const digest = digestOf(contents)
    if (digest !== this.digest) {
      const fresh = checkedMaterial(settings, contents)
      if (fresh !== undefined) {
        this.#refuseWorse(fresh)
        this.#take(fresh, digest)
      }
    } else if (isAsked) log.info('the TLS files have not changed')
    if (this.#toldProblem !== undefined && digest === this.digest) log.notice('the TLS files are in order again')
    this.#lastProblem = undefined
    this.#toldProblem = undefined
    this.#tellExpiry()
  }

  #take(fresh: TlsMaterial, digest: string): void {
    const { log } = this.parts
    this.material = fresh
    this.digest = digest
    this.#toldExpiryMs = Number.NEGATIVE_INFINITY
    const [leaf] = fresh.server.certificates
    log.notice(`new connections get the new TLS files: certificate ${leaf.serialNumber}, valid until ${leaf.validTo}; running connections go on`)
    for (const listener of this.#listeners) {
      try {
        listener(fresh)
      } catch (error) {
        log.error(`a listener does not take the new TLS files and goes on with the old ones: ${messageOf(error)}`)
      }
    }
  }

  #keepOld(error: unknown, isAsked: boolean): string {
    const problem = messageOf(error)
    const isSettled = isAsked || problem === this.#lastProblem
    this.#lastProblem = problem
    if (isSettled && problem !== this.#toldProblem && !this.#isClosed) {
      this.#toldProblem = problem
      const hint = error instanceof PeerError && error.hint !== undefined ? `; ${error.hint}` : ''
      this.parts.log.error(`the new TLS files are not used, the old ones stay: ${problem}${hint}`)
    }
    return problem
  }

  /** A certificate that clients refuse does not replace one that they accept. */
  #refuseWorse(fresh: TlsMaterial): void {
    const problem = this.#validity(fresh)
    if (problem === undefined || problem.validity === 'expires soon') return
    const before = this.#validity(this.material)?.validity
    if (before === 'expired' || before === 'not yet valid') return
    throw new PeerError('ERR_TLS_VALIDITY', problem.message, { hint: problem.hint })
  }

  #validity(material: TlsMaterial) {
    const { settings } = this.parts
    const file = settings['peer.tls.cert.file'] ?? ''
    return validityProblem('peer.tls.cert.file', file, material.server.certificates, this.#nowMs(), settings['peer.tls.expiryWarning'])
  }

  #tellExpiry(): void {
    const nowMs = this.#nowMs()
    if (nowMs - this.#toldExpiryMs < DAY_MS) return
    const problem = this.#validity(this.material)
    if (problem === undefined) return
    this.#toldExpiryMs = nowMs
    this.parts.log[problem.validity === 'expires soon' ? 'warning' : 'error'](`${problem.message}; ${problem.hint}`)
  }

  #nowMs(): number {
    const { seconds, nanos } = this.parts.clock.now()
    return Number(seconds) * 1000 + nanos / 1e6
  }
}

function checkedMaterial(settings: TlsSettings, contents: ReadonlyMap<string, Buffer>): TlsMaterial | undefined {
  const material = loadTls(settings, ({ file, key }) => contents.get(file) ?? readPem({ file, key }))
  if (material !== undefined) checkServerContext(material)
  return material
}

function digestOf(contents: ReadonlyMap<string, Buffer>): string {
  const hash = createHash('sha256')
  for (const [file, bytes] of contents) hash.update(`${file}\0${bytes.length}\0`).update(bytes)
  return hash.digest('hex')
}

import type { pbft } from '../../../proto/index.js'

type PQ = pbft.ViewChangePQ

export interface Cert {
  readonly v: number
  readonly n: number
  digest: string
  prePrepare: pbft.PrePrepare | undefined
  sentPrepare: boolean
  readonly prepares: pbft.Prepare[]
  sentCommit: boolean
  readonly commits: pbft.Commit[]
}

/** Certificates, and the predicates on them (§6.3, §9.2). */
export class Certs {
  readonly certs = new Map<string, Cert>()
  readonly batches = new Map<string, pbft.RequestBatch>()
  pset = new Map<number, PQ>()
  qset = new Map<string, PQ>()

  constructor(private readonly quorum: number) {}

  cert(v: number, n: number): Cert {
    const key = `${v} ${n}`
    let cert = this.certs.get(key)
    if (!cert) this.certs.set(key, (cert = { v, n, digest: '', prePrepare: undefined, sentPrepare: false, prepares: [], sentCommit: false, commits: [] }))
    return cert
  }

  prePrepared(d: string, v: number, n: number): boolean {
    if (d !== '' && !this.batches.has(d)) return false
    if (this.qset.get(`${d} ${n}`)?.view === v) return true
    const p = this.certs.get(`${v} ${n}`)?.prePrepare
    return p !== undefined && p.view === v && p.sequenceNumber === n && p.batchDigest === d
  }

  prepared(d: string, v: number, n: number): boolean {
    if (!this.prePrepared(d, v, n)) return false
    const p = this.pset.get(n)
    if (p && p.batchDigest === d && p.view === v) return true
    const prepares = this.certs.get(`${v} ${n}`)?.prepares ?? []
    return prepares.filter((each) => each.view === v && each.sequenceNumber === n && each.batchDigest === d).length >= this.quorum - 1
  }

  committed(d: string, v: number, n: number): boolean {
    if (!this.prepared(d, v, n)) return false
    const commits = this.certs.get(`${v} ${n}`)?.commits ?? []
    return commits.filter((each) => each.view === v && each.sequenceNumber === n).length >= this.quorum
  }

  calcP(): PQ[] {
    const set = new Map(this.pset)
    for (const { v, n, digest, prePrepare } of this.certs.values())
      if (prePrepare && this.prepared(digest, v, n) && !((set.get(n)?.view ?? -1) > v)) set.set(n, { sequenceNumber: n, batchDigest: digest, view: v })
    return [...set.values()]
  }

  calcQ(): PQ[] {
    const set = new Map(this.qset)
    for (const { v, n, digest, prePrepare } of this.certs.values())
      if (prePrepare && this.prePrepared(digest, v, n) && !((set.get(`${digest} ${n}`)?.view ?? -1) > v))
        set.set(`${digest} ${n}`, { sequenceNumber: n, batchDigest: digest, view: v })
    return [...set.values()]
  }
}

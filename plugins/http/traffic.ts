import { createToken } from '../../kernel/index.js'

/** Answered requests of one kind. */
export interface HttpCount {
  /** Name of the listener; of several on one address, where no route tells whose it was, all of them. */
  readonly listener: string
  readonly method: string
  /** The route as it was declared, such as `/chain/blocks/:id`; `none`: there is no such route; `refused`: it was not looked at. */
  readonly route: string
  readonly status: number
  readonly count: number
}

/** What HTTP clients asked, for whoever watches the peer. */
export interface HttpTraffic {
  counts(): Iterable<HttpCount>
}

export const HTTP_TRAFFIC = createToken<HttpTraffic>('http traffic', 'weft/plugins/http')

/** Methods that have a count of their own: names of others are up to clients. */
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS'])

/** Counts requests by listener, method, route and status: all from sets that clients cannot add to. */
export class HttpCounts implements HttpTraffic {
  readonly #counts = new Map<string, { -readonly [Key in keyof HttpCount]: HttpCount[Key] }>()

  add(listener: string, asked: string, route: string, status: number): void {
    const method = METHODS.has(asked) ? asked : 'other'
    const key = `${listener} ${method} ${route} ${status}`
    const found = this.#counts.get(key)
    if (found) found.count++
    else this.#counts.set(key, { listener, method, route, status, count: 1 })
  }

  counts(): Iterable<HttpCount> {
    return this.#counts.values()
  }
}

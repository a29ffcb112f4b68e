// What `weft/chaincode` is inside a deployed bundle: the same, but there is no peer to dial.
export * from './portable.js'

/** Deployed chaincode is served by its peer; a file that also starts itself in development mode must not do so here. */
export function start(): never {
  throw new Error('start() and main() are for chaincode that runs as its own process: a deployed chaincode only exports its handlers')
}

export const main: typeof start = start

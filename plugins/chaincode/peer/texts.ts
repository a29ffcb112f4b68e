/**
 * Texts of v0.6 that reach clients, chaincodes or event listeners (spec/chaincode.md §13, §23; spec/node.md §5).
 * They are what v0.6 programs match on, so they live in one place and are never reworded.
 */
export const texts = Object.freeze({
  beingLaunched: (name: string) => `premature execution - chaincode (${name}) is being launched`,
  handlerNotFound: (name: string) => `handler not found for chaincode ${name}`,
  initFailed: (why: string) => `Failed to init chaincode(${why})`,
  initialising: (name: string, why: string) => `Error initializing container ${name}: ${why}`,
  initTimeout: 'Timeout expired while executing send init message',
  executeTimeout: 'Timeout expired while executing transaction',
  startTimeout: (name: string, networkId: string, peerId: string, txid: string) =>
    `Timeout expired while starting chaincode ${name}(networkid:${networkId},peerid:${peerId},tx:${txid})`,
  startFailed: (why: string) => `Error starting container: ${why}`,
  nameNotSet: 'chaincode name not set',
  sending: (type: 'INIT' | 'TRANSACTION' | 'QUERY', why: string) => `Error sending ${type}: ${why}`,
  txidExists: (txid: string) => `txid:${txid} exists`,
  notInQuery: (type: string) => `Cannot handle ${type} in query context`,
  iteratorNotFound: 'Range query iterator not found',
  noDeployment: (name: string) => `Could not get deployment transaction for ${name} - LedgerError - ResourceNotFound: ledger: resource not found`,
  notADeployment: (name: string) => `deployment transaction does not exist for ${name}`,
  alreadyRunning: (name: string) => `deploy attempted but a chaincode with same name running ${name}`,
  deployFailed: (why: string) => `Failed to deploy chaincode spec(${why})`,
  launchFailed: (why: string) => `Failed to launch chaincode spec(${why})`,
  executeFailed: (why: string) => `Failed to execute transaction or query(${why})`,
  returnedFailure: (why: string) => `Transaction or query returned with failure: ${why}`,
  invalidType: (type: string) => `Invalid transaction type ${type}`,
  unknownType: (type: string) => `Unknown chaincodeType: ${type}`,
  callsNeedPublic: (txid: string) => `[${txid.slice(0, 8)}]Error chaincode-chaincode interactions not supported for with privacy enabled. Sending ERROR`,
  emptyKeyOrValue: (key: string, value: string) =>
    `LedgerError - InvalidArgument: An empty string key or a nil value is not supported. Method invoked with key='${key}', value='${value}'`,
})

/** A byte string as Go prints it with %#v: `[]byte(nil)` or `[]byte{0x1, 0xff}`; shortened after 64 bytes, since it goes into a reply. */
export function goBytes(value: Uint8Array): string {
  if (value.length === 0) return '[]byte(nil)'
  const shown = [...value.subarray(0, 64)].map((byte) => `0x${byte.toString(16)}`).join(', ')
  return `[]byte{${shown}${value.length > 64 ? ', ...' : ''}}`
}

import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { messageOf, PeerError } from '../../../kernel/index.js'
import { decode, encode, hex, type OperatorSignature, OperatorSignatures, SwapCancel, SwapProposal } from '../../../proto/index.js'
import { isRecord } from '../../terminal/index.js'
import { candidateId } from '../swap/contract.js'
import { signedBytes } from '../swap/policy.js'

/** What operators sign: a call and its argument. As a file it goes from one to the next. */
export interface SignableCall {
  readonly call: 'prepare' | 'cancel'
  readonly argument: Uint8Array
  /** In words, for whoever is asked to sign. */
  readonly about: string
  readonly signatures: readonly OperatorSignature[]
}

const RAW_KEY_BYTES = 32
/** Digits by which people tell proposals apart. */
const SHOWN_DIGITS = 16

/** A call that nobody has signed yet. */
export function signable(call: SignableCall['call'], argument: Uint8Array): SignableCall {
  return { call, argument, about: aboutOf(call, argument), signatures: [] }
}

/** What a call does, from its bytes alone: whoever wrote the file cannot make it say something else. Throws WireError. */
function aboutOf(call: SignableCall['call'], argument: Uint8Array): string {
  const shown = (id: Uint8Array): string => hex(id).slice(0, SHOWN_DIGITS)
  if (call === 'cancel') {
    const { network, fromEpoch, candidate } = decode(SwapCancel, argument)
    return `${inNetwork(network)}in epoch ${fromEpoch} cancel proposal ${shown(candidate)}`
  }
  const { network, fromEpoch, engine, version, codeDigest, options, allowWeaker } = decode(SwapProposal, argument)
  const code = codeDigest === '' ? '' : ` (code ${codeDigest})`
  const weaker = allowWeaker ? ', which may tolerate fewer faults' : ''
  return `${inNetwork(network)}proposal ${shown(candidateId(argument))}, from epoch ${fromEpoch} to ${engine} ${version}${code} with options ${options}${weaker}`
}

function inNetwork(network: string): string {
  return network === '' ? '' : `in network ${network}: `
}

/** Signs with an Ed25519 private key in a PEM file. Throws ERR_OPERATOR_KEY. */
export function signedWith(signable: SignableCall, keyFile: string): SignableCall {
  const key = privateKey(keyFile)
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' })
  const publicKey = new Uint8Array(spki.subarray(spki.length - RAW_KEY_BYTES))
  const signature = new Uint8Array(sign(null, signedBytes(signable.call, signable.argument), key))
  const others = signable.signatures.filter((other) => Buffer.compare(other.key, publicKey) !== 0)
  return { ...signable, signatures: [...others, { key: publicKey, signature }] }
}

/** How many signatures there are, in words. */
export function signaturesIn({ length }: readonly OperatorSignature[]): string {
  return length === 1 ? '1 signature' : `${length} signatures`
}

/** The signatures as a call carries them; empty: none. */
export function signaturesOf({ signatures }: SignableCall): Uint8Array {
  return signatures.length === 0 ? new Uint8Array(0) : encode(OperatorSignatures, { signatures: [...signatures] })
}

/** Writes what is to be signed, with the signatures that it has. */
export function writeSignable(file: string, { call, argument, about, signatures }: SignableCall): void {
  const written = {
    call,
    about,
    argument: hex(argument),
    signatures: signatures.map(({ key, signature }) => ({ key: hex(key), signature: hex(signature) })),
  }
  writeFileSync(file, `${JSON.stringify(written, undefined, 2)}\n`)
}

/** Reads what `writeSignable` wrote. Throws ERR_SWAP_FILE. */
export function readSignable(file: string): SignableCall {
  const wrong = (found: string): PeerError =>
    new PeerError('ERR_SWAP_FILE', `${file}: expected a call that was written with --out; found ${found}`, {
      hint: 'write one with peer consensus swap ... --out FILE',
    })
  let content: unknown
  try {
    content = JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    throw wrong(messageOf(cause))
  }
  const { call, about, argument, signatures } = { call: undefined, about: '', argument: undefined, signatures: [], ...(isRecord(content) ? content : {}) }
  if ((call !== 'prepare' && call !== 'cancel') || typeof about !== 'string' || !isHex(argument) || !Array.isArray(signatures)) throw wrong('something else')
  const unsigned = readCall(call, argument, wrong)
  if (about !== unsigned.about) throw wrong(`one that says of itself '${about.slice(0, 200)}', but asks for this: ${unsigned.about}`)
  const read = signatures.map((entry: unknown): OperatorSignature => {
    const { key, signature } = { key: undefined, signature: undefined, ...(isRecord(entry) ? entry : {}) }
    if (!isHex(key) || !isHex(signature)) throw wrong('a signature that is none')
    return { key: Buffer.from(key, 'hex'), signature: Buffer.from(signature, 'hex') }
  })
  return { ...unsigned, signatures: read }
}

function readCall(call: SignableCall['call'], argument: string, wrong: (found: string) => PeerError): SignableCall {
  try {
    return signable(call, Buffer.from(argument, 'hex'))
  } catch (cause) {
    throw wrong(`an argument that cannot be read: ${messageOf(cause)}`)
  }
}

function privateKey(file: string): KeyObject {
  try {
    const key = createPrivateKey(readFileSync(file))
    if (key.asymmetricKeyType === 'ed25519') return key
    throw new PeerError('ERR_OPERATOR_KEY', `${file}: expected an Ed25519 private key; found one of type ${key.asymmetricKeyType ?? 'unknown'}`)
  } catch (cause) {
    if (cause instanceof PeerError) throw cause
    throw new PeerError('ERR_OPERATOR_KEY', `${file}: expected an Ed25519 private key in PEM: ${messageOf(cause)}`, {
      hint: 'make one with: openssl genpkey -algorithm ed25519 -out operator.pem',
      cause,
    })
  }
}

function isHex(value: unknown): value is string {
  return typeof value === 'string' && /^([0-9a-f]{2})*$/i.test(value)
}
